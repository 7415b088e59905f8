/** `kez verify id --watch`: looks again and again, and says what changed. It ends with Ctrl-C. */
import { setTimeout as sleep } from "node:timers/promises"
import { KezError } from "@kez/core"
import type { Account } from "../account-look.ts"
import type { Answer } from "../consult.ts"
import type { Context } from "../context.ts"
import { note, writeResult } from "../output.ts"
import type { Outcome } from "../run.ts"
import { timeText } from "../short-text.ts"
import { type Demands, verifyAccounts } from "../verify-accounts.ts"
import { verdictOutcome } from "./verify-options.ts"

const defaultSeconds = 60
/** Nobody's platform is asked more often than this by one watcher. */
const minSeconds = 5
const maxSeconds = 86_400

export interface Watch {
  readonly demands: Demands
  /** Seconds as typed, or true for the usual ones. */
  readonly interval: string | true
}

/** Never returns but by an error: what it has to say is written as it happens. */
export async function watchAccounts(
  context: Context,
  accounts: readonly Account[],
  { demands, interval }: Watch,
): Promise<Outcome> {
  const seconds = readInterval(interval)
  const before = new Map<string, string>()
  const isSeveral = accounts.length > 1
  context.terminal.progress(`looking every ${seconds} s; Ctrl-C ends it`)
  for (;;) {
    const answers = await verifyAccounts(context, accounts, demands)
    for (const answer of answers) await tell(context, answer, { before, isSeveral })
    await sleep(1_000 * waitAfter(answers, seconds))
  }
}

/** A place that asked to wait is not asked before. */
export function waitAfter(answers: readonly Answer[], seconds: number): number {
  const asked = answers.map(({ verdict }) => verdict.retryAfterSeconds ?? 0)
  return answers.length === 0 || asked.some((one) => one <= seconds) ? seconds : Math.min(maxSeconds, ...asked)
}

interface Told {
  /** The state told last, by subject. */
  readonly before: Map<string, string>
  readonly isSeveral: boolean
}

async function tell(context: Context, answer: Answer, { before, isSeveral }: Told): Promise<void> {
  const { subject, status, reason, primary, checkedAt } = answer.verdict
  const state = [status, reason, primary, answer.verdict.chain?.head.digest].join(" ")
  const earlier = before.get(subject)
  if (earlier === state) return
  before.set(subject, state)
  const { schema, data, text } = await verdictOutcome(context, answer)
  if (earlier !== undefined && !context.flags.json) note(`changed at ${timeText(checkedAt)}: ${subject}`)
  // Verdicts of several lines each are told apart by an empty one.
  const isFirst = before.size === 1 && earlier === undefined
  const shown = isSeveral && !isFirst ? `\n${text}` : text
  writeResult({ schema, data, text: shown, warnings: [] }, context.flags)
}

function readInterval(typed: string | true): number {
  if (typed === true) return defaultSeconds
  const seconds = Number(typed)
  if (/^[0-9]{1,5}$/.test(typed) && seconds >= minSeconds && seconds <= maxSeconds) return seconds
  throw new KezError("usage", `Cannot use --watch: expected ${minSeconds} to ${maxSeconds} seconds`)
}
