/** A client that costs little beside what it measures: requests are made beforehand, and of an answer only its end is looked for. */
import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { performance } from "node:perf_hooks"

/** Requests of which each is sent after the answer to the one before. */
export type Series = readonly Buffer[]

export interface Load {
  readonly port: number
  /** Open connections; each works through one series after the other. */
  readonly connections: number
  /** What every answer must have. */
  readonly status: number
}

export interface LoadResult {
  readonly ms: number
  /** Of each request, in no order. */
  readonly latenciesMs: readonly number[]
}

/** Throws when an answer has another status: a fast refusal is none. */
export async function run(series: readonly Series[], { port, connections, status }: Load): Promise<LoadResult> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)))
  const latenciesMs: number[] = []
  let next = 0
  const start = performance.now()
  await Promise.all(
    sockets.map(async (socket) => {
      const ask = asker(socket)
      for (let own = series[next++]; own !== undefined; own = series[next++]) {
        for (const request of own) {
          const began = performance.now()
          const answer = await ask(request)
          latenciesMs.push(performance.now() - began)
          if (statusOf(answer) !== status)
            throw new Error(`expected ${status}, got ${answer.toString().slice(0, 1_000)}`)
        }
      }
    }),
  )
  const ms = performance.now() - start
  for (const socket of sockets) socket.destroy()
  return { ms, latenciesMs }
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true })
  await once(socket, "connect")
  return socket
}

function asker(socket: Socket): (request: Buffer) => Promise<Buffer> {
  let settle: ReturnType<typeof Promise.withResolvers<Buffer>> | undefined
  let received = Buffer.alloc(0)
  socket.on("data", (bytes) => {
    received = received.length === 0 ? bytes : Buffer.concat([received, bytes])
    if (!isWhole(received)) return
    const whole = received
    received = Buffer.alloc(0)
    settle?.resolve(whole)
  })
  socket.on("error", (error) => settle?.reject(error))
  socket.on("close", () => settle?.reject(new Error("the server closed the connection")))
  return (request) => {
    settle = Promise.withResolvers<Buffer>()
    socket.write(request)
    return settle.promise
  }
}

function isWhole(answer: Buffer): boolean {
  const end = answer.indexOf("\r\n\r\n")
  if (end === -1) return false
  const length = /\r\ncontent-length: (\d+)/i.exec(answer.toString("latin1", 0, end))?.[1]
  if (length === undefined) throw new Error("expected an answer with a length")
  return answer.length >= end + 4 + Number(length)
}

function statusOf(answer: Buffer): number {
  return Number(answer.toString("latin1", 9, 12))
}
