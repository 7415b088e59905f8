/** A real authoritative DNS server (Knot) on loopback, with one zone that a test writes. */
import { type ChildProcess, spawn } from "node:child_process"
import { Resolver } from "node:dns/promises"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { findServer } from "../../../../test/support/servers.ts"

export interface Knot {
  /** `127.0.0.1:PORT`, for --resolver. */
  readonly address: string
  /** Replaces the records of the zone and waits until they are served. */
  publish(lines: readonly string[]): Promise<void>
  stop(): Promise<void>
  start(): Promise<void>
  /** Stops it and removes its files. */
  close(): Promise<void>
}

const startMs = 10_000

export interface KnotOptions {
  /** How long resolvers may repeat that there is no record. */
  readonly negativeTtlSeconds?: number
}

/** Starts a server for the zone `domain`, with nothing in it yet. */
export async function startKnot(domain: string, { negativeTtlSeconds = 1 }: KnotOptions = {}): Promise<Knot> {
  const dir = mkdtempSync(join(tmpdir(), "kez-knot-"))
  const port = await freePort()
  const address = `127.0.0.1:${port}`
  writeFileSync(join(dir, "knot.conf"), configOf(dir, domain, port))
  let serial = 0
  let child: ChildProcess | undefined

  const write = (lines: readonly string[]): void => {
    serial++
    const head = [
      `$ORIGIN ${domain}.`,
      `@ ${negativeTtlSeconds} IN SOA ns.${domain}. admin.${domain}. ${serial} 3600 600 86400 ${negativeTtlSeconds}`,
      `@ 1 IN NS ns.${domain}.`,
      "ns 1 IN A 127.0.0.1",
      `serial 1 IN TXT "${serial}"`,
    ]
    writeFileSync(join(dir, `${domain}.zone`), `${[...head, ...lines].join("\n")}\n`)
  }
  const start = async (): Promise<void> => {
    child = spawn(findServer("knotd") ?? "knotd", ["-c", join(dir, "knot.conf")], { stdio: "ignore" })
    await served(address, `serial.${domain}`, String(serial))
  }
  const stop = async (): Promise<void> => {
    const running = child
    child = undefined
    if (running === undefined || running.exitCode !== null) return
    const ended = once(running, "exit")
    running.kill("SIGTERM")
    await ended
  }
  const knot: Knot = {
    address,
    async publish(lines) {
      write(lines)
      child?.kill("SIGHUP")
      await served(address, `serial.${domain}`, String(serial))
    },
    stop,
    start,
    async close() {
      await stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
  write([])
  await start()
  return knot
}

function configOf(dir: string, domain: string, port: number): string {
  return `server:
    rundir: "${dir}"
    listen: 127.0.0.1@${port}
    background-workers: 1
    udp-workers: 1
    tcp-workers: 1
log:
  - target: stderr
    any: error
database:
    storage: "${dir}"
zone:
  - domain: ${domain}
    storage: "${dir}"
    file: "${domain}.zone"
    zonefile-sync: -1
    journal-content: none
`
}

async function served(address: string, name: string, expected: string): Promise<void> {
  const resolver = new Resolver({ timeout: 200, tries: 1 })
  resolver.setServers([address])
  for (const end = Date.now() + startMs; Date.now() < end; await sleep(20)) {
    const records = await resolver.resolveTxt(name).catch(() => [])
    if (records.flat().includes(expected)) return
  }
  throw new Error(`knotd did not serve ${name} within ${startMs} ms`)
}

export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  if (address === null || typeof address === "string") throw new Error("no port")
  return address.port
}
