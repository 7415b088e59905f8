/** Who is in a conversation since when, by the count of this device's own messages: what is said again is for those only who were there */
import type { Digest } from "@kez/core"
import type { AppliedCommit, GroupCipher } from "../cipher/group-cipher.ts"
import type { GroupRow } from "./row.ts"

type CameIn = NonNullable<GroupRow["cameIn"]>

interface DeviceOf {
  readonly chain: Digest
  readonly device: string
}

/** Of own messages the first one that was sent when everybody of now was in it. */
export function firstForAll(row: GroupRow, cipher: GroupCipher): number {
  const chains = cipher.state.members.map(({ chain }) => chain)
  const cameIn = cameInOf(row, chains, () => cipher.members())
  return Math.max(0, ...chains.map((chain) => cameIn[chain]?.counter ?? 0))
}

/**
 * Rows of before do not have it. There the oldest device of each person counts, as far as it is known since when that one is in it; who has no device there
 * gets what is sent from now on. `devices`: those that were in it so far.
 */
function cameInOf(
  { cameIn, since = {}, nextCounter }: GroupRow,
  chains: readonly Digest[],
  devices: () => readonly DeviceOf[],
): CameIn {
  if (cameIn !== undefined) return cameIn
  const there = devices()
  const counterOf = (chain: Digest): number => {
    const own = there.filter((one) => one.chain === chain)
    return Math.min(nextCounter, ...own.map(({ device }) => since[device] ?? 0))
  }
  return Object.fromEntries(chains.map((chain) => [chain, { epoch: 0, counter: counterOf(chain) }]))
}

/** After a commit. `first`: the first own message that is encrypted in its epoch. */
export function withCommit(row: GroupRow, cipher: GroupCipher, outcome: AppliedCommit, first: number): GroupRow {
  const { added, removed, newcomers, epoch } = outcome
  const isAdded = new Set(added.map(({ device }) => device))
  const devicesBefore = () => [...cipher.members().filter(({ device }) => !isAdded.has(device)), ...removed]
  const chains = cipher.state.members.map(({ chain }) => chain)
  const since = { ...row.since }
  for (const { device } of removed) delete since[device]
  for (const { device } of added) since[device] = first
  const cameIn = { ...cameInOf(row, chains, devicesBefore) }
  for (const chain of newcomers) cameIn[chain] = { epoch, counter: first }
  const given = { ...row.given }
  for (const { device } of removed) delete given[device]
  return { ...row, since, cameIn, given }
}
