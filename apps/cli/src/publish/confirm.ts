/** After publishing: looking at the account's own place, as any reader would, until the proof is there. */
import { setTimeout as sleep } from "node:timers/promises"
import type { Net, Publication } from "@kez/channels"
import type { Account } from "../account-look.ts"
import type { Context } from "../context.ts"

/** Caches of platforms live for seconds to minutes: soon at first, then rarer. */
const pausesSeconds: readonly number[] = [1, 2, 5, 10, 20, 30, 60]

export interface Confirmation {
  readonly account: Account
  readonly net: Net
  readonly timeoutMs: number
  /** How long to go on; 0 looks once. */
  readonly waitSeconds: number
  /** Whether this is the answer that is waited for. */
  isDone(publication: Publication): boolean
}

/** The last answer of the place; `isDone` of it tells whether the wait was in vain. */
export async function lookUntil(context: Context, wanted: Confirmation): Promise<Publication> {
  const { findChannel } = await import("@kez/channels")
  const { account, net, timeoutMs, waitSeconds, isDone } = wanted
  const channel = findChannel(account.system)
  if (channel === undefined) throw new Error(`no channel for ${account.system}: readAccount lets none through`)
  let waited = 0
  for (let round = 0; ; round += 1) {
    const signal = AbortSignal.timeout(timeoutMs)
    const publication = await channel.collect(account.value, net, { signal })
    const pause = pausesSeconds[Math.min(round, pausesSeconds.length - 1)] ?? 60
    if (isDone(publication) || waited + pause > waitSeconds) return publication
    context.terminal.progress(`not seen there yet; looking again in ${pause} s`)
    await sleep(pause * 1_000)
    waited += pause
  }
}
