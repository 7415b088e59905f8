/** Who is in a conversation since when, by the count of this device's own messages: what is said again is for those only who were there, and nothing is kept of who left. */
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

/** Of own messages the first one that was sent when this person was in it. */
export function firstFor(row: GroupRow, cipher: GroupCipher, chain: Digest): number {
  return cameInOf(row, [chain], () => cipher.members())[chain]?.counter ?? 0
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

/** After a commit. Nothing is kept of who left. `first`: the first own message that is encrypted in its epoch. */
export function withCommit(row: GroupRow, cipher: GroupCipher, outcome: AppliedCommit, first: number): GroupRow {
  const { added, removed, newcomers, epoch } = outcome
  const members = cipher.members()
  const isAdded = new Set(added.map(({ device }) => device))
  const devicesBefore = () => [...members.filter(({ device }) => !isAdded.has(device)), ...removed]
  const devices = new Set(members.map(({ device }) => device))
  const chains = cipher.state.members.map(({ chain }) => chain)
  const people = new Set<string>(chains)
  const since = Object.fromEntries(added.map(({ device }) => [device, first]))
  const came = Object.fromEntries(newcomers.map((chain) => [chain, { epoch, counter: first }]))
  return {
    ...row,
    since: only(devices, { ...row.since, ...since }),
    given: only(devices, row.given),
    receipts: only(devices, row.receipts),
    cameIn: only(people, { ...cameInOf(row, chains, devicesBefore), ...came }),
    confirmedBy: only(people, row.confirmedBy),
  }
}

function only<T>(names: ReadonlySet<string>, all: Readonly<Record<string, T>> = {}): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.has(name)))
}
