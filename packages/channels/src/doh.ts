/** DNS over HTTPS in wire format. RFC 8484. */
import type { URL } from "node:url"
import { type Answer, decode, encode, type Packet, RECURSION_DESIRED, TRUNCATED_RESPONSE } from "dns-packet"
import { type AskServer, type DnsQuestion, type DnsReply, dnsFailure } from "./dns-query.ts"
import { exchange } from "./exchange.ts"
import { fetchLimits, maxCnameHops, maxDnsMessageBytes } from "./limits.ts"

const mediaType = "application/dns-message"

/**
 * Creates a question to a DoH server. The URL is the user's own choice, so it may be private or have another port;
 * its host is resolved by the system.
 */
export function askDohServer(url: URL, ca: string | undefined): AskServer {
  const server = url.href
  return async (question, signal) => {
    // Id 0 so that caches can work; TLS tells answers apart. RFC 8484 §4.1.
    const query: Packet = { type: "query", id: 0, flags: RECURSION_DESIRED, questions: [{ ...question }] }
    const answer = await exchange(
      {
        url,
        method: "POST",
        headers: { accept: mediaType, "content-type": mediaType },
        body: new Uint8Array(encode(query)),
        ca,
        limits: { ...fetchLimits, maxWireBytes: maxDnsMessageBytes, maxBodyBytes: maxDnsMessageBytes },
      },
      signal,
    )
    const contentType = answer.headers["content-type"]?.split(";")[0]?.trim().toLowerCase()
    if (answer.status !== 200 || contentType !== mediaType) {
      throw dnsFailure("net.dns", question, { server, got: `HTTP ${answer.status} ${contentType ?? ""}`.trim() })
    }
    return readMessage(answer.body, question, server)
  }
}

/** Reads a reply. Throws `net.dns` for every reply that is not an answer to the question. */
export function readMessage(message: Uint8Array, question: DnsQuestion, server: string): DnsReply {
  const fail = (got: string, cause?: unknown) => dnsFailure("net.dns", question, { server, got, cause })
  let packet: Packet & { readonly rcode?: string }
  try {
    packet = decode(Buffer.from(message))
  } catch (cause) {
    throw fail("a broken message", cause)
  }
  const [asked] = packet.questions ?? []
  const same = asked?.type === question.type && sameName(asked.name, question.name)
  if (packet.type !== "response" || !same) throw fail("an answer to another question")
  if (((packet.flags ?? 0) & TRUNCATED_RESPONSE) !== 0) throw fail("a truncated message")
  if (packet.rcode === "NXDOMAIN") return { status: "no_name", values: [] }
  if (packet.rcode !== "NOERROR") throw fail(String(packet.rcode))
  const owner = followCnames(packet.answers ?? [], question.name)
  if (owner === undefined) throw fail("a CNAME loop")
  const values = (packet.answers ?? []).flatMap((record) => readValue(record, question, owner))
  return { status: values.length === 0 ? "no_data" : "found", values }
}

/** The name at the end of the CNAME chain; undefined when it has none. */
function followCnames(answers: readonly Answer[], start: string): string | undefined {
  let name = start
  for (let hop = 0; hop <= maxCnameHops; hop += 1) {
    const alias = answers.find((record) => record.type === "CNAME" && sameName(record.name, name))
    if (alias?.type !== "CNAME") return name
    name = alias.data
  }
  return undefined
}

/** Records of other names in the answer are left out: they answer nothing that was asked. */
function readValue(record: Answer, question: DnsQuestion, owner: string): readonly string[] {
  if (record.type !== question.type || !sameName(record.name, owner)) return []
  if (record.type === "A" || record.type === "AAAA") return [record.data]
  if (record.type !== "TXT") return []
  const segments = Array.isArray(record.data) ? record.data : [record.data]
  return [segments.map((segment) => Buffer.from(segment).toString("latin1")).join("")]
}

function sameName(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase()
}
