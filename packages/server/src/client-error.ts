/** Connections that do not speak HTTP as it should be: one plain answer, and the end. */
import { STATUS_CODES } from "node:http"
import type { Socket } from "node:net"
import { formatProblem, Problem, type ProblemOptions, problemType } from "./problem.ts"

export interface RefusalCounter {
  refused(code: string): void
}

/** Connections that end with the answer that was written: what follows on them is not even refused. */
const ending = new WeakSet<Socket>()

/** To be called before an answer with `Connection: close` to a request whose end is in doubt. */
export function endAfterAnswer(socket: Socket): void {
  ending.add(socket)
}

const known: Readonly<Record<string, ProblemOptions>> = {
  HPE_HEADER_OVERFLOW: { status: 431, code: "limit.size", detail: "Cannot read the request: its headers are too long" },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: "net.timeout",
    detail: "Cannot read the request: it did not arrive in time",
  },
}

const other: ProblemOptions = {
  status: 400,
  code: "net.http",
  detail: "Cannot read the request: it is not HTTP as it should be",
}

/**
 * What follows on the connection is not read: where two programs disagree about the end of a request, the rest of it could be
 * another one that somebody smuggled in (RFC 9112 §11.2).
 */
export function refuseConnection(metrics: RefusalCounter): (error: Error & { code?: string }, socket: Socket) => void {
  return (error, socket) => {
    if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy()
    if (ending.has(socket)) return socket.destroySoon()
    const problem = new Problem(known[error.code ?? ""] ?? other)
    metrics.refused(problem.code)
    const body = formatProblem(problem)
    const lines = [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      `Content-Type: ${problemType}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      "X-Content-Type-Options: nosniff",
      "Connection: close",
    ]
    socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy())
  }
}
