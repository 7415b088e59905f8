/** Graphs of made-up people for tests and for looking at drawings: chains that are really signed, answers that are invented. */
import type { ChainReplay, Evidence, Operation, Verdict } from "@kez/core"
import type { Answer } from "../../src/consult.ts"
import { type Asked, buildGraph, type IdentityGraph } from "../../src/graph/graph-model.ts"
import { grow, now, signerOf } from "./people.ts"

export const owner = signerOf(1)

export function verdictFor(subject: string, changes: Partial<Verdict> = {}): Verdict {
  return {
    status: "valid",
    reason: undefined,
    subject,
    primary: owner.key,
    claim: undefined,
    chain: undefined,
    flags: [],
    evidence: [],
    mark: undefined,
    checkedAt: now,
    retryAfterSeconds: undefined,
    ...changes,
  }
}

export function answerFor(subject: string, changes: Partial<Verdict> = {}, provenAt?: number): Answer {
  const lastProven =
    provenAt === undefined
      ? undefined
      : { subject, primary: owner.key, chain: undefined, accountId: undefined, provenAt }
  return { verdict: verdictFor(subject, changes), lastProven }
}

export function placeOf(source: string, changes: Partial<Evidence> = {}): Evidence {
  return { kind: "place", source, fetchedAt: now, sha256: "ab".repeat(32), ...changes }
}

const kinds = [
  (at: number) => `dns:site-${at}.example.org`,
  (at: number) => `github:mira-${at}`,
  (at: number) => `ap:mira${at}@social.example.net`,
  (at: number) => `bluesky:mira${at}.bsky.social`,
]

export function subjectsOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => (kinds[at % kinds.length] ?? kinds[0])?.(at) ?? "")
}

/** Every state in turn, most of them proven. */
export function answersOf(subjects: readonly string[]): readonly Answer[] {
  return subjects.map((subject, at) => {
    const evidence = [placeOf(`https://place.example/${at}`, { httpStatus: 200 })]
    if (at % 11 === 3)
      return answerFor(subject, { status: "unreachable", reason: "net.timeout", primary: undefined }, now - 86_400)
    if (at % 17 === 6)
      return answerFor(subject, { status: "invalid", reason: "proof.not_found", primary: undefined, evidence })
    if (at % 23 === 8) return answerFor(subject, { status: "expired", reason: "claim.expired", evidence })
    if (at % 29 === 10)
      return answerFor(subject, {
        status: "unreachable",
        reason: "channel.unsupported",
        primary: undefined,
        flags: ["unpublished"],
      })
    return answerFor(subject, { evidence })
  })
}

/** Device `at` is added by the owner, every third by the one before it. */
export async function chainWith(accounts: readonly string[], devices: number): Promise<ChainReplay> {
  let chain = await grow(undefined, owner, ...accounts.map((subject): Operation => ({ op: "add", subject })))
  for (let at = 0; at < devices; at++) {
    const by = at % 3 === 2 ? signerOf(9 + at) : owner
    chain = await grow(chain, by, { op: "add_device", device: signerOf(10 + at) })
  }
  return chain
}

export async function graphOf(
  accounts: number,
  devices: number,
  changes: { readonly asked?: Asked; readonly freshUntil?: string } = {},
): Promise<IdentityGraph> {
  const subjects = subjectsOf(accounts)
  const replay = await chainWith(subjects, devices)
  const asked: Asked = changes.asked ?? { kind: "account", identity: subjects[0] ?? "" }
  return buildGraph({ asked, replay, freshUntil: changes.freshUntil, answers: answersOf(subjects), now })
}
