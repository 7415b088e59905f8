/** Opening and closing of what listens: the application and its metrics. */
import type { Server } from "node:http"
import type { AddressInfo } from "node:net"
import { KezError } from "@kez/core"

export interface ListenAt {
  readonly host: string
  /** 0: any. */
  readonly port: number
}

/** Of Fastify, as far as it is needed here. */
export interface Listening {
  readonly server: Server
  listen(at: ListenAt): Promise<unknown>
}

/** Resolves to the URL. Throws `net.refused`, with the flag that chooses another port. */
export async function listenApp(http: Listening, { host, port }: ListenAt): Promise<string> {
  try {
    // Of the addresses that localhost may have, one.
    await http.listen({ host: host === "localhost" ? "127.0.0.1" : host, port })
  } catch (error) {
    throw explainListen(error, { host, port, flag: "--port" })
  }
  return urlOf(http.server)
}

/** As `listenApp`, for the separate metrics. */
export function listenMetrics(server: Server, { host, port }: ListenAt): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(explainListen(error, { host, port, flag: "--metrics-port" })))
    server.listen({ host, port }, () => resolve(urlOf(server)))
  })
}

/** Requests under way may finish; what takes longer is cut. */
export async function closeInTime(
  { server, close }: { readonly server: Server; readonly close: () => Promise<void> },
  { afterMs, onCut }: { readonly afterMs: number; readonly onCut: () => void },
): Promise<void> {
  const timer = setTimeout(() => {
    onCut()
    server.closeAllConnections()
  }, afterMs)
  await close()
  clearTimeout(timer)
}

const faults: Readonly<Record<string, string>> = {
  EADDRINUSE: "something else listens there",
  EACCES: "that is not allowed",
  EADDRNOTAVAIL: "this machine has no such address",
}

function explainListen(cause: unknown, at: ListenAt & { readonly flag: string }): unknown {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : ""
  const reason = faults[code]
  if (reason === undefined) return cause
  return new KezError("net.refused", `Cannot listen at ${at.host} port ${at.port}: ${reason}`, {
    cause,
    hint: `Choose another port with ${at.flag}.`,
  })
}

function urlOf(server: Server): string {
  // Of a server that listens on TCP this is never a text.
  const { address, port, family } = server.address() as AddressInfo
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`
}
