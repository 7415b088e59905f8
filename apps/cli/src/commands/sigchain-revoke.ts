/** `kez sigchain revoke`: the account is not yours any more, or never was. SPEC §5.2 */
import type { ChainReplay } from "@kez/core"
import { nearestOf } from "../nearest.ts"
import type { Plan } from "../own-chain.ts"
import { readSubject } from "../own-claims.ts"
import type { Handler } from "../run.ts"
import { appendAsSelf } from "./sigchain-append.ts"

export const run: Handler<object> = async (context, { args: [typed = ""] }) => {
  const subject = readSubject(typed)
  return appendAsSelf(context, {
    plan: (chain) => planOf(chain, subject),
    notes: ["  Readers see it as soon as they see the chain: publish the chain now."],
  })
}

function planOf(chain: ChainReplay | undefined, subject: string): Plan {
  // A revocation on a losing branch can be lifted, so only one on this path makes another superfluous.
  const last = chain?.path.findLast(
    ({ payload }) => (payload.op === "add" || payload.op === "revoke") && payload.payload.subject === subject,
  )
  if (last?.payload.op === "revoke") {
    return { operations: [], already: `${subject} is already revoked, and nothing was appended` }
  }
  const warnings = last === undefined ? [neverListed(chain, subject)] : []
  return { operations: [{ op: "revoke", subject }], warnings }
}

function neverListed(chain: ChainReplay | undefined, subject: string): string {
  const active = [...(chain?.state.subjects.values() ?? [])].filter(({ status }) => status === "active")
  const near = nearestOf(
    subject,
    active.map((entry) => entry.subject),
  )
  const listed = near === undefined ? "" : `; did you mean ${near}? It is listed, and still counts`
  return `the chain never listed ${subject}${listed}`
}
