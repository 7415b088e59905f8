/** What `claim publish` and `claim unpublish` read and say alike. */
import type { PlaceOutcome, ServerReport } from "@kez/channels"
import { KezError } from "@kez/core"
import { printable } from "../output.ts"

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
    const said = note === undefined ? "" : `  ${printable(note, 300)}`
    return `${accepted ? "✓" : "✕"} ${printable(url, 300)}${said}`
  })
}

export function unpublishable(subject: string): KezError {
  const hint = subject.startsWith("kez:")
    ? "Its chat server publishes it when the handle is registered."
    : `Make the text, and publish it yourself: kez claim create ${subject}`
  return new KezError("channel.unsupported", `Cannot publish ${subject}: nothing here can write to its place`, { hint })
}

export function reportJson({ server, role, view }: ServerReport) {
  return {
    server,
    role,
    state: view.state,
    wait_seconds: "cachedSeconds" in view ? (view.cachedSeconds ?? null) : null,
  }
}

/** Unlocking may ask for a passphrase: at most once, and only where something is signed. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}
