/** The DNS form: a TXT record at `_kez.<domain>`, written as a line of a zone file. SPEC §4.5. */
import type { Claim } from "../envelope/envelope.ts"
import { KezError } from "../error.ts"
import { parseIdentity } from "../identity.ts"

/** A character-string of a TXT record holds at most 255 bytes. (RFC 1035 §3.3) */
const maxStringBytes = 255
const ttlSeconds = 3_600

/** One zone-file line for a claim with a `dns:` subject, holding `text` (compact or reference, or `Chain: …`). [DNS-2] */
export function encodeZoneLine(claim: Claim, text: string): string {
  const { system, value } = parseIdentity(claim.payload.subject)
  if (system !== "dns") {
    throw new KezError("encoding.unsupported", `Cannot write a DNS record: expected a dns: subject, got ${system}:`)
  }
  const strings: string[] = []
  for (let at = 0; at < text.length; at += maxStringBytes) strings.push(`"${text.slice(at, at + maxStringBytes)}"`)
  return `_kez.${value}. ${ttlSeconds} IN TXT ${strings.join(" ")}`
}

const zoneStart = /^_kez\.[!-~]+[ \t]+(?:[0-9]{1,10}[ \t]+)?(?:IN[ \t]+)?TXT[ \t]+(?=")/

/** The text of a TXT record as a zone-file line has it; a line of another form throws `encoding.unsupported`. [DNS-3] */
export function decodeZoneLine(line: string): string {
  const text = tryDecodeZoneLine(line)
  if (text !== undefined) return text
  throw new KezError("encoding.unsupported", 'Cannot read the DNS record: expected _kez.<domain>. 3600 IN TXT "…"')
}

export function tryDecodeZoneLine(line: string): string | undefined {
  const before = zoneStart.exec(line)?.[0]
  if (before === undefined) return undefined
  // Outside the quotes at even places, inside at odd ones; the last is outside.
  const parts = line.slice(before.length).split('"')
  if (parts.length < 3 || parts.length % 2 === 0) return undefined
  const fits = parts.every((part, i) => (i % 2 === 0 ? isBlank(part) : !part.includes("\\")))
  return fits ? parts.filter((_, i) => i % 2 === 1).join("") : undefined
}

function isBlank(text: string): boolean {
  return /^[ \t]*$/.test(text)
}
