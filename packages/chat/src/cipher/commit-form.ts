/**
 * Which forms of a commit are accepted at all, before anything of it is processed. The library accepts more, and has faults in what is
 * refused here: group context extensions without a path, references to proposals that not everybody has.
 */
import { KezError } from "@kez/core"
import type { Commit, LeafNode, ProposalAdd, ProposalOrRef, ProposalRemove } from "ts-mls"
import { hasOurCapabilities } from "../credential/key-package.ts"
import { maxGroupDevices } from "../limits.ts"

/** A commit as it is judged: what it adds and removes, and the leaf that its maker takes. */
export interface CommitParts {
  readonly adds: readonly ProposalAdd[]
  readonly removes: readonly ProposalRemove[]
  /** The maker's new leaf, of the path. */
  readonly leaf: LeafNode | undefined
}

/** Throws `chat.commit`. */
export function partsOfCommit(commit: Commit, by: "member" | "newcomer"): CommitParts {
  if (commit.proposals.length > maxGroupDevices) throw refused(`more than ${maxGroupDevices} proposals`)
  const adds: ProposalAdd[] = []
  const removes: ProposalRemove[] = []
  let joins = 0
  for (const entry of commit.proposals) {
    const proposal = inlineProposal(entry)
    if (proposal.proposalType === "add") adds.push(proposal)
    else if (proposal.proposalType === "remove") removes.push(proposal)
    else if (proposal.proposalType === "external_init" && by === "newcomer") joins++
    else throw refused(`a proposal of the type ${proposal.proposalType}`)
  }
  const parts = { adds, removes, leaf: commit.path?.leafNode }
  assertShape(parts, by, joins)
  return parts
}

/**
 * A commit that removes somebody without a path would leave the removed device able to derive the next epoch. So each has a path,
 * but for those that do nothing but add. RFC 9420 §12.4
 */
export function assertPath({ adds, removes, leaf }: CommitParts): void {
  const addsOnly = adds.length > 0 && removes.length === 0
  if (!addsOnly && leaf === undefined) throw refused("no path, so that who is removed could read on")
  if (leaf === undefined) return
  if (!hasOurCapabilities(leaf.capabilities) || leaf.extensions.length > 0)
    throw refused("a leaf with other capabilities")
}

function assertShape(parts: CommitParts, by: "member" | "newcomer", joins: number): void {
  assertPath(parts)
  if (by === "member") return
  const isJoin = joins === 1 && parts.adds.length === 0 && parts.removes.length <= 1 && parts.leaf !== undefined
  if (!isJoin) throw refused("more than a device that joins by itself may do")
}

function inlineProposal(entry: ProposalOrRef) {
  if (entry.proposalOrRefType === "proposal") return entry.proposal
  throw refused("a reference to a proposal")
}

function refused(found: string): KezError {
  return new KezError("chat.commit", `Cannot accept the commit: it has ${found}`, {
    hint: "Its sender uses another program. Nothing of it was applied.",
  })
}
