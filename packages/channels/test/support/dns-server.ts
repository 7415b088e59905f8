/**
 * A DNS server on loopback for tests: UDP and TCP on one port, each question answered by a function.
 * It can refuse, truncate, stay silent and send raw bytes, as real servers do on bad days.
 */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram"
import { createServer, type Server, type Socket as TcpSocket } from "node:net"
import { setTimeout as wait } from "node:timers/promises"
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
  /** The most questions that waited for their answers at once. */
  readonly mostAtOnce: number
  forgetQuestions(): void
  close(): Promise<void>
}

const rcodes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 }
const RECURSION_AVAILABLE = 0x80

export interface DnsServerOptions {
  /** False leaves the TCP port closed. */
  readonly tcp?: boolean
  /** Waited before each answer over UDP. */
  readonly latencyMs?: number
}

export async function startDnsServer(handler: DnsHandler, options: DnsServerOptions = {}): Promise<DnsServer> {
  const questions: string[] = []
  const waiting = { now: 0, most: 0 }
  const tcp = createServer((socket) => answerStream(socket, handler, questions))
  let udp = await bindUdp(0)
  // A port that is free for UDP may be taken for TCP, by another test or a connection that is just ending.
  while (options.tcp !== false && !(await tryListen(tcp, udp.address().port))) {
    await closeUdp(udp)
    udp = await bindUdp(0)
  }
  udp.on("message", async (query: Buffer, from: RemoteInfo) => {
    const reply = answerQuery(query, "udp", handler, questions)
    waiting.now += 1
    waiting.most = Math.max(waiting.most, waiting.now)
    if (options.latencyMs !== undefined) await wait(options.latencyMs)
    waiting.now -= 1
    if (reply) udp.send(reply, from.port, from.address)
  })
  return {
    address: `127.0.0.1:${udp.address().port}`,
    questions,
    get mostAtOnce() {
      return waiting.most
    },
    forgetQuestions() {
      questions.length = 0
    },
    async close() {
      await closeUdp(udp)
      if (tcp.listening) await new Promise<void>((resolve) => tcp.close(() => resolve()))
    },
  }
}

function answerStream(socket: TcpSocket, handler: DnsHandler, questions: string[]): void {
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
}

async function bindUdp(port: number): Promise<UdpSocket> {
  const udp = createSocket("udp4")
  await new Promise<void>((resolve) => udp.bind(port, "127.0.0.1", resolve))
  return udp
}

function closeUdp(udp: UdpSocket): Promise<void> {
  return new Promise((resolve) => udp.close(() => resolve()))
}

/** False: the port is taken. */
function tryListen(tcp: Server, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException) => (error.code === "EADDRINUSE" ? resolve(false) : reject(error))
    tcp.once("error", refuse)
    tcp.listen(port, "127.0.0.1", () => {
      tcp.off("error", refuse)
      resolve(true)
    })
  })
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
