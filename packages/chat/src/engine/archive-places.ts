/** Where entries stand among those of their device: what is missing, what came twice, and what stands in a place that is taken. */
import { type Digest, KezError } from "@kez/core"
import type { ArchiveEpochDocument } from "../archive/archive-document.ts"
import { standingNow } from "../chains.ts"
import { sequenceFrom } from "../wire/sequence.ts"
import { close, raise } from "./alarms.ts"
import { archiveRow } from "./archive-rows.ts"
import type { Desk } from "./desk.ts"
import { keys } from "./row.ts"
import { type DeviceSequence, isMissed, placeIn, putSequence, sequenceOf } from "./sequence-rows.ts"
import type { Unit } from "./unit.ts"

export interface EntryPlace {
  readonly device: string
  readonly number: number
  readonly prev: Digest | undefined
  readonly digest: Digest
  readonly seq?: number
}

/** Takes the place of an entry. False: what is in it is not to be taken, because it was before or should not be there. */
export async function placeEntry(
  unit: Unit,
  desk: Desk,
  { device, number, prev, digest, seq }: EntryPlace,
): Promise<boolean> {
  await assertMayWrite(unit, desk, device, number)
  // The account's chain stands where a group stands for messages.
  const before = await sequenceOf(unit, desk.chain, device)
  const { arrival, after } = placeIn(
    before,
    { counter: number, id: digest, ...(prev === undefined ? {} : { prev }) },
    seq,
  )
  switch (arrival.kind) {
    case "repeat":
      return false
    case "fork": {
      await raise(unit, desk, { kind: "archive_fork", device, number }, forkFault(number))
      // What follows it is read on.
      if (number === before.sequence.next) putAfter(unit, desk, before, { number, digest })
      return false
    }
    case "outside":
      return false
    case "gap":
      await missing(unit, desk, device, arrival)
      break
    case "in_order":
      if (arrival.fault !== undefined) {
        await raise(unit, desk, { kind: "archive_fork", device, number: after.sequence.next }, forkFault(number))
      }
      if (after.sequence.held.size === 0 && before.sequence.held.size > 0) await closeMissing(unit, desk, after)
      break
    case "late":
      await closeMissing(unit, desk, after)
      break
  }
  putSequence(unit, desk.chain, after)
  return true
}

function closeMissing(unit: Unit, desk: Desk, after: DeviceSequence): Promise<void> {
  const { device, sequence } = after
  return close(unit, desk, (one) => {
    if (one.kind !== "archive_missing" || one.device !== device) return false
    return one.to < sequence.next && !isMissed(after, one)
  })
}

function putAfter(
  unit: Unit,
  desk: Desk,
  before: Awaited<ReturnType<typeof sequenceOf>>,
  { number, digest }: { readonly number: number; readonly digest: Digest },
): void {
  putSequence(unit, desk.chain, { ...before, sequence: sequenceFrom(number + 1, digest), places: new Map() })
}

/** A device that was revoked before an epoch was made adds nothing behind where that epoch saw it. */
async function assertMayWrite(unit: Unit, desk: Desk, device: string, number: number): Promise<void> {
  const { passed } = await archiveRow(unit)
  const replay = desk.known(desk.chain)
  if (passed === undefined || replay === undefined || standingNow(replay, device) === "current") return
  if (passed.sealedTo.includes(device) || number <= (passed.heads[device] ?? -1)) return
  throw new KezError("chat.archive", "Cannot use an entry of the archive: a device wrote it that was revoked before", {
    hint: "The server put it there for somebody who has that device. It is shown nowhere.",
  })
}

/** Where the maker of an epoch saw each device: what does not reach that far was dropped, and another entry there is a forgery. */
export async function checkHeads(
  unit: Unit,
  desk: Desk,
  { envelope, keys: { heads, sealed } }: ArchiveEpochDocument,
): Promise<void> {
  for (const { device, number, digest } of heads) {
    const { sequence } = await sequenceOf(unit, desk.chain, device)
    const { next, recent } = sequence
    if (next <= number) {
      if (!sequence.held.has(number)) await missing(unit, desk, device, { from: next, to: number })
      continue
    }
    const known = recent[recent.length - (next - number)]
    if (known !== undefined && known !== digest) {
      await raise(unit, desk, { kind: "archive_fork", device, number }, forkFault(number))
    }
  }
  const replay = desk.known(desk.chain)
  // One that was revoked since could name itself among those who may write.
  if (replay === undefined || standingNow(replay, envelope.signature.key) !== "current") return
  unit.put(keys.archive, {
    ...(await archiveRow(unit)),
    passed: {
      sealedTo: sealed.map(({ to }) => to),
      heads: Object.fromEntries(heads.map(({ device, number }) => [device, number])),
    },
  })
}

function missing(
  unit: Unit,
  desk: Desk,
  device: string,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<void> {
  const fault = new KezError("chat.archive", `Entries ${from} to ${to} of a device are not in the archive`, {
    hint: "The server lost them, or holds them back. Another device of yours may still have what was in them.",
  })
  return raise(unit, desk, { kind: "archive_missing", device, from, to }, fault)
}

function forkFault(number: number): KezError {
  return new KezError("chat.archive", `A device wrote two different entries ${number} to the archive`, {
    hint: "Its state was restored from an old copy, or somebody else has the archive's keys. Revoke the device if you did not restore it.",
  })
}
