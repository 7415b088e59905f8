/** The `dns:` channel: proofs in TXT records at `_kez.<domain>`. SPEC §7.1. */
import { createHash } from "node:crypto"
import { limits } from "@kez/core"
import type { Canary, Channel, Evidence, LookOptions, Net, Publication } from "./channel.ts"
import { findNearMisses, notesOnFound } from "./dns-near-miss.ts"
import { maxNameBytes } from "./limits.ts"
import { healthOfError, publicationOfError } from "./publication.ts"

const label = "_kez"
/** In any case: a proof in capitals is a broken proof, not an absent one. SPEC DNS-1. */
const proofPrefix = /^kez:/i
/** Printable ASCII without spaces. SPEC FIND-4. */
const hint = /^Chain: (https:\/\/[!-~]+)$/

/** The domain itself: its name servers answer for it, whichever resolver was chosen, or nobody's missing record means anything. */
const canary: Canary = {
  nameFor: (domain) => domain,
  async check(domain, net, signal) {
    const place = { url: `dns:${domain}?type=TXT`, fetchedAt: net.now() }
    try {
      const { server } = await net.resolveTxt(domain, signal)
      return { ok: true, evidence: { ...place, note: `${server} answers for ${domain}` } }
    } catch (error) {
      return healthOfError(error, place)
    }
  },
}

export const dns: Channel = { system: "dns", collect, canary }

async function collect(domain: string, net: Net, { signal }: LookOptions): Promise<Publication> {
  const name = `${label}.${domain}`
  const place = { url: `dns:${name}?type=TXT`, fetchedAt: net.now() }
  if (name.length > maxNameBytes) return absent(place, [`${name} is longer than a DNS name can be`])
  let records: readonly string[]
  let server: string
  try {
    const answer = await net.resolveTxt(name, signal)
    // DNS gives records in any order; sorted, the same records are the same evidence.
    records = answer.records.toSorted()
    server = answer.server
  } catch (error) {
    return publicationOfError(error, place)
  }
  if (records.length > limits.maxTxtRecords) {
    const note = `${records.length} TXT records at ${name}, more than the ${limits.maxTxtRecords} that are looked at`
    return { status: "invalid", code: "limit.candidates", evidence: [{ ...place, code: "limit.candidates", note }] }
  }
  const seen = records.length === 0 ? place : { ...place, sha256: digestRecords(records) }
  const proofs = records.filter((text) => proofPrefix.test(text))
  if (proofs.length === 0) return absent(seen, await findNearMisses({ domain, name, records, server }, net, signal))
  return {
    status: "found",
    candidates: proofs.map((text) => ({ text, foundAt: name })),
    chainHints: readChainHints(records),
    evidence: [withNotes(seen, notesOnFound(proofs))],
  }
}

function readChainHints(records: readonly string[]): readonly string[] {
  const urls = records
    .flatMap((text) => hint.exec(text)?.[1] ?? [])
    .filter((url) => url.length <= limits.maxHintBytes)
    .slice(0, limits.maxChainHints)
  return [...new Set(urls)]
}

function absent(place: Evidence, notes: readonly string[]): Publication {
  return { status: "absent", code: "proof.not_found", evidence: [withNotes(place, notes)] }
}

function withNotes(evidence: Evidence, notes: readonly string[]): Evidence {
  return notes.length === 0 ? evidence : { ...evidence, note: notes.join("; ") }
}

/** SHA-256 over the bytes of records that are sorted already, each ended by a line feed. */
export function digestRecords(records: readonly string[]): string {
  const hash = createHash("sha256")
  for (const text of records) hash.update(text, "latin1").update("\n")
  return hash.digest("hex")
}
