/** One DNS question to one server, and what can come back. RFC 1035; RFC 2308 for the two kinds of "nothing". */
import { KezError } from "@kez/core"

export type RecordType = "A" | "AAAA" | "CNAME" | "NS" | "TXT"

export interface DnsQuestion {
  readonly type: RecordType
  readonly name: string
}

/** `no_name`: NXDOMAIN. `no_data`: the name exists without such a record. Both are answers. */
export type DnsStatus = "found" | "no_data" | "no_name"

export interface DnsReply {
  readonly status: DnsStatus
  /** Addresses or names as text; a TXT record as its joined segments, one character a byte. */
  readonly values: readonly string[]
}

/**
 * Asks one server. Throws KezError `net.dns` (SERVFAIL, REFUSED, a broken message, a CNAME loop), `net.timeout`,
 * `net.refused` (no server there), or the signal's reason.
 */
export type AskServer = (question: DnsQuestion, signal: AbortSignal) => Promise<DnsReply>

/** `server` and `got` complete the message. */
export function dnsFailure(
  code: "net.dns" | "net.refused" | "net.timeout",
  question: DnsQuestion,
  details: { readonly server: string; readonly got: string; readonly cause?: unknown },
): KezError {
  const { server, got, cause } = details
  const message = `Cannot look up ${question.type} ${question.name}: expected an answer from ${server}, got ${got}`
  return new KezError(code, message, { cause })
}
