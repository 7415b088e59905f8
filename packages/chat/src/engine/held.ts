/** What came has to wait: for what, how much of it is kept, and what is remembered of the rest. */
import type { Digest } from "@kez/core"
import type { FarAhead } from "../cipher/group-cipher.ts"
import type { Desk } from "./desk.ts"
import { groupAt } from "./outbox-rows.ts"
import { type GroupRow, keys } from "./row.ts"
import type { Unit } from "./unit.ts"

/** Deliveries of one conversation that wait for a commit which the server does not have, and their bytes. */
const maxWaitingForCommits = 256
const maxWaitingBytes = 2_097_152
/** Who claims to be of an epoch that is further ahead is not waited for: anybody could. */
const maxEpochsAhead = 64

interface Reasons {
  readonly far?: FarAhead | undefined
  readonly epoch?: number
  readonly cause?: unknown
}

/** Thrown inside a step to take it back: what came has to wait for something before it. */
export class Held extends Error {
  /** `again`: it could not be worked off, for a reason of our own, and cannot be left out. */
  readonly needs: "commits" | "history" | "chains" | "welcome" | "again"
  /** Of `history`: too many messages of this device are missing before it. */
  readonly far: FarAhead | undefined
  /** Of `commits`: the epoch that it claims to be of. */
  readonly epoch: number
  /** `cause`: of `again`. */
  constructor(needs: Held["needs"], { far, epoch = 0, cause }: Reasons = {}) {
    super(`waits for ${needs}`, { cause })
    this.needs = needs
    this.far = far
    this.epoch = epoch
  }
}

/** A delivery in the inbox, and what it waits for. */
export interface Waiting {
  readonly key: string
  readonly seq: number
  readonly bytes: number
  readonly held: Held
}

/**
 * Anybody can make what claims to be of a later epoch: only so much of it is kept. Of the rest it is remembered where it stood, and it is read again
 * once that epoch is there.
 */
export async function dropWaiting(unit: Unit, desk: Desk, group: Digest, waiting: readonly Waiting[]): Promise<void> {
  const dropped: Waiting[] = []
  const { epoch } = await desk.ciphers.of(group)
  let [kept, bytes] = [0, 0]
  for (const one of waiting.filter(({ held }) => held.needs === "commits").toReversed()) {
    const isKept =
      one.held.epoch <= epoch + maxEpochsAhead && kept < maxWaitingForCommits && bytes + one.bytes <= maxWaitingBytes
    if (isKept) [kept, bytes] = [kept + 1, bytes + one.bytes]
    else dropped.push(one)
  }
  for (const { key } of dropped) unit.delete(key)
  await noteDropped(unit, desk, group, dropped)
}

/** What is too far ahead is not remembered: if it is no lie, its sender's count shows that it is missing. */
export async function noteDropped(
  unit: Unit,
  desk: Desk,
  group: Digest,
  waiting: readonly Pick<Waiting, "seq" | "held">[],
): Promise<void> {
  const { epoch } = await desk.ciphers.of(group)
  const early = waiting.filter(({ held }) => held.needs === "commits" && held.epoch <= epoch + maxEpochsAhead)
  if (early.length === 0) return
  const row = await groupAt(unit, group)
  const droppedFrom = Math.min(...early.map(({ seq }) => seq), row.droppedFrom ?? Number.POSITIVE_INFINITY)
  const before = row.droppedFrom === undefined ? Number.POSITIVE_INFINITY : (row.droppedEpoch ?? 0)
  const droppedEpoch = Math.min(...early.map(({ held }) => held.epoch), before)
  unit.put(keys.group(group), { ...row, droppedFrom, droppedEpoch } satisfies GroupRow)
}
