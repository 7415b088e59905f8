/** The nearest thing found when a DNS proof is missing: the slips that domain owners report most. SPEC §7.1. */
import type { Net } from "./channel.ts"
import { withDeadline } from "./deadline.ts"
import { maxNameBytes, nearMissMs } from "./limits.ts"

export interface DnsMiss {
  readonly domain: string
  /** The name that was asked. */
  readonly name: string
  /** What stood there; none of it a proof. */
  readonly records: readonly string[]
  readonly server: string
}

const maxSegmentBytes = 255
const maxZonesTried = 3

/** Sentences for the owner, the plain finding last. Looks at other names for a short time; failures there are silent. */
export async function findNearMisses(miss: DnsMiss, net: Net, signal: AbortSignal): Promise<readonly string[]> {
  const misplaced = await findMisplaced(miss, net, signal)
  return [...notesOnUnread(miss.records), ...misplaced, describeMiss(miss)]
}

/** What looks wrong about proofs that were found. */
export function notesOnFound(proofs: readonly string[]): readonly string[] {
  const cut = proofs.some((text) => text.length === maxSegmentBytes)
  return cut ? [`a record ends after exactly ${maxSegmentBytes} bytes: it may have been cut there`] : []
}

function notesOnUnread(records: readonly string[]): readonly string[] {
  const notes = new Set<string>()
  for (const text of records) {
    if (/^\s*(\\?["'“”]\s*)+kez:/i.test(decodeText(text))) notes.add("quotes are pasted inside the value")
    else if (/^\s+kez:/i.test(text)) notes.add("a space stands before the value")
  }
  return [...notes]
}

async function findMisplaced(miss: DnsMiss, net: Net, signal: AbortSignal): Promise<readonly string[]> {
  const { domain, name } = miss
  // A panel appends its zone, which is the domain or one above it.
  const labels = domain.split(".")
  const zones = labels.map((_, i) => labels.slice(i).join(".")).filter((zone) => zone.includes("."))
  const names = [...zones.slice(0, maxZonesTried).map((zone) => `${name}.${zone}`), domain].filter(
    (other) => other.length <= maxNameBytes,
  )
  const looks = names.map(async (other) => {
    const deadline = { parent: signal, timeoutMs: nearMissMs, task: `look at ${other}` }
    const { records } = await withDeadline(deadline, (inner) => net.resolveTxt(other, inner))
    const found = records.some((text) => /^["\s]*kez:/.test(text))
    return found ? [`record is at ${other}`] : []
  })
  const outcomes = await Promise.allSettled(looks)
  return outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? outcome.value : []))
}

function describeMiss({ name, records, server }: DnsMiss): string {
  if (records.length === 0) return `no TXT record at ${name}, says ${server}`
  const count = records.length === 1 ? "1 TXT record" : `${records.length} TXT records`
  return `${count} at ${name}, none begins with kez:`
}

/** Record bytes are held one a character; typographic quotes need their UTF-8 read. */
function decodeText(text: string): string {
  return Buffer.from(text, "latin1").toString("utf8")
}
