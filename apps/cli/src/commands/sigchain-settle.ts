/** `kez sigchain settle`: what a fork consists of, and the owner's signature under one of its branches. SPEC §5.6, §5.7 */
import { branchOf, type ChainReplay, type Digest, envelopeDigest, KezError, type Split } from "@kez/core"
import { devicesJson, eventJson, splitsJson } from "../chain-json.ts"
import { assertTakes } from "../chain-refusal.ts"
import { chainStatus, devicesText, eventLine, splitsText } from "../chain-text.ts"
import { pickDigest, withChain } from "../find-chain.ts"
import { currentIdentity } from "../keys/signers.ts"
import { chainOfKey, losingEvents, type Plan } from "../own-chain.ts"
import { isRevocation, repeatAll } from "../revocations.ts"
import type { Handler, Outcome } from "../run.ts"
import { columns, shortDigest } from "../short-text.ts"
import { readStore } from "../store/access.ts"
import { ownEvents } from "../store/chains.ts"
import type { Store } from "../store/database.ts"
import { appendAsSelf } from "./sigchain-append.ts"

export interface SettleOptions {
  /** Any event of the branch to keep. */
  readonly keep?: string
  /** Sign anew, on the branch that is kept, the revocations that the settlement would lift. */
  readonly keepRevocations?: boolean
  /** Revocations of losing branches to lift. */
  readonly lift?: readonly string[]
}

export const run: Handler<SettleOptions> = async (context, { args: _, ...options }) => {
  const isListing = options.keep === undefined && (options.lift ?? []).length === 0
  if (isListing) return withChain(context, undefined, listing)
  const { key } = await currentIdentity(context)
  const planFor = (chain: ChainReplay | undefined, store: Store): Plan => {
    if (chain === undefined) throw new KezError("chain.unknown", "Cannot settle: there is no chain of this identity")
    return planOf(store, chain, options)
  }
  await readStore(context, undefined, (store) => {
    const chain = chainOfKey(store, key)
    const { branch, operations } = planFor(chain, store)
    if (chain === undefined) return
    const settled = branch === undefined ? chain : branchOf(chain, branch)
    for (const one of operations) if (one.op === "settle") assertTakes(context, settled, one, key)
  })
  return appendAsSelf(context, {
    // The branch that is kept may name other keys, and revocations that are lifted give them their say back.
    isLasting: true,
    plan: planFor,
  })
}

function listing(store: Store, chain: ChainReplay): Outcome {
  const inForce = chain.state.stickyRevocations
  const revocations = losingEvents(store, chain).filter((event) => inForce.has(envelopeDigest(event)))
  const rows = revocations.map(eventLine)
  return {
    schema: "kez.settle/1",
    data: {
      chain: chain.chain,
      status: chain.status,
      contested: chain.contested,
      splits: splitsJson(chain, ownEvents(store, chain.chain)),
      devices: devicesJson(chain),
      revocations: revocations.map(eventJson),
    },
    text: [
      chainStatus(chain),
      ...(chain.splits.length === 0 ? [] : [splitsText(chain, ownEvents(store, chain.chain))]),
      devicesText(chain),
      rows.length === 0
        ? "revocations on losing branches\n  none"
        : `revocations on losing branches: in force until you lift them\n${columns(rows, "  ")}`,
    ].join("\n"),
    ...(chain.status === "fork" ? { next: "kez sigchain settle --keep DIGEST" } : {}),
  }
}

function planOf(store: Store, chain: ChainReplay, { keep, keepRevocations, lift = [] }: SettleOptions): Plan {
  const losing = losingEvents(store, chain)
  const lifted = lift.map((typed) => pickDigest(typed, losing.filter(isRevocation).map(envelopeDigest)))
  if (keep === undefined) return { operations: [{ op: "settle", reject: lifted }] }
  const split = chain.splits.find(({ winner }) => winner === undefined)
  if (split === undefined) {
    throw new KezError("usage", "Cannot settle: the chain has no undecided fork", {
      hint: "kez sigchain settle shows it.",
    })
  }
  const branch = branchToKeep(chain, split, keep)
  const tied = tiedSuccessors(split).filter((digest) => digest !== branch)
  const reject = [...new Set([...lifted, ...tied])]
  if (keepRevocations !== true) return { branch, operations: [{ op: "settle", reject }] }
  // What stands behind these stays in force: a settlement lifts no more than it names. [FORK-6]
  const rejected = losing.filter((event) => {
    const digest = envelopeDigest(event)
    return tied.includes(digest) && !lifted.includes(digest)
  })
  const onto = branchOf(chain, branch)
  const { operations } = repeatAll(onto, rejected, onto.state.primary)
  return { branch, operations: [{ op: "settle", reject }, ...operations] }
}

/** Those of the highest rank: the others have lost already, and their revocations would be lifted for nothing. [FORK-3] */
function tiedSuccessors({ successors }: Split): readonly Digest[] {
  const highest = (["recovery", "primary", "device"] as const).find((rank) =>
    successors.some((successor) => successor.rank === rank),
  )
  return successors.filter(({ rank }) => rank === highest).map(({ digest }) => digest)
}

/** The first event of the branch that holds `typed`. */
function branchToKeep(chain: ChainReplay, { seq, successors }: Split, typed: string): Digest {
  const branches = successors.map(({ digest }) => ({ digest, all: branchOf(chain, digest).digests.slice(seq) }))
  const picked = pickDigest(
    typed,
    branches.flatMap(({ all }) => all),
  )
  const branch = branches.find(({ all }) => all.includes(picked))
  if (branch !== undefined) return branch.digest
  throw new KezError("usage", `Cannot keep ${shortDigest(picked)}: it is on no branch`)
}
