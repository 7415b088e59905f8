/** What `claim publish` and `claim unpublish` read and say alike. */
import type { PlaceOutcome, Publication, PublishForm, ServerReport } from "@kez/channels"
import { KezError } from "@kez/core"
import { printable } from "../output.ts"

/** What is put into a place: one of the forms of a proof, or for a zone its lines. */
export type ProofPlace = PublishForm | "dns"

const maxWaitSeconds = 86_400

/** Seconds to go on looking. Throws `usage`. */
export function readWait(typed: string | undefined, fallback: number): number {
  if (typed === undefined) return fallback
  const seconds = Number(typed)
  if (/^[0-9]{1,5}$/.test(typed) && seconds <= maxWaitSeconds) return seconds
  throw new KezError("usage", `Cannot use --wait: expected 0 to ${maxWaitSeconds} seconds`)
}

/** One line a place: of several relays each says its own. */
export function outcomeLines(outcomes: readonly PlaceOutcome[]): readonly string[] {
  return outcomes.map(({ url, accepted, note }) => {
    // Of one place its URL says enough; of several each is told what it did.
    const word = note ?? (outcomes.length > 1 ? (accepted ? "accepted" : "refused") : undefined)
    const said = word === undefined ? "" : `  ${printable(word, 300)}`
    return `${accepted ? "✓" : "✕"} ${printable(url, 300)}${said}`
  })
}

/** What the place said at the last look, in one sentence or a few; "" for nothing. */
export function lastNotes({ evidence }: Publication): string {
  return [...new Set(evidence.flatMap(({ note }) => note ?? []))].slice(-3).join("; ")
}

export function unpublishable(subject: string): KezError {
  const hint = subject.startsWith("kez:")
    ? "Its chat server publishes it when the handle is registered."
    : `Make the text, and publish it yourself: kez claim create ${subject}`
  return new KezError("channel.unsupported", `Cannot publish ${subject}: nothing here can write to its place`, { hint })
}

/** Servers that do not show a zone's new records yet, and for how long that may last. */
export async function warnCaches(servers: readonly ServerReport[]): Promise<readonly string[]> {
  if (servers.every(({ view }) => view.state === "shown")) return []
  const { describeReports } = await import("@kez/channels")
  return describeReports(servers).filter((_, at) => servers[at]?.view.state !== "shown")
}

export function reportJson({ server, role, view }: ServerReport) {
  return {
    server,
    role,
    state: view.state,
    wait_seconds: "cachedSeconds" in view ? (view.cachedSeconds ?? null) : null,
  }
}
