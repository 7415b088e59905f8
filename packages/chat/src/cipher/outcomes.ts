/** What a commit did, told to the engine. */
import type { Digest } from "@kez/core"
import type { DeviceCredential } from "../credential/device-credential.ts"
import type { JudgedCommit } from "./commit-judge.ts"
import type { AppliedCommit, PreparedCommit } from "./group-cipher.ts"
import { devicesOf, epochOf, type GroupRecord } from "./group-record.ts"

export function prepared(
  epoch: number,
  { digest, message, welcome, next }: NonNullable<GroupRecord["pending"]>,
): PreparedCommit {
  const members = next.log.body.members.map(({ chain }) => chain)
  return { epoch, digest, message, members, ...(welcome === undefined ? {} : { welcome }) }
}

/** While our commit waited, messages of its epoch came and went: what they used stays used. */
export function withTreeOf(next: GroupRecord["state"], ended: GroupRecord["state"]): GroupRecord["state"] {
  const epoch = ended.groupContext.epoch
  const past = next.historicalReceiverData.get(epoch)
  if (past === undefined) return next
  const kept = new Map([...next.historicalReceiverData, ...ended.historicalReceiverData])
  kept.set(epoch, { ...past, secretTree: ended.secretTree })
  return { ...next, historicalReceiverData: keepOnly(kept, next.historicalReceiverData) }
}

function keepOnly<K, V>(map: ReadonlyMap<K, V>, like: ReadonlyMap<K, V>): Map<K, V> {
  return new Map([...map].filter(([key]) => like.has(key)))
}

export function appliedByOther(
  before: GroupRecord,
  after: GroupRecord,
  { judged, isRemoved }: { readonly judged: JudgedCommit; readonly isRemoved: boolean },
): AppliedCommit {
  return {
    kind: "applied",
    epoch: epochOf(after.state) + (isRemoved ? 1 : 0),
    by: judged.committer,
    added: judged.added,
    removed: judged.removed,
    newcomers: newcomersOf(before, after),
    ...(after.log.digest === before.log.digest ? {} : { state: after.log.body }),
    isRemoved,
  }
}

/** Our own commit, by what it did to the tree. */
export function appliedByUs(before: GroupRecord, after: GroupRecord, by: DeviceCredential): AppliedCommit {
  const credentials = (record: GroupRecord) => devicesOf(record.state.ratchetTree).map(({ credential }) => credential)
  const [old, now] = [credentials(before), credentials(after)]
  const notIn = (list: readonly DeviceCredential[]) => (one: DeviceCredential) =>
    !list.some(({ device }) => device === one.device)
  return {
    kind: "applied",
    epoch: epochOf(after.state),
    by,
    added: now.filter(notIn(old)),
    removed: old.filter(notIn(now)),
    newcomers: newcomersOf(before, after),
    ...(after.log.digest === before.log.digest ? {} : { state: after.log.body }),
    isRemoved: false,
  }
}

function newcomersOf(before: GroupRecord, after: GroupRecord): readonly Digest[] {
  const known = new Set(before.log.body.members.map(({ chain }) => chain))
  return after.log.body.members.map(({ chain }) => chain).filter((chain) => !known.has(chain))
}
