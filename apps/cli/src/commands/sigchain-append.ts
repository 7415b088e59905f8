/** What the commands that extend a chain have in common: who signs, and what is printed afterwards. */
import type { ChainReplay } from "@kez/core"
import { eventJson } from "../chain-json.ts"
import { eventSubject } from "../chain-text.ts"
import type { Context } from "../context.ts"
import { currentIdentity, signerFor, wholeSignerFor } from "../keys/signers.ts"
import { type Extended, extendChain, type Plan } from "../own-chain.ts"
import type { Outcome } from "../run.ts"
import { shortDigest } from "../short-text.ts"
import type { Store } from "../store/database.ts"

export interface Appending {
  plan(chain: ChainReplay | undefined, store: Store): Plan
  /** Lines that the owner should read. */
  readonly notes?: readonly string[]
  readonly warnings?: readonly string[]
  readonly next?: string
  /** Members of `data` beside those of every command. */
  readonly facts?: Readonly<Record<string, unknown>>
}

/** Appends as the identity in use; `isLasting` where the events give another key a say, or give it back. */
export async function appendAsSelf(
  context: Context,
  appending: Appending & { readonly isLasting?: boolean },
): Promise<Outcome> {
  const { key } = await currentIdentity(context)
  const signer = await (appending.isLasting === true ? wholeSignerFor(context) : signerFor(context))
  return appendOutcome(await extendChain(context, { key, signer, plan: appending.plan }), appending)
}

/** Two chains of one key contradict each other for ever, and nobody but the owner knows of the first. */
const begun =
  "this began a new chain; if this identity has one on another computer, publish nothing of this one and import that"

export function appendOutcome(
  { events, replay, head, plan }: Extended,
  { notes = [], warnings = [], next, facts = {} }: Omit<Appending, "plan">,
): Outcome {
  const lines = events.map(
    (event) => `✓ ${event.payload.op}  ${eventSubject(event)}  is event ${event.payload.seq} of your chain`,
  )
  const where = `  chain ${replay.chain}, head ${shortDigest(replay.head.digest)}`
  const fork = replay.status === "fork" ? ["the chain still has an undecided fork: kez sigchain settle"] : []
  return {
    schema: "kez.append/1",
    data: {
      chain: replay.chain,
      status: replay.status,
      contested: replay.contested,
      primary: replay.state.primary,
      events: events.map(eventJson),
      head: { ...replay.head, expires_at: head?.payload.expires_at ?? null },
      ...facts,
    },
    text: (events.length === 0
      ? [`✓ ${plan.already ?? "nothing to append"}`, where]
      : [...lines, where, ...notes]
    ).join("\n"),
    warnings: [...fork, ...(events[0]?.payload.seq === 0 ? [begun] : []), ...warnings, ...(plan.warnings ?? [])],
    next: next ?? "publish the chain: kez sigchain publish",
  }
}
