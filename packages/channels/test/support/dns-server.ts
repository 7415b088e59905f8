/**
 * A DNS server on loopback for tests: UDP and TCP on one port, each question answered by a function.
 * It can refuse, truncate, stay silent and send raw bytes, as real servers do on bad days.
 */
import { createSocket, type RemoteInfo } from "node:dgram"
import { createServer } from "node:net"
import { type Answer, decode, encode, type Question, TRUNCATED_RESPONSE } from "dns-packet"

export interface DnsReply {
  readonly rcode?: "NOERROR" | "SERVFAIL" | "REFUSED" | "NXDOMAIN" | "FORMERR" | "NOTIMP"
  readonly answers?: readonly Answer[]
  /** Sets the TC bit and leaves the answers out, on UDP only unless `truncatedTcp`. */
  readonly truncated?: boolean
  readonly truncatedTcp?: boolean
  /** Sends these bytes after the two bytes of the query's id. */
  readonly raw?: Uint8Array
}

/** `undefined` means: say nothing at all. */
export type DnsHandler = (question: Question, transport: "udp" | "tcp") => DnsReply | undefined

export interface DnsServer {
  /** `127.0.0.1:port`, as `createResolver` takes it. */
  readonly address: string
  /** Every question received, as `TYPE name transport`. */
  readonly questions: readonly string[]
  close(): Promise<void>
}

const rcodes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 }
const RECURSION_AVAILABLE = 0x80

/** Starts a server; `tcp: false` leaves the TCP port closed. */
export async function startDnsServer(handler: DnsHandler, options: { tcp?: boolean } = {}): Promise<DnsServer> {
  const questions: string[] = []
  const udp = createSocket("udp4")
  udp.on("message", (query: Buffer, from: RemoteInfo) => {
    const reply = answerQuery(query, "udp", handler, questions)
    if (reply) udp.send(reply, from.port, from.address)
  })
  await new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve))
  const { port } = udp.address()
  const tcp = createServer((socket) => {
    let received = Buffer.alloc(0)
    socket.on("error", () => socket.destroy())
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk])
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0)
        const reply = answerQuery(received.subarray(2, end), "tcp", handler, questions)
        received = received.subarray(end)
        if (reply) socket.write(Buffer.concat([lengthPrefix(reply), reply]))
      }
    })
  })
  if (options.tcp !== false) await new Promise<void>((resolve) => tcp.listen(port, "127.0.0.1", resolve))
  return {
    address: `127.0.0.1:${port}`,
    questions,
    async close() {
      await new Promise<void>((resolve) => udp.close(() => resolve()))
      if (tcp.listening) await new Promise<void>((resolve) => tcp.close(() => resolve()))
    },
  }
}

/** The TXT record of `segments` at `name`; each segment is at most 255 bytes. */
export function txt(name: string, ...segments: readonly (string | Buffer)[]): Answer {
  return { type: "TXT", name, ttl: 60, data: segments.map((segment) => Buffer.from(segment)) }
}

/** The answer to one query in wire format, for a test that carries it over something else. */
export function answerMessage(query: Buffer, handler: DnsHandler): Buffer | undefined {
  return answerQuery(query, "tcp", handler, [])
}

function answerQuery(query: Buffer, transport: "udp" | "tcp", handler: DnsHandler, log: string[]): Buffer | undefined {
  const { id, questions = [] } = decode(query)
  const [question] = questions
  if (question === undefined) return undefined
  log.push(`${question.type} ${question.name} ${transport}`)
  const reply = handler(question, transport)
  if (reply === undefined) return undefined
  if (reply.raw) return Buffer.concat([query.subarray(0, 2), reply.raw])
  const cut = transport === "udp" ? reply.truncated === true : reply.truncatedTcp === true
  return encode({
    type: "response",
    id: id ?? 0,
    flags: RECURSION_AVAILABLE | (cut ? TRUNCATED_RESPONSE : 0) | rcodes[reply.rcode ?? "NOERROR"],
    questions,
    answers: cut ? [] : [...(reply.answers ?? [])],
  })
}

function lengthPrefix(message: Buffer): Buffer {
  const prefix = Buffer.alloc(2)
  prefix.writeUInt16BE(message.length)
  return prefix
}
