/** Verifying accounts, one or many: their places are looked at in parallel, each host by few requests at once. SPEC §6 */
import type { LookAtAccount, Net } from "@kez/channels"
import type { Account } from "./account-look.ts"
import type { Served } from "./chain-sources.ts"
import type { Answer } from "./consult.ts"
import type { Context } from "./context.ts"
import { inLanes } from "./lanes.ts"

/** Enough to keep the two places of a channel's busiest host taken while others of the lane wait for something else. */
const accountsPerChannel = 8

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
  const { createLook } = await import("@kez/channels")
  const look = createLook(net)
  return inLanes(accounts, { laneOf: ({ system }) => system, width: accountsPerChannel }, async (account) => {
    const answer = await verifyAccount(context, account, demands, look)
    demands.onAnswer?.(answer, account)
    return answer
  })
}

async function verifyAccount(
  context: Context,
  { subject, system, value }: Account,
  demands: Demands,
  look: LookAtAccount,
): Promise<Answer> {
  const [{ consult }, { lookOf, readKnown }, { findChannel }] = await Promise.all([
    import("./consult.ts"),
    import("./account-look.ts"),
    import("@kez/channels"),
  ])
  const channel = findChannel(system)
  if (channel === undefined) throw new Error(`no channel for ${system}: readAccount lets none through`)
  const { primary, acceptNewAccount, documents, requireChain, requireFresh, timeoutMs, net } = demands
  const known = await readKnown(context, subject)
  const seen = acceptNewAccount ? undefined : known.seen
  return consult(context, {
    subject,
    ...(primary === undefined ? {} : { primary }),
    ...(seen === undefined ? {} : { seen }),
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
