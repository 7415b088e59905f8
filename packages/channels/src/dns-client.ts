/**
 * One DNS question to one server that the caller chose, with what Node's resolver hides: TTLs, and whether the server
 * speaks for the zone. UDP, then TCP where an answer is cut. RFC 1035 §4.2, RFC 6891.
 */
import { randomInt } from "node:crypto"
import { createSocket } from "node:dgram"
import { connect, isIP, isIPv6 } from "node:net"
import { KezError } from "@kez/core"
import { encode, type OptAnswer, RECURSION_DESIRED } from "dns-packet"
import { withDeadline } from "./deadline.ts"
import { type DetailedReply, readMessage } from "./dns-message.ts"
import { type DnsQuestion, dnsFailure } from "./dns-query.ts"
import { maxUdpAnswerBytes, nameServerMs, udpAttemptMs } from "./limits.ts"

export interface NameServer {
  /** As it is shown: the address, with the name of the server or its port where it has one. */
  readonly name: string
  readonly address: string
  readonly port: number
}

export interface AskOptions {
  /** Whether the server shall ask others; a server of the zone itself shall not. */
  readonly isRecursive: boolean
  readonly signal: AbortSignal
}

/** Asks a name server. Throws like `AskServer`. */
export type AskNameServer = (question: DnsQuestion, server: NameServer, options: AskOptions) => Promise<DetailedReply>

const dnsPort = 53
const opt: OptAnswer = {
  type: "OPT",
  name: ".",
  udpPayloadSize: maxUdpAnswerBytes,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
}

/** Reads `1.2.3.4`, `1.2.3.4:53`, `2001:db8::1` or `[2001:db8::1]:53`. Throws `net.dns` for another text. */
export function parseNameServer(text: string): NameServer {
  if (isIP(text) !== 0) return { name: text, address: text, port: dnsPort }
  const [, host = "", port = ""] = /^(\[[^\]]*\]|[^:]*):([1-9]\d{0,4})$/.exec(text) ?? []
  const address = host.startsWith("[") ? host.slice(1, -1) : host
  const fits = isIP(address) !== 0 && isIPv6(address) === host.startsWith("[") && Number(port) < 65_536
  if (!fits) throw new KezError("net.dns", `Cannot ask ${text}: expected an IP address with an optional port`)
  return { name: text, address, port: Number(port) }
}

export const askNameServer: AskNameServer = async (question, server, { isRecursive, signal }) => {
  const task = `look up ${question.type} ${question.name} at ${server.name}`
  return withDeadline({ parent: signal, timeoutMs: nameServerMs, task }, async (inner) => {
    // The id and the port, which the system draws, are what a stranger would have to guess.
    const id = randomInt(0x1_0000)
    const flags = isRecursive ? RECURSION_DESIRED : 0
    const query = encode({ type: "query", id, flags, questions: [{ ...question }], additionals: [opt] })
    const ask: Ask = { query, question, server, signal: inner }
    const answer = await askUdp(ask)
    return readMessage(isCut(answer) ? await askTcp(ask) : answer, question, server.name)
  })
}

interface Ask {
  readonly query: Buffer
  readonly question: DnsQuestion
  readonly server: NameServer
  readonly signal: AbortSignal
}

function askUdp(ask: Ask): Promise<Buffer> {
  const { query, server, signal } = ask
  const socket = createSocket(isIPv6(server.address) ? "udp6" : "udp4")
  return new Promise<Buffer>((resolve, reject) => {
    const refuse = (cause: unknown) => reject(refusal(ask, cause))
    socket.on("error", refuse)
    // A connected socket takes datagrams from this server alone, and hears that nobody listens there.
    socket.on("message", (message) => isReplyTo(query, message) && resolve(message))
    socket.connect(server.port, server.address, () => {
      const send = () => socket.send(query, (cause) => cause && refuse(cause))
      const again = setInterval(send, udpAttemptMs)
      socket.on("close", () => clearInterval(again))
      send()
    })
    signal.addEventListener("abort", () => reject(signal.reason), { once: true })
  }).finally(() => socket.close())
}

function askTcp(ask: Ask): Promise<Buffer> {
  const { query, server, signal } = ask
  const socket = connect({ host: server.address, port: server.port })
  return new Promise<Buffer>((resolve, reject) => {
    let received = Buffer.alloc(0)
    socket.on("connect", () => socket.write(Buffer.concat([lengthPrefix(query), query])))
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      // Two bytes of length, so that no answer is longer than 65,535 bytes.
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return
      const message = received.subarray(2, 2 + received.readUInt16BE(0))
      if (isReplyTo(query, message)) resolve(message)
      else reject(refusal(ask, new Error("an answer to another question")))
    })
    socket.on("error", (cause) => reject(refusal(ask, cause)))
    socket.on("close", () => reject(refusal(ask, new Error("closed"))))
    signal.addEventListener("abort", () => reject(signal.reason), { once: true })
  }).finally(() => socket.destroy())
}

function isReplyTo(query: Buffer, message: Buffer): boolean {
  const isReply = message.length >= 12 && ((message[2] ?? 0) & 0x80) !== 0
  return isReply && message.readUInt16BE(0) === query.readUInt16BE(0)
}

function isCut(message: Buffer): boolean {
  return ((message[2] ?? 0) & 0x02) !== 0
}

function lengthPrefix(message: Buffer): Buffer {
  const prefix = Buffer.alloc(2)
  prefix.writeUInt16BE(message.length)
  return prefix
}

function refusal({ question, server }: Ask, cause: unknown): KezError {
  const got = cause instanceof Error && "code" in cause ? String(cause.code) : "a closed connection"
  return dnsFailure("net.refused", question, { server: server.name, got, cause })
}
