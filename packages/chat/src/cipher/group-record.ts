/** What one device knows of one conversation, as a value: MLS's state, the states of the conversation, and what was seen of each epoch. */
import { type Digest, digestOf } from "@kez/core"
import type { GroupState, LeafNode, RatchetTree } from "ts-mls"
import { encodeGroupContext } from "ts-mls/groupContext.js"
import { leafToNodeIndex, toLeafIndex } from "ts-mls/treemath.js"
import { joinBytes } from "../bytes.ts"
import type { NamedHead } from "../chains.ts"
import type { StateLog } from "../conversation/state-log.ts"
import { credentialOf } from "../credential/check-device.ts"
import type { DeviceCredential } from "../credential/device-credential.ts"
import { bytesOfDigest } from "../digests.ts"
import { maxRefusedCommits, rememberedEpochs } from "../limits.ts"

/** What tells a repeated commit from a second one. */
export interface EpochMark {
  readonly epoch: number
  readonly transcript: Digest
  /** Digest of the conversation's state in this epoch. */
  readonly state: Digest
  /** The commit that ended the epoch. */
  readonly endedBy?: Digest
  /** Commits of this epoch that were refused. */
  readonly refused: readonly Digest[]
}

/** A commit of our own that the server has not answered yet. */
export interface PendingCommit {
  /** Digest of the commit, without what is attached. */
  readonly digest: Digest
  /** What is published, to be published again after a crash. */
  readonly message: Uint8Array
  /** For those whom it adds; sent once the commit is accepted. */
  readonly welcome?: Uint8Array
  readonly next: GroupRecord
}

export interface GroupRecord {
  readonly state: GroupState
  readonly log: StateLog
  /** The last head that the conversation named of each chain. */
  readonly heads: ReadonlyMap<Digest, NamedHead>
  /** Oldest first; the last is the epoch in force. */
  readonly marks: readonly EpochMark[]
  readonly pending?: PendingCommit
}

export interface TreeDevice {
  readonly index: number
  readonly leaf: LeafNode
  readonly credential: DeviceCredential
}

/** Names an epoch by all that led to it: the group context with its transcript hash, and the tag that only its members can make. */
export function transcriptOf(at: Pick<GroupState, "groupContext" | "confirmationTag">): Digest {
  return digestOf(joinBytes(encodeGroupContext(at.groupContext), at.confirmationTag))
}

export function epochOf({ groupContext }: Pick<GroupState, "groupContext">): number {
  return Number(groupContext.epoch)
}

export function firstMark(state: GroupState, log: StateLog): EpochMark {
  return { epoch: epochOf(state), transcript: transcriptOf(state), state: log.digest, refused: [] }
}

export function markOf({ marks }: GroupRecord, epoch: number): EpochMark | undefined {
  return marks.find((mark) => mark.epoch === epoch)
}

/** The marks after a commit was applied. */
export function marksAfter(marks: readonly EpochMark[], commit: Digest, next: EpochMark): readonly EpochMark[] {
  const ended = marks.map((mark, i) => (i === marks.length - 1 ? { ...mark, endedBy: commit } : mark))
  return [...ended, next].slice(-rememberedEpochs)
}

export function withRefusedCommit(record: GroupRecord, commit: Digest): GroupRecord {
  const marks = record.marks.map((mark, i) =>
    i === record.marks.length - 1 ? { ...mark, refused: [...mark.refused, commit].slice(-maxRefusedCommits) } : mark,
  )
  return { ...record, marks }
}

export function groupIdOf(group: Digest): Uint8Array {
  return bytesOfDigest(group)
}

export function leafAt(tree: RatchetTree, index: number): LeafNode | undefined {
  const node = tree[leafToNodeIndex(toLeafIndex(index))]
  return node?.nodeType === "leaf" ? node.leaf : undefined
}

/** Every device of the tree, by leaf. Throws `chat.credential` for a leaf whose credential is not one. */
export function devicesOf(tree: RatchetTree): readonly TreeDevice[] {
  return tree.flatMap((node, i) =>
    node?.nodeType === "leaf" ? [{ index: i / 2, leaf: node.leaf, credential: credentialOf(node.leaf) }] : [],
  )
}

export function ownIndexOf({ privatePath }: GroupState): number {
  return privatePath.leafIndex
}

/** This device's own credential; undefined after it was removed. */
export function ownDeviceOf(state: GroupState): DeviceCredential | undefined {
  const leaf = leafAt(state.ratchetTree, ownIndexOf(state))
  return leaf === undefined || state.groupActiveState.kind !== "active" ? undefined : credentialOf(leaf)
}
