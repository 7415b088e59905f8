/**
 * Whether a commit is allowed: each device it concerns is judged at the head that it names, and what it does at the state of the
 * conversation. Nothing here depends on the reader's clock or on what else he knows, so that all members give one answer.
 */
import { type Digest, KezError } from "@kez/core"
import { type Chains, isBefore, type NamedHead, standingAt } from "../chains.ts"
import { roleOf } from "../conversation/state-body.ts"
import { continueState, type StateEntry, type StateLog } from "../conversation/state-log.ts"
import { assertDevice, type JudgedAt } from "../credential/check-device.ts"
import type { DeviceCredential } from "../credential/device-credential.ts"
import { formFaultOfKeyPackage, lifetimeFault } from "../credential/key-package.ts"
import { maxGroupDevices } from "../limits.ts"
import type { AuthenticatedData } from "./authenticated-data.ts"
import type { CommitParts } from "./commit-form.ts"
import { devicesOf, type GroupRecord, leafAt, type TreeDevice } from "./group-record.ts"

export interface CommitInQuestion {
  readonly parts: CommitParts
  readonly data: AuthenticatedData
  /** Leaf of the committer; undefined for a device that joins by itself. */
  readonly committer: number | undefined
  /** The new state of the conversation, where the commit brings one. */
  readonly entry: StateEntry | undefined
}

export interface JudgedCommit {
  readonly committer: DeviceCredential
  readonly added: readonly DeviceCredential[]
  readonly removed: readonly DeviceCredential[]
  readonly log: StateLog
  readonly heads: ReadonlyMap<Digest, NamedHead>
  readonly judgedAt: JudgedAt
}

/** Chains that must be known further before the commit can be judged. */
export function missingHeads({ heads }: AuthenticatedData, chains: Chains): readonly NamedHead[] {
  return heads.filter(({ chain, digest }) => chains(chain)?.knows(digest) !== true)
}

/** Throws `chat.commit`, `chat.credential`, `chat.key_package`, `chat.state`, `chat.policy` or `chain.rollback`. */
export function judgeCommit(record: GroupRecord, question: CommitInQuestion, chains: Chains): JudgedCommit {
  const { data, parts } = question
  const named = new Map(data.heads.map((head) => [head.chain, head]))
  const judgedAt: JudgedAt = { chains, head: (chain) => headIn(named, chain), at: data.at }
  const members = devicesOf(record.state.ratchetTree)
  const committer = judgeCommitter(record, question, judgedAt)
  const added = parts.adds.map(({ add }) => {
    const fault = formFaultOfKeyPackage(add.keyPackage) ?? lifetimeFault(add.keyPackage, data.at)
    if (fault !== undefined) throw fault
    return assertDevice(add.keyPackage.leafNode, judgedAt)
  })
  const removed = parts.removes.map(({ remove }) => deviceAt(members, remove.removed))
  const concerned = new Set([committer, ...added, ...removed].map(({ chain }) => chain))
  assertHeads(record, named, { concerned, chains })
  const log = nextLog(record, question, committer, judgedAt)
  assertAllowed({ question, members, committer, added, removed, log, judgedAt })
  return { committer, added, removed, log, heads: new Map([...record.heads, ...named]), judgedAt }
}

function judgeCommitter(record: GroupRecord, { parts, committer }: CommitInQuestion, at: JudgedAt): DeviceCredential {
  if (committer === undefined) {
    if (parts.leaf === undefined) throw commitFault("it has no leaf for the device that joins")
    return assertDevice(parts.leaf, at)
  }
  const leaf = leafAt(record.state.ratchetTree, committer)
  if (leaf === undefined) throw commitFault("its sender is not in the conversation")
  // With a path the new leaf counts: by it a credential is renewed, also one that has expired.
  const credential = assertDevice(parts.leaf ?? leaf, at)
  const before = assertDevice(leaf, { ...at, at: undefined })
  if (credential.device !== before.device || credential.chain !== before.chain || credential.mls !== before.mls) {
    throw commitFault("its sender takes the place of another device")
  }
  return credential
}

