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
  /** When the claim was made. Unix seconds. */
  readonly claimedAt?: number | undefined
  /** URL of what was written, to be told before the first wait. */
  readonly where?: string | undefined
  /** Whether this is the answer that is waited for. */
  isDone(publication: Publication): boolean
}

/** The last answer of the place; `isDone` of it tells whether the wait was in vain. */
export async function lookUntil(context: Context, wanted: Confirmation): Promise<Publication> {
  const { findChannel } = await import("@kez/channels")
  const { account, net, timeoutMs, waitSeconds, claimedAt, where, isDone } = wanted
  const channel = findChannel(account.system)
  if (channel === undefined) throw new Error(`no channel for ${account.system}: readAccount lets none through`)
  let waited = 0
  for (let round = 0; ; round += 1) {
    const signal = AbortSignal.timeout(timeoutMs)
    const publication = await channel.collect(account.value, net, { signal, claimedAt })
    const left = waitSeconds - waited
    if (isDone(publication) || left <= 0) return publication
    if (round === 0 && where !== undefined) context.terminal.progress(`published at ${where}`)
    // The last look is at the end of the time and not somewhere before it.
    const pause = Math.min(pausesSeconds[round] ?? 60, left)
    context.terminal.progress(`${whyNot(publication)}; looking again in ${pause} s`)
    await sleep(pause * 1_000)
    waited += pause
  }
}

/** Whether one of the texts that the place shows is the one meant. */
export function holds(publication: Publication, isMeant: (text: string) => boolean): boolean {
  return publication.status === "found" && publication.candidates.some(({ text }) => isMeant(text))
}

function whyNot(publication: Publication): string {
  return publication.status === "unreachable" ? `cannot look there (${publication.code})` : "not seen there yet"
}
