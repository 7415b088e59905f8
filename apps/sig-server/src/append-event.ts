/** Adding an event to a chain, whoever speaks HTTP: limits, what became of it, and the answer. SPEC STORE-8 */
import { isDigest } from "@kez/core"
import { Problem, statusOf } from "@kez/server"
import { parseChainName } from "./chain-name.ts"
import type { Appended, ChainView } from "./chain-service.ts"
import { severalChains } from "./look-up.ts"
import type { Deps } from "./route.ts"
import { type Claim, chainClaim, genesisClaim, type HeaderSink } from "./write-limits.ts"

export type AppendDeps = Pick<Deps, "service" | "limits" | "metrics">

export interface Posted {
  /** As it stands in the URL. */
  readonly name: string
  readonly body: Buffer
  readonly address: string
}

export interface AppendAnswer {
  readonly status: 200 | 201
  readonly text: string
}

export const appendedHeaders = {
  "content-type": "application/json; charset=utf-8",
  "cache-control": "no-store",
} as const

/** Throws the refusal. What the limits say of both is set on `answer`. */
export async function appendEvent(deps: AppendDeps, posted: Posted, answer: HeaderSink): Promise<AppendAnswer> {
  const { service, limits, metrics } = deps
  const { body, address } = posted
  const name = parseChainName(posted.name)
  limits.takeFromAddress(address, answer)
  if (!isDigest(name)) await assertOneChain(service, name)
  let claim = genesisClaim(address)
  const outcome = await service.append(name, body, {
    admit(view) {
      if (view !== undefined) claim = chainClaim(view, body)
      limits.assertRoom(claim, answer)
    },
  })
  metrics.appended(outcome.status)
  spendFor(outcome, claim, deps)
  return answerFor(outcome)
}

/** Of a key: one that has several chains names none of them. */
async function assertOneChain(service: Deps["service"], key: string): Promise<void> {
  const found = await service.find(key)
  if (found.status === "several") throw severalChains(found.chains)
}

function spendFor(outcome: Appended, claim: Claim, { limits }: AppendDeps): void {
  if (outcome.status === "stored" || outcome.status === "lost") limits.spend(claim)
}

function answerFor(outcome: Appended): AppendAnswer {
  switch (outcome.status) {
    case "stored":
      return { status: 201, text: describe(outcome) }
    case "known":
      return { status: 200, text: describe(outcome) }
    case "lost":
      throw lostRace(outcome.view)
    case "behind":
      throw conflict(outcome.view, outcome.refusal)
    case "refused": {
      const { code, message: detail, retryAfterSeconds } = outcome.refusal
      const headers = retryAfterSeconds === undefined ? {} : { "retry-after": String(Math.ceil(retryAfterSeconds)) }
      throw new Problem({ status: statusOf(code), code, detail, headers })
    }
  }
}

function describe({ view, digest, seq }: Appended & { status: "stored" | "known" | "lost" }): string {
  const { head, status } = view.replay
  return JSON.stringify({ chain: view.chain, seq, digest, head, status })
}

/** The event is valid and kept; who sent it has to look at what else is known, and to settle. */
function lostRace(view: ChainView): Problem {
  const isFork = view.replay.status === "fork"
  return new Problem({
    status: 409,
    code: isFork ? "chain.fork" : "chain.repeat",
    detail: isFork
      ? "Cannot put the event at the end: the chain is a fork now that nothing decides; the event is kept as evidence"
      : "Cannot put the event at the end: another branch wins; the event is kept as evidence",
    members: { kept: true, head: endOf(view) },
  })
}

function conflict(
  view: ChainView,
  { code, message }: { readonly code: Problem["code"]; readonly message: string },
): Problem {
  return new Problem({ status: 409, code, detail: message, members: { kept: false, head: endOf(view) } })
}

function endOf({ chain, replay }: ChainView): object {
  return { chain, seq: replay.head.seq, digest: replay.head.digest }
}
