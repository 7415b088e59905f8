/** Verifying accounts, one or many: their places are looked at in parallel, each host by few requests at once. SPEC §6 */
import type { LookAtAccount, Net } from "@kez/channels"
import { limits } from "@kez/core"
import { type Account, lookOf, readKnown } from "./account-look.ts"
import type { Served } from "./chain-sources.ts"
import { type Answer, type Judged, judge } from "./consult.ts"
import type { Context } from "./context.ts"
import { inLanes } from "./lanes.ts"
import { lazy } from "./lazy.ts"
import { shareStore } from "./store/access.ts"
import { nextTurn } from "./turns.ts"

const loadChannels = lazy(() => import("@kez/channels"))

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
  /** For one place. */
  readonly timeoutMs: number
  net(): Promise<Net>
}

/** Verifies all accounts; `onAnswer` is told of each one as it comes. The answers stand in the order of the accounts. */
export async function verifyAccounts(
  context: Context,
  accounts: readonly Account[],
  demands: Demands & { onAnswer?(answer: Answer, account: Account): void },
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
  demands: Demands,
  look: LookAtAccount,
): Promise<Judged> {
  await nextTurn()
  const { findChannel } = await loadChannels()
  const channel = findChannel(system)
  if (channel === undefined) throw new Error(`no channel for ${system}: readAccount lets none through`)
  const { primary, acceptNewAccount, documents, requireChain, requireFresh, timeoutMs, net } = demands
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
