/** The verdicts on several accounts, each with what an account's place and the chain of one identity say. SPEC §6 */
import { type Code, parseIdentity, type Verdict } from "@kez/core"
import type { Answer } from "../consult.ts"
import type { Context } from "../context.ts"
import { readStore } from "../store/access.ts"
import type { Proven } from "../store/verdicts.ts"
import { type Demands, verifyAccounts } from "../verify-accounts.ts"

/** One answer for each subject, in their order. */
export type VerifyMany = (subjects: readonly string[]) => Promise<readonly Answer[]>

/** Looks at all of them at once, for proofs by `demands.primary` where one is given. What no channel looks at is an answer too. */
export function createVerifyMany(context: Context, demands: Demands): VerifyMany {
  return async (subjects) => {
    const { findChannel } = await import("@kez/channels")
    const accounts = subjects.map((subject) => ({ subject, ...parseIdentity(subject) }))
    const lookedAt = accounts.filter(({ system }) => findChannel(system) !== undefined)
    const answers = await verifyAccounts(context, lookedAt, demands)
    const bySubject = new Map(lookedAt.map(({ subject }, at) => [subject, answers[at]]))
    return Promise.all(
      subjects.map((subject) => bySubject.get(subject) ?? withoutLook(context, subject, "channel.unsupported")),
    )
  }
}

/** Asks nobody: what this computer saw earlier is all there is. */
export function createVerifyNone(context: Context): VerifyMany {
  return (subjects) => Promise.all(subjects.map((subject) => withoutLook(context, subject)))
}

/** An answer where nobody looked; `reason` tells why nobody could, if that is so. */
async function withoutLook(context: Context, subject: string, reason?: Code): Promise<Answer> {
  const verdict: Verdict = {
    status: "unreachable",
    reason,
    subject,
    primary: undefined,
    claim: undefined,
    chain: undefined,
    flags: ["unpublished"],
    evidence: [],
    mark: undefined,
    checkedAt: context.now(),
    retryAfterSeconds: undefined,
  }
  const lastProven = await readStore<Proven | undefined>(context, undefined, async (store) =>
    (await import("../store/verdicts.ts")).loadProven(store, subject),
  )
  return { verdict, lastProven }
}
