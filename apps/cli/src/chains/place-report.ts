/** What is told of each place that a chain was published to: one line, and one entry of `kez.chain_publish/1`. */
import type { PlaceOutcome } from "@kez/channels"
import type { ChainHead } from "@kez/core"
import { printable } from "../output.ts"
import { count, durationText } from "../short-text.ts"
import type { StoreOutcome } from "./push-chain.ts"

export interface ChainPlaceReport {
  readonly to: "sig" | "web" | "nostr"
  readonly place: string
  readonly state: StoreOutcome["state"]
  /** Events that the place did not have before. */
  readonly sent: number
  /** Events that it still lacks. */
  readonly missing: number
  /** Until when its signed head holds; null without one. */
  readonly head_until: string | null
  readonly code: string | null
  readonly note: string | null
  readonly retry_after_seconds: number | null
  /** The line for people. */
  readonly text: string
}

export function storeReport(outcome: StoreOutcome, head: ChainHead | undefined): ChainPlaceReport {
  const { store, state, sent, missing, code, note, retryAfterSeconds } = outcome
  const until = outcome.head ? (head?.payload.expires_at ?? null) : null
  return {
    to: "sig",
    place: store,
    state,
    sent,
    missing,
    head_until: until,
    code: code ?? null,
    note: note ?? null,
    retry_after_seconds: retryAfterSeconds ?? null,
    text: storeLine(outcome, until),
  }
}

function storeLine(
  { store, state, sent, missing, untold, code, note, retryAfterSeconds }: StoreOutcome,
  until: string | null,
) {
  const mark = state === "whole" ? "✓" : state === "part" ? "◌" : "✕"
  const wait = retryAfterSeconds === undefined ? "" : `, again in ${durationText(retryAfterSeconds)}`
  const said = [
    sent > 0 ? `took ${count(sent, "event")}` : state === "whole" ? "has it all" : "took nothing",
    ...(state === "part" ? [`${count(missing, "event")} still to come${wait}`] : []),
    ...(untold > 0 ? [`${count(untold, "event")} of losing branches not taken`] : []),
    ...(until === null ? [] : [`signed head until ${until}`]),
    ...(code === undefined ? [] : [`${note === undefined ? "" : `${printable(note, 200)} `}[${code}]`]),
  ]
  return `${mark} ${printable(store, 300)}  ${said.join("; ")}`
}

export function webReport(
  file: string,
  { isChanged, events }: { readonly isChanged: boolean; readonly events: number },
) {
  const text = `✓ ${printable(file, 300)}  ${isChanged ? `wrote ${count(events, "event")}` : "has it all"}`
  return { ...wholeOf("web", file), sent: isChanged ? events : 0, text } satisfies ChainPlaceReport
}

/** A relay has all events or none of them: the chain is one event there. `events`: how many the chain has. */
export function relayReport({ url, accepted, note, had }: PlaceOutcome, events: number): ChainPlaceReport {
  const said = note === undefined ? (accepted ? "accepted" : "refused") : printable(note, 300)
  return {
    ...wholeOf("nostr", url),
    state: accepted ? "whole" : "failed",
    sent: accepted && had !== true ? events : 0,
    missing: accepted ? 0 : events,
    code: accepted ? null : "publish.refused",
    note: note ?? null,
    text: `${accepted ? "✓" : "✕"} ${printable(url, 300)}  ${said}`,
  }
}

function wholeOf(to: ChainPlaceReport["to"], place: string) {
  const nothing = { head_until: null, code: null, note: null, retry_after_seconds: null } as const
  return { to, place, state: "whole", sent: 0, missing: 0, ...nothing } as const
}
