/** Verifying accounts, one or many: their places are looked at in parallel, each host by few requests at once. SPEC §6 */
import type { LookAtAccount, Net } from "@kez/channels"
import { type Code, limits, type Verdict } from "@kez/core"
import { type Account, lookOf, readKnown } from "./account-look.ts"
import type { Served } from "./chain-sources.ts"
import type { AskedPlaces } from "./chains/asking.ts"
import { type Answer, type Judged, judge } from "./consult.ts"
import type { Context } from "./context.ts"
import { inLanes } from "./lanes.ts"
import { lazy } from "./lazy.ts"
import { readStore, shareStore } from "./store/access.ts"
import { nextTurn } from "./turns.ts"

const loadChannels = lazy(() => import("@kez/channels"))
const loadTables = lazy(() => Promise.all([import("./store/chains.ts"), import("./store/marks.ts")]))

/** How a proof ends whose chain is needed and was not found. */
const chainReasons: ReadonlySet<Code> = new Set(["claim.not_in_chain", "chain.unreachable"])

/** Enough to keep the two places of a channel's busiest host taken while others of the lane wait for something else. */
const accountsPerChannel = 8
/** Events of accounts that are judged and not yet written: a long history stands in the memory once for each of them. */
const maxUnwrittenEvents = limits.maxKnownEvents

/** What the reader asks of every account. */
export interface Demands {
  /** Key identity that the reader expects. */
  readonly primary: string | undefined
  readonly requireChain: boolean
  readonly requireFresh: boolean
  /** Takes the account that the name belongs to now for the one to remember. */
  readonly acceptNewAccount: boolean
  /** Chain documents that the reader handed in. */
  readonly documents: readonly Served[]
  /** Base URLs of the stores to ask. */
  readonly stores: readonly string[]
  /** For one place. */
  readonly timeoutMs: number
  net(): Promise<Net>
}

/**
 * Verifies all accounts; `onAnswer` is told of each one as it comes, and may be told too early. The answers stand in the order
 * of the accounts. Whoever has several accounts has one chain, and the place of one may be where it is found: those that were
 * judged before are judged once more, or a revocation that this command has seen would not count for them.
 */
export async function verifyAccounts(
  context: Context,
  accounts: readonly Account[],
  demands: Demands & { onAnswer?(answer: Answer, account: Account): void },
): Promise<readonly Answer[]> {
  // Accounts of one identity have one chain, which is asked for once.
  const shared: AskedPlaces = new Map()
  const first = await verifyOnce(context, accounts, { ...demands, shared })
  const late = new Set(accounts.length < 2 ? [] : await judgedTooEarly(context, first))
  if (late.size === 0) return first
  const { onAnswer: _, ...quietly } = demands
  const waiting = accounts.filter((_, at) => late.has(at))
  const second = (await verifyOnce(context, waiting, { ...quietly, shared })).values()
  return first.map((answer, at) => {
    const again = late.has(at) ? second.next().value : undefined
    // "Before" is before this command.
    return again === undefined ? answer : { ...again, lastProven: answer.lastProven }
  })
}

/** Places of the answers whose chain this computer knows better now than when they were judged. */
async function judgedTooEarly(context: Context, answers: readonly Answer[]): Promise<readonly number[]> {
  if (answers.every(({ verdict }) => verdict.chain === undefined)) return []
  return readStore<readonly number[]>(context, [], async (store) => {
    const [{ chainsOfKey }, { loadMark }] = await loadTables()
    const isLate = ({ chain, claim, flags, reason }: Verdict): boolean => {
      if (chain !== undefined) return (loadMark(store, chain.id)?.seq ?? 0) > chain.head.seq
      const isMissed = flags.includes("no_chain") || (reason !== undefined && chainReasons.has(reason))
      // A reference names a chain and no key: any chain that the others brought may be the one.
      return isMissed && (claim === undefined || chainsOfKey(store, claim.primary, "primary").length > 0)
    }
    return answers.flatMap(({ verdict }, at) => (isLate(verdict) ? [at] : []))
  })
}

async function verifyOnce(
  context: Context,
  accounts: readonly Account[],
  demands: Demands & { readonly shared: AskedPlaces; onAnswer?(answer: Answer, account: Account): void },
): Promise<readonly Answer[]> {
  if (accounts.length === 0) return []
  const net = await demands.net()
  const { createLook } = await loadChannels()
  const look = createLook(net)
  const lanes = { laneOf: ({ system }: Account) => system, width: accountsPerChannel }
  return shareStore(context, async (hurry) => {
    let unwritten = 0
    // The next account is looked at while this one is written: the disk would hold up the places.
    const judged = await inLanes(accounts, lanes, async (account) => {
      const { remembered, events } = await judgeAccount(context, account, demands, look)
      unwritten += events
      const told = remembered.then(
        (answer) => demands.onAnswer?.(answer, account),
        () => {}, // thrown below
      )
      const written = told.finally(() => {
        unwritten -= events
      })
      if (unwritten > maxUnwrittenEvents) await written
      return { remembered }
    })
    hurry()
    return Promise.all(judged.map(({ remembered }) => remembered))
  })
}

async function judgeAccount(
  context: Context,
  { subject, system, value }: Account,
  demands: Demands & { readonly shared: AskedPlaces },
  look: LookAtAccount,
): Promise<Judged> {
  await nextTurn()
  const { findChannel } = await loadChannels()
  const channel = findChannel(system)
  if (channel === undefined) throw new Error(`no channel for ${system}: readAccount lets none through`)
  const { primary, acceptNewAccount, documents, stores, shared, requireChain, requireFresh, timeoutMs, net } = demands
  const known = await readKnown(context, subject)
  const seen = acceptNewAccount ? undefined : known.seen
  return judge(context, {
    subject,
    ...(primary === undefined ? {} : { primary }),
    ...(seen === undefined ? {} : { seen }),
    ...(known.lastPrimary === undefined ? {} : { lastPrimary: known.lastPrimary }),
    requireChain,
    requireFresh,
    documents,
    stores,
    shared,
    timeoutMs,
    net,
    async look() {
      const signal = AbortSignal.timeout(timeoutMs)
      const { claimedAt } = known
      const looked = await look({ channel, value, signal, knownAccountId: seen?.accountId, claimedAt })
      return { ...lookOf(looked.publication), health: looked.health }
    },
  })
}
