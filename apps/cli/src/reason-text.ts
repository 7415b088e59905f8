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
  "claim.not_in_chain": "The identity's chain has to list this account, and does not, or is not known here.",
  "claim.revoked": "The owner of the key has revoked this account.",
  "claim.expired": "The claim was made for a limited time, which is over.",
  "account.changed": "The name was taken over: it now belongs to another account than the one that was proven.",
  "account.renamed": "The account that was proven has another name now.",
  "account.owner": "The proof stands in a place of another account.",
  "account.one_sided": "The two sides of the account do not name each other, so it may be anybody's.",
  "account.id": "The account's document names another account than the place where it lies.",
  "channel.down":
    "The platform itself is not well: even what is always there is missing. That says nothing about this account.",
  "time.future": "The claim is dated in the future. Is the clock of this computer right?",
  "chain.fork": "There are two conflicting histories of this identity. Someone who should not have a key may have one.",
  "chain.rollback": "This computer has seen a newer history of this identity than the one that is served now.",
  "chain.withheld": "A signed head says that the history goes on, and no source shows how.",
  "chain.unreachable": "The place where the identity's chain lies did not answer, so a revocation would not be seen.",
  "chain.required": "You asked for a chain or a fresh head, and no chain of this key is known.",
  "chain.stale": "You asked for a fresh chain, and no signed head or complete answer confirms that this is its end.",
  "identity.unsupported": "This version of KEZ cannot look at accounts of this kind.",
  "net.timeout": "The place did not answer in time.",
  "net.refused": "The place refused the connection.",
  "net.dns": "The name could not be looked up.",
  "net.tls": "The place has no valid certificate.",
  "net.status": "The place answered with an error.",
  "net.rate_limit": "The place asks to wait before it is asked again.",
  "limit.candidates": "There are more proofs at this place than are looked at.",
}

const areas: Readonly<Record<string, string>> = {
  chain: "A chain document is not in order, and no other source had the chain.",
  limit: "Something is larger than the protocol allows.",
  net: "The place could not be reached.",
  time: "A time in the proof is not right.",
  head: "A signed head of the chain cannot be used.",
}

/** One sentence or two; `where` tells whether an account's place was looked at or a text alone. */
export function reasonText(code: Code, where: "place" | "text" = "place"): string {
  if (code === "proof.not_found" && where === "text") return "There is no proof in this text."
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

interface Misuse {
  readonly why: string
  readonly hint: string
}

const misuses: Partial<Readonly<Record<Code, Misuse>>> = {
  "chain.next_in_force": {
    why: "your next primary is committed to already, and only a rotation ends a commitment",
    hint: "kez sigchain rotate NAME, with the key that was committed to",
  },
  "chain.prerotation": {
    why: "another key than this one was committed to as your next primary",
    hint: "kez sigchain show names the commitment; rotate to the key that it was made for.",
  },
  "chain.key_in_use": {
    why: "the chain uses this key already",
    hint: "kez sigchain show lists its keys; for another one: kez identity new NAME",
  },
  "chain.key_reuse": {
    why: "this key was revoked or rotated away, and such a key never returns",
    hint: "Make another one: kez identity new NAME",
  },
  "chain.not_authorised": {
    why: "this key is neither the primary nor an active device of the chain",
    hint: "kez sigchain show lists them; to act as one of them: kez identity use NAME, or --identity NAME",
  },
  "chain.authority": {
    why: "a device may not do that, and a primary is replaced rather than revoked",
    hint: "Act as the primary: --identity NAME. To replace it: kez sigchain rotate NAME",
  },
  "limit.claims": {
    why: "the chain lists as many accounts as it may",
    hint: "Revoke one first: kez sigchain revoke SUBJECT",
  },
  "limit.devices": {
    why: "the chain has as many devices as it may",
    hint: "Take one out first: kez sigchain revoke-device KEY",
  },
  "limit.chain": {
    why: "the chain has no room for it: its last places are kept for revocations and rotations",
    hint: "kez sigchain show tells how long it is.",
  },
}

/** Why an event of the owner's own is refused, and what to do instead; undefined for codes that are no mistake of theirs. */
export function misuseText(code: Code): Misuse | undefined {
  return misuses[code]
}
