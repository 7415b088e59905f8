/** DNS messages in wire format: what a reply says about the question asked. RFC 1035 §4; RFC 2308 for how long "nothing" holds. */
import { type Answer, AUTHORITATIVE_ANSWER, decode, type Packet, TRUNCATED_RESPONSE } from "dns-packet"
import { type DnsQuestion, type DnsReply, dnsFailure } from "./dns-query.ts"
import { maxCnameHops, maxTtlSeconds } from "./limits.ts"

/** A reply with what caches go by. */
export interface DetailedReply extends DnsReply {
  /** Whether the server answers from the zone itself. */
  readonly isAuthoritative: boolean
  /** How long the reply may be repeated, the "nothing" too; undefined where nothing says so. */
  readonly ttlSeconds: number | undefined
}

/** Reads a reply. Throws `net.dns` for every reply that is not an answer to the question. */
export function readMessage(message: Uint8Array, question: DnsQuestion, server: string): DetailedReply {
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
  const flags = packet.flags ?? 0
  if ((flags & TRUNCATED_RESPONSE) !== 0) throw fail("a truncated message")
  const isAuthoritative = (flags & AUTHORITATIVE_ANSWER) !== 0
  const ttlSeconds = ttlOfNothing(packet.authorities ?? [])
  if (packet.rcode === "NXDOMAIN") return { status: "no_name", values: [], isAuthoritative, ttlSeconds }
  if (packet.rcode !== "NOERROR") throw fail(String(packet.rcode))
  const owner = question.type === "CNAME" ? question.name : followCnames(packet.answers ?? [], question.name)
  if (owner === undefined) throw fail("a CNAME loop")
  const records = (packet.answers ?? []).filter((record) => isWanted(record, question, owner))
  const values = records.flatMap(readValue)
  if (values.length === 0) return { status: "no_data", values, isAuthoritative, ttlSeconds }
  return { status: "found", values, isAuthoritative, ttlSeconds: Math.min(...records.map(ttlOf)) }
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
function isWanted(record: Answer, question: DnsQuestion, owner: string): boolean {
  return record.type === question.type && sameName(record.name, owner)
}

function readValue(record: Answer): readonly string[] {
  if (record.type === "A" || record.type === "AAAA") return [record.data]
  if (record.type === "NS" || record.type === "CNAME") return [record.data]
  if (record.type !== "TXT") return []
  const segments = Array.isArray(record.data) ? record.data : [record.data]
  return [segments.map((segment) => Buffer.from(segment).toString("latin1")).join("")]
}

/** The smaller of the SOA record's own TTL, which caches count down, and its last number. RFC 2308 §5. */
function ttlOfNothing(authorities: readonly Answer[]): number | undefined {
  const soa = authorities.find((record) => record.type === "SOA")
  return soa?.type === "SOA" ? Math.min(ttlOf(soa), soa.data.minimum ?? 0) : undefined
}

/** No cache keeps a record for longer than a week, whatever the record says. RFC 8767 §4. */
function ttlOf(record: Answer): number {
  return "ttl" in record ? Math.min(record.ttl ?? 0, maxTtlSeconds) : 0
}

function sameName(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase()
}
