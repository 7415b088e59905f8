/** `kez-chat-server broker-config`: keys and configuration for a nats-server that something else starts, such as a container. */
import { resolve } from "node:path"
import { writeConfiguration } from "@kez/broker"
import { KezError } from "@kez/core"
import type { brokerFlags } from "../command-line.ts"

type Flag = (typeof brokerFlags)[number]

export interface WrittenConfig {
  /** For `nats-server -c`. */
  readonly file: string
  readonly keysFolder: string
}

/** Keys that are there are kept, and the same flags write the same text: it can run at each start. Throws `usage`. */
export function writeBrokerConfig(flags: ReadonlyMap<string, string>, usualFolder: string): WrittenConfig {
  const flag = (name: Flag): string | undefined => flags.get(name)
  const folder = resolve(flag("out") ?? usualFolder)
  const [certFile, keyFile] = [flag("tls-cert"), flag("tls-key")]
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new KezError("usage", "Cannot write the configuration: expected both --tls-cert and --tls-key, or neither")
  }
  const [seenAt, name, storeMib] = [flag("seen-at"), flag("name"), flag("store-mib")]
  const { file } = writeConfiguration({
    folder,
    client: listenOf("--client-listen", flag("client-listen") ?? "127.0.0.1:4222"),
    websocket: {
      ...listenOf("--websocket-listen", flag("websocket-listen") ?? "127.0.0.1:8443"),
      allowedOrigins: (flag("origins") ?? "").split(",").filter((origin) => origin !== ""),
      ...(certFile === undefined || keyFile === undefined ? {} : { tls: { certFile, keyFile } }),
    },
    monitorPort: portOf("--monitor-port", flag("monitor-port") ?? "8222"),
    ...(seenAt === undefined ? {} : { seenAt }),
    ...(name === undefined ? {} : { name }),
    ...(storeMib === undefined ? {} : { maxStoredBytes: bytesOfMib("--store-mib", storeMib) }),
  })
  return { file, keysFolder: resolve(folder, "keys") }
}

function listenOf(flag: string, text: string): { readonly host: string; readonly port: number } {
  const [, host = "", port = ""] = /^(.+):(\d+)$/.exec(text) ?? []
  if (host === "") throw new KezError("usage", `Cannot use ${flag}: expected HOST:PORT`)
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: portOf(flag, port) }
}

function bytesOfMib(flag: string, text: string): number {
  if (/^[1-9][0-9]{0,9}$/.test(text)) return Number(text) * 1_048_576
  throw new KezError("usage", `Cannot use ${flag}: expected a number of MiB`)
}

function portOf(flag: string, text: string): number {
  if (/^[1-9][0-9]{0,4}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new KezError("usage", `Cannot use ${flag}: expected a port from 1 to 65535`)
}
