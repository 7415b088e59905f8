/** Connects per second through the auth callout, against a responder that only signs, in turn on one nats-server. */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import { startBroker } from "@kez/broker"
import { createConnectToken } from "@kez/core"
import { audience, makeDevice, natsServer, type TestDevice } from "../test/support/broker.ts"
import { freePorts } from "../test/support/ports.ts"
import type { Order } from "./broker/responder.ts"
import { median, perSecond, type Row } from "./measure.ts"

export const inFlight = 32
const target = 0.7

export async function brokerRows({
  count,
  rounds,
}: {
  readonly count: number
  readonly rounds: number
}): Promise<readonly Row[]> {
  if (natsServer === "") throw new Error("nats-server is missing (sh scripts/setup-test-servers.sh installs it)")
  const folder = mkdtempSync(join(tmpdir(), "kez-bench-broker-"))
  const [port = 0, websocketPort = 0, monitorPort = 0] = await freePorts(3)
  const host = "127.0.0.1"
  const websocket = { host, port: websocketPort, allowedOrigins: [] }
  const broker = await startBroker(natsServer, { folder, client: { host, port }, websocket, monitorPort })
  const responder = fork(join(import.meta.dirname, "broker/responder.ts"), [broker.url, join(folder, "keys"), audience])
  try {
    const devices = await Promise.all(Array.from({ length: count }, (_, i) => makeDevice(`person ${i}`)))
    const round = async (order: Order): Promise<number> => {
      await tell(responder, order)
      return connectAll(port, devices)
    }
    // The first two do not count: everything is compiled in them.
    for (const order of ["bare", "product"] as const) await round(order)
    const runs: { readonly bareMs: number; readonly productMs: number }[] = []
    for (let i = 0; i < rounds; i += 1) runs.push({ bareMs: await round("bare"), productMs: await round("product") })
    const ratio = median(runs.map(({ bareMs, productMs }) => bareMs / productMs))
    return [
      {
        what: `auth callout: first connections of ${count} devices, ${inFlight} at a time, every signature checked, against a responder that only signs`,
        product: perSecond(count, median(runs.map(({ productMs }) => productMs))),
        limit: perSecond(count, median(runs.map(({ bareMs }) => bareMs))),
        ratio,
        target: `>= ${target}`,
        holds: ratio >= target,
      },
    ]
  } finally {
    responder.disconnect()
    await broker.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

export async function tell(responder: ChildProcess, order: Order): Promise<void> {
  responder.send(order)
  await once(responder, "message")
}

/** Milliseconds until all have been let in, over bare sockets: the client's own work is small and the same for both. */
export async function connectAll(port: number, devices: readonly TestDevice[]): Promise<number> {
  const waiting = [...devices]
  const start = performance.now()
  const inTurn = async (): Promise<void> => {
    for (let device = waiting.pop(); device !== undefined; device = waiting.pop()) await connectOnce(port, device)
  }
  await Promise.all(Array.from({ length: inFlight }, inTurn))
  return performance.now() - start
}

function connectOnce(port: number, device: TestDevice): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1")
    let text = ""
    let hasAsked = false
    socket.setNoDelay()
    socket.once("error", reject)
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1")
      if (!hasAsked && text.includes("\r\n")) {
        hasAsked = true
        const { nonce } = JSON.parse(text.slice(5)) as { readonly nonce: string }
        const token = createConnectToken({ ...device, nonce, nowSeconds: Math.floor(Date.now() / 1000) })
        const options = { verbose: false, pedantic: false, protocol: 1, auth_token: token, sig: "-" }
        socket.write(`CONNECT ${JSON.stringify(options)}\r\nPING\r\n`)
      } else if (text.includes("PONG\r\n")) {
        socket.destroy()
        resolve()
      } else if (text.includes("-ERR")) {
        socket.destroy()
        reject(new Error("turned away: a fast refusal is no connection"))
      }
    })
  })
}
