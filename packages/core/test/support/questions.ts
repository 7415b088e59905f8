/** Questions to the verifier: a claim, where it was found, and what each source of chains answered. */
import { encodeProof } from "../../src/encoding/proof.ts"
import type { Claim, SigchainEvent } from "../../src/envelope/envelope.ts"
import type { ChainReplay } from "../../src/sigchain/result.ts"
import type { ChainSource, Publication, VerifyInput } from "../../src/verify/input.ts"
import type { ChainMark, Verdict } from "../../src/verify/verdict.ts"
import { now } from "./chains.ts"

export function published(...claims: readonly (Claim | string)[]): Publication {
  return {
    status: "found",
    candidates: claims.map((claim) => ({ text: textOf(claim), foundAt: "https://a.example/" })),
  }
}

export function textOf(claim: Claim | string): string {
  return typeof claim === "string" ? claim : encodeProof(claim, "json")
}

/** An expected store that has these events. */
export function store(events: readonly SigchainEvent[], more: Partial<ChainSource> = {}): ChainSource {
  return { name: "https://store.example/", kind: "store", expected: true, outcome: "found", events, ...more }
}

export const silent: ChainSource = {
  name: "silent",
  kind: "store",
  expected: true,
  outcome: "failed",
  code: "net.timeout",
}
export const absent: ChainSource = { name: "absent", kind: "store", expected: true, outcome: "absent" }

export function question(publication: Publication, more: Partial<VerifyInput> = {}): VerifyInput {
  return { publication, chains: [], now, ...more }
}

export function markAt({ chain, digests, state }: ChainReplay, seq: number): ChainMark {
  return { chain, seq, digest: digests[seq] ?? "", primaries: state.primaries }
}

/** Status, reason and flags in one line, as the tests write them: `valid | no_chain`. */
export function lineOf({ status, reason, flags }: Verdict): string {
  const said = reason === undefined ? status : `${status} ${reason}`
  return flags.length === 0 ? said : `${said} | ${[...flags].sort().join(" ")}`
}
