/** `kez verify id`: accounts, each by the proof that its own place shows now. SPEC §6, §7 */
import { type Account, readAccount } from "../account-look.ts"
import type { Answer } from "../consult.ts"
import type { Context } from "../context.ts"
import type { Handler, Outcome } from "../run.ts"
import { count } from "../short-text.ts"
import { worstExitCode } from "../verdict-order.ts"
import { verdictText } from "../verdict-text.ts"
import { type Demands, verifyAccounts } from "../verify-accounts.ts"
import { readDemands, refreshIfOwn, type VerifyOptions, verdictOutcome } from "./verify-options.ts"

export interface VerifyIdOptions extends VerifyOptions {
  /** Seconds, as typed; true where none were given. */
  readonly watch?: string | true
}

export const run: Handler<VerifyIdOptions> = async (context, { args, watch, ...options }) => {
  const accounts = unique(await Promise.all(args.map(readAccount)))
  const demands = await readDemands(context, options)
  if (watch !== undefined) {
    const { watchAccounts } = await import("./verify-watch.ts")
    return watchAccounts(context, accounts, { demands, interval: watch })
  }
  const answers = await verifyAccounts(context, accounts, { ...demands, ...progressOf(context, accounts) })
  await refreshIfOwn(context, answers, demands)
  const [only, ...others] = answers
  return only !== undefined && others.length === 0 ? verdictOutcome(context, only) : verdictsOutcome(context, answers)
}

function unique(accounts: readonly Account[]): readonly Account[] {
  return [...new Map(accounts.map((account) => [account.subject, account])).values()]
}

/** A look at many accounts takes seconds: who waits is told how far it is. */
function progressOf(context: Context, accounts: readonly Account[]): Pick<Demands & { onAnswer(): void }, "onAnswer"> {
  const step = Math.max(10, Math.ceil(accounts.length / 10))
  let done = 0
  return {
    onAnswer() {
      done += 1
      if (done < accounts.length && done % step === 0) context.terminal.progress(`${done} of ${accounts.length}`)
    },
  }
}

async function verdictsOutcome(context: Context, answers: readonly Answer[]): Promise<Outcome> {
  const valid = answers.filter(({ verdict }) => verdict.status === "valid").length
  const json = context.flags.json ? (await import("../verdict-json.ts")).verdictJson : undefined
  return {
    schema: "kez.verdicts/1",
    data: json === undefined ? undefined : { verdicts: answers.map(json), valid, total: answers.length },
    text: [
      ...answers.map((answer) => verdictText(answer, context.terminal.color)),
      `${valid} of ${count(answers.length, "account")} proven`,
    ].join("\n\n"),
    exitCode: worstExitCode(answers.map(({ verdict }) => verdict)),
  }
}
