/** The chain of an identity on this computer: finding it, and extending it so that nothing reported as done is ever lost. */
import {
  appendEvent,
  branchOf,
  type ChainHead,
  type ChainReplay,
  type Digest,
  envelopeDigest,
  isCurrentKey,
  KezError,
  type Operation,
  replayChain,
  type SigchainEvent,
  type Signer,
  signHead,
} from "@kez/core"
import { explainRefusal } from "./chain-refusal.ts"
import type { Context } from "./context.ts"
import { withStore } from "./store/access.ts"
import { chainsOfKey, loadChain, loadEvents, markOwn, storeBranch } from "./store/chains.ts"
import { inTransaction, type Store } from "./store/database.ts"
import { saveHead } from "./store/heads.ts"
import { loadMark, saveMark } from "./store/marks.ts"

/** What was signed and stored. */
export interface Extended {
  readonly events: readonly SigchainEvent[]
  /** The chain with all its branches. */
  readonly replay: ChainReplay
  /** Undefined when the signer may not speak for the chain any more, or the chain is still a fork. */
  readonly head: ChainHead | undefined
  readonly plan: Plan
}

export interface Extension {
  /** Whose chain it is. */
  readonly key: string
  readonly signer: Signer
  /** Who signs the head afterwards: the new primary, after a rotation. */
  readonly headSigner?: Signer
  /** What to append, seen from the chain as it is now; undefined begins a chain. */
  plan(chain: ChainReplay | undefined, store: Store): Plan
}

export interface Plan {
  readonly operations: readonly Operation[]
  /** An event of the branch to extend; the winning one unless given. */
  readonly branch?: Digest
  /** The chain up to an earlier event, to append after that: the events behind it are left on a branch. */
  readonly onto?: ChainReplay | undefined
  readonly warnings?: readonly string[]
  /** What is said where there is nothing to append. */
  readonly already?: string
}

/**
 * Signs and stores new events as one step. The chain is read inside the transaction, and another writer waits: two commands at
 * once append one after the other, and never fork the chain. Throws the code by which every reader would refuse the event.
 */
export async function extendChain(context: Context, { key, signer, headSigner, plan }: Extension): Promise<Extended> {
  return withStore(context, (store) =>
    inTransaction(store, async () => {
      const now = context.now()
      const before = chainOfKey(store, key)
      if (before !== undefined) assertWhole(store, before)
      const planned = plan(before, store)
      const { operations, branch, onto } = planned
      let chain = onto ?? (before === undefined || branch === undefined ? before : branchOf(before, branch))
      const events: SigchainEvent[] = []
      for (const operation of operations) {
        const appended = await appendEvent({ chain, operation, now }, signer).catch((error: unknown) => {
          throw explainRefusal(context, error, { chain, signer: signer.key })
        })
        chain = appended.replay
        events.push(appended.event)
      }
      if (chain === undefined) throw new KezError("usage", "Cannot extend the chain: there is nothing to append")
      assertStored(storeBranch(store, chain.path, now).refused)
      markOwn(store, events)
      const replay = replayChain(loadEvents(store, chain.chain), { chain: chain.chain })
      const { state, head } = replay
      const mark = { chain: replay.chain, ...head, primaries: state.primaries }
      saveMark(store, mark, loadMark(store, replay.chain))
      const by = { signer: headSigner ?? signer, now }
      return { events, replay, head: await refreshHead(store, replay, by), plan: planned }
    }),
  )
}

/** To sign on a chain whose newest events were lost here would fork it, and the owner would be the one who did. */
function assertWhole(store: Store, chain: ChainReplay): void {
  const mark = loadMark(store, chain.chain)
  if (mark === undefined || chain.knows(mark.digest)) return
  throw new KezError(
    "chain.rollback",
    `Cannot extend the chain: event ${mark.seq} of it was here before, and is lost`,
    {
      hint: "Bring the newest copy here first: kez sigchain import FILE.",
    },
  )
}

/** Signs where the chain ends, for seven days or as given, so that its owner's own verdicts are not stale. */
export async function refreshHead(
  store: Store,
  replay: ChainReplay,
  by: { readonly signer: Signer; readonly now: number; readonly lifetimeSeconds?: number },
): Promise<ChainHead | undefined> {
  if (replay.status === "fork" || !isCurrentKey(replay, by.signer.key)) return undefined
  const head = await signHead(replay, by, by.signer)
  saveHead(store, head, by.now)
  return head
}

/**
 * The one chain that a key speaks for: as its primary, else as a device. Undefined when there is none.
 * Throws `chain.fork` when there are several: one of them has to be chosen by hand.
 */
export function chainOfKey(store: Store, key: string): ChainReplay | undefined {
  for (const role of ["primary", "device"] as const) {
    const chains = chainsOfKey(store, key, role)
    const [chain, ...others] = chains
    if (others.length > 0) {
      throw new KezError("chain.fork", `Cannot choose a chain: ${key} is in ${chains.length} of them`, {
        hint: "kez sigchain show ID shows one; two chains with one primary are proof that somebody else holds the key.",
      })
    }
    if (chain !== undefined) return loadChain(store, chain)
  }
  return undefined
}

/** The same, where a chain is needed. Throws `chain.unknown`. */
export function existingChainOfKey(store: Store, key: string): ChainReplay {
  const replay = chainOfKey(store, key)
  if (replay !== undefined) return replay
  throw noChain(key)
}

export function noChain(key: string): KezError {
  return new KezError("chain.unknown", `Cannot find a chain of ${key} on this computer`, {
    hint: "kez sigchain add SUBJECT begins one; kez sigchain import FILE brings one here.",
  })
}

/** Events of a chain that are not on its winning path. */
export function losingEvents(store: Store, replay: ChainReplay): readonly SigchainEvent[] {
  const winning = new Set(replay.digests)
  return loadEvents(store, replay.chain).filter((event) => !winning.has(envelopeDigest(event)))
}

function assertStored(refused: ReturnType<typeof storeBranch>["refused"]): void {
  const [first] = refused
  if (first !== undefined) throw new KezError(first.code, "Cannot store the event: the chain has no room for it")
}