/** Exactly the chains concerned, each known, none further back than the conversation knew it already. */
function assertHeads(
  record: GroupRecord,
  named: ReadonlyMap<Digest, NamedHead>,
  { concerned, chains }: { readonly concerned: ReadonlySet<Digest>; readonly chains: Chains },
): void {
  if (named.size !== concerned.size || [...concerned].some((chain) => !named.has(chain))) {
    throw commitFault("it does not name the chain heads of exactly the members that it concerns")
  }
  for (const { chain, digest } of named.values()) {
    const earlier = record.heads.get(chain)?.digest
    const replay = chains(chain)
    // A revoked device would name a head from before its revocation.
    if (earlier !== undefined && replay?.knows(earlier) === true && isBefore(replay, digest, earlier)) {
      throw new KezError(
        "chain.rollback",
        "Cannot accept the commit: it names an older head of a chain than the conversation knows",
        {
          hint: "Its sender has to fetch that chain first.",
        },
      )
    }
  }
}

function nextLog(
  { log }: GroupRecord,
  { data, entry, committer: leaf }: CommitInQuestion,
  committer: DeviceCredential,
  judgedAt: JudgedAt,
): StateLog {
  if (data.state === log.digest && entry === undefined) return log
  if (entry === undefined || leaf === undefined)
    throw stateFault("it names another state than the one in force, without bringing it")
  if (entry.envelope.signature.key !== committer.device || entry.envelope.payload.chain !== committer.chain) {
    throw stateFault("another device than the sender signed its state")
  }
  const next = continueState(log, entry, judgedAt)
  if (next.digest !== data.state) throw stateFault("it brings another state than it names")
  return next
}

interface Allowance {
  readonly question: CommitInQuestion
  readonly members: readonly TreeDevice[]
  readonly committer: DeviceCredential
  readonly added: readonly DeviceCredential[]
  readonly removed: readonly DeviceCredential[]
  readonly log: StateLog
  readonly judgedAt: JudgedAt
}

function assertAllowed(allowance: Allowance): void {
  const { question, members, committer, added, removed, log } = allowance
  for (const device of removed) assertMayRemove(device, allowance)
  const isGone = new Set(removed.map(({ device }) => device))
  const left = members.map(({ credential }) => credential).filter(({ device }) => !isGone.has(device))
  const newcomers = question.committer === undefined ? [committer] : added
  const after = [...left, ...newcomers]
  if (after.length > maxGroupDevices) throw policyFault(`a conversation has at most ${maxGroupDevices} devices`)
  if (new Set(after.map(({ device }) => device)).size !== after.length) throw policyFault("a device is in it already")
  const stranger = after.find(({ chain }) => roleOf(log.body, chain) === undefined)
  if (stranger !== undefined) throw policyFault("a device is of somebody whom the state does not name as a member")
}

/** Removed may be: who is no member any more, what its chain does not list any more, one's own devices, and by an admin what is added again. */
function assertMayRemove(device: DeviceCredential, { question, committer, added, log, judgedAt }: Allowance): void {
  if (question.committer === undefined) {
    if (device.device !== committer.device) throw policyFault("a device that joins by itself removes another one")
    return
  }
  const role = roleOf(log.body, committer.chain)
  const isAddedAgain = added.some((other) => other.device === device.device)
  const head = judgedAt.head(device.chain)
  const replay = judgedAt.chains(device.chain)
  const isRevoked = replay !== undefined && head !== undefined && standingAt(replay, head, device.device) !== "current"
  const isAllowed =
    roleOf(log.body, device.chain) === undefined ||
    isRevoked ||
    device.chain === committer.chain ||
    (isAddedAgain && (role === "owner" || role === "admin"))
  if (!isAllowed) throw policyFault("its sender removes a device that is neither revoked nor his own")
}

function headIn(named: ReadonlyMap<Digest, NamedHead>, chain: Digest): Digest {
  const head = named.get(chain)
  if (head === undefined) throw commitFault("it does not name the chain head of a member that it concerns")
  return head.digest
}

function deviceAt(members: readonly TreeDevice[], index: number): DeviceCredential {
  const found = members.find((device) => device.index === index)
  if (found === undefined) throw commitFault("it removes a device that is not there")
  return found.credential
}

function commitFault(found: string): KezError {
  return new KezError("chat.commit", `Cannot accept the commit: ${found}`, { hint: "Nothing of it was applied." })
}

function stateFault(found: string): KezError {
  return new KezError("chat.state", `Cannot accept the commit: ${found}`, { hint: "Nothing of it was applied." })
}

function policyFault(found: string): KezError {
  return new KezError("chat.policy", `Cannot accept the commit: ${found}`, {
    hint: "An owner or admin of the conversation can do it. Nothing of it was applied.",
  })
}
