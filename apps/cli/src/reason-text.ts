/** Why a claim is not valid, and what a flag means, in words for people. The codes stand beside them. */
import type { Code, Flag } from "@kez/core"

const reasons: Partial<Readonly<Record<Code, string>>> = {
  "proof.not_found": "There is no proof at this place.",
  "proof.cut": "The end of the proof is missing: it was copied or published in part.",
  "proof.subject_mismatch": "The proof that stands there is signed for another account.",
  "proof.primary_mismatch": "The proof that stands there is signed by another key than the one you expect.",
  "signature.invalid":
    "The signature is not right: the text was changed after it was signed, or another key signed it.",
  "key.weak": "The key is a weak one under which anybody can sign.",
  "claim.not_in_chain": "The identity's chain does not list this claim, and needs to.",
  "claim.revoked": "The owner of the key has revoked this account.",
  "claim.expired": "The claim was made for a limited time, which is over.",
  "account.changed": "The name now belongs to another account than the one that was proven.",
  "time.future": "The claim is dated in the future. Is the clock of this computer right?",
  "chain.fork": "There are two conflicting histories of this identity. Someone who should not have a key may have one.",
  "chain.rollback": "This computer has seen a newer history of this identity than the one that is served now.",
  "chain.withheld": "A signed head says that the history goes on, and no source shows how.",
  "chain.unreachable": "The place where the identity's chain lies did not answer, so a revocation would not be seen.",
  "chain.required": "You asked for a chain, and none is known.",
  "chain.stale": "You asked for a fresh chain, and no signed head or complete answer confirms that this is its end.",
  "identity.unsupported": "This version of KEZ cannot look at accounts of this kind.",
  "net.timeout": "The place did not answer in time.",
  "net.refused": "The place refused the connection.",
  "net.dns": "The name could not be looked up.",
  "net.tls": "The place has no valid certificate.",
  "net.status": "The place answered with an error.",
  "limit.candidates": "There are more proofs at this place than are looked at.",
}

const areas: Readonly<Record<string, string>> = {
  chain: "A chain document is not in order, and no other source had the chain.",
  limit: "Something is larger than the protocol allows.",
  net: "The place could not be reached.",
  time: "A time in the proof is not right.",
  head: "A signed head of the chain cannot be used.",
}

/** One sentence or two. */
export function reasonText(code: Code): string {
  return reasons[code] ?? areas[code.split(".", 1)[0] ?? ""] ?? "The proof cannot be read: it is damaged or incomplete."
}

const flags: Readonly<Record<Flag, string>> = {
  unpublished: "publication not checked: only this text was looked at",
  no_chain: "not checked for revocation: no chain known",
  stale: "the chain may have grown since: no signed head confirms that this is its end, or a source was silent",
  contested: "the chain had a fork, and its own rules decided it",
  unlisted: "the identity's chain does not list this claim",
  unpinned: "the chain does not name the account's permanent number",
  rollback: "a source served an older history than the one this computer holds",
}

export function flagText(flag: Flag): string {
  return flags[flag]
}
