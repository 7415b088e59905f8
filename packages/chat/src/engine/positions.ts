/** Where the messages of each device stand: said to who comes in by who adds him, and believed until the device shows it itself. */
import { type Digest, decodeText } from "@kez/core"
import { encodeText } from "../bytes.ts"
import type { Joined } from "../cipher/mls-join.ts"
import { maxToldCounter } from "../limits.ts"
import { decodeMessage } from "../wire/message.ts"
import { sequenceFrom } from "../wire/sequence.ts"
import { raise } from "./alarms.ts"
import type { Desk } from "./desk.ts"
import { changeMessage } from "./message-rows.ts"
import { groupAt, markAnswered, outboxOf, ownMessage } from "./outbox-rows.ts"
import { type GroupRow, keys } from "./row.ts"
import {
  type DeviceSequence,
  goneOf,
  maxGone,
  putSequence,
  sequenceOf,
  sequencesOf,
  toldAgain,
} from "./sequence-rows.ts"
import type { Unit } from "./unit.ts"

const maxExtraBytes = 262_144

interface Position {
  readonly next: number
  readonly last?: Digest
}

type Positions = Readonly<Record<string, Position>>

/** For those whom a commit adds: by it they know what they miss, and what was never for them. `added`: their devices, which may have been in it before. */
export async function positionsOf(
  unit: Unit,
  desk: Desk,
  group: Digest,
  added: readonly string[],
): Promise<Uint8Array> {
  const row = await groupAt(unit, group)
  const members = (await desk.ciphers.of(group)).members().map(({ device }) => device)
  const positions: Record<string, Position> = {}
  for (const { device, sequence } of toTell(await sequencesOf(unit, group), new Set([...members, ...added]))) {
    positions[device] = { next: sequence.next, ...(sequence.last === undefined ? {} : { last: sequence.last }) }
  }
  positions[desk.device] = await ownPosition(unit, desk, row)
  return encodeText(JSON.stringify(positions))
}

function toTell(sequences: readonly DeviceSequence[], there: ReadonlySet<string>): readonly DeviceSequence[] {
  return [...sequences.filter(({ device }) => there.has(device)), ...goneOf(sequences, there).slice(0, maxGone)]
}

async function ownPosition(unit: Unit, desk: Desk, row: GroupRow): Promise<Position> {
  await markAnswered(unit, desk, row.group)
  const [first] = await outboxOf(unit, row.group, 1)
  if (first === undefined) return { next: row.nextCounter, ...(row.lastId === undefined ? {} : { last: row.lastId }) }
  const bytes = await ownMessage(unit, row.group, first.counter)
  const prev = bytes === undefined ? undefined : decodeMessage(bytes, desk.device).prev
  return { next: first.counter, ...(prev === undefined ? {} : { last: prev }) }
}

/** What is said of others counts until they show it themselves. Nothing of theirs that can be read here stands before the commit. */
export async function takePositions(
  unit: Unit,
  desk: Desk,
  { group, thread, lastCommit }: GroupRow,
  { extra, by, cipher }: Joined,
): Promise<void> {
  if (extra.length === 0 || extra.length > maxExtraBytes) return
  if (by !== undefined) {
    const toldBy = { chain: by.chain, device: by.device }
    unit.put(keys.group(group), { ...(await groupAt(unit, group)), toldBy } satisfies GroupRow)
  }
  const there = new Set(cipher.members().map(({ device }) => device))
  for (const [device, position] of Object.entries(readPositions(extra, there))) {
    if (device === desk.device) await takeOwn(unit, group, position)
    else await takeTold(unit, desk, { group, thread, device, lastCommit, position })
  }
}

/** Added again after its state was lost: it goes on behind what the others know of it. */
async function takeOwn(unit: Unit, group: Digest, { next, last }: Position): Promise<void> {
  const row = await groupAt(unit, group)
  if (next <= row.nextCounter || last === undefined) return
  unit.put(keys.group(group), { ...row, nextCounter: next, lastId: last, begunAt: next } satisfies GroupRow)
}

interface Told {
  readonly group: Digest
  readonly thread: Digest
  readonly device: string
  readonly lastCommit: number
  readonly position: Position
}

/** What this device saw itself, when it was in it before, stays; and of what was said while it was out it is given nothing. */
async function takeTold(unit: Unit, desk: Desk, told: Told): Promise<void> {
  const { group, thread, device, lastCommit, position } = told
  const { next, last } = position
  if ((await unit.bytes(keys.sequence(group, device))) === undefined) {
    const sequence = { ...sequenceFrom(next, last), isTold: true } as const
    putSequence(unit, group, { device, sequence, places: new Map(), lastSeq: lastCommit, begunAt: next })
    return
  }
  const before = await sequenceOf(unit, group, device)
  if (next <= before.sequence.next) return
  const { after, released, lost } = toldAgain(before, next, last)
  putSequence(unit, group, { ...after, lastSeq: lastCommit })
  for (const place of released) await changeMessage(unit, desk, { thread, place }, { isEarly: false })
  if (lost?.fault === undefined) return
  await raise(unit, desk, { kind: "sender_fork", conversation: thread, device, counter: lost.from }, lost.fault)
}

/** By a member, encrypted; still of his making: what does not fit is left out. `there`: the devices of the conversation. */
export function readPositions(extra: Uint8Array, there: ReadonlySet<string>): Positions {
  let value: unknown
  try {
    value = JSON.parse(decodeText(extra, maxExtraBytes))
  } catch {
    return {}
  }
  if (typeof value !== "object" || value === null) return {}
  const all = Object.entries(value).filter(isPosition)
  const gone = all.filter(([device]) => !there.has(device)).slice(0, maxGone)
  return Object.fromEntries([...all.filter(([device]) => there.has(device)), ...gone])
}

function isPosition(entry: [string, unknown]): entry is [string, Position] {
  const [device, at] = entry
  return (
    /^[a-z0-9]+:[!-~]{1,128}$/.test(device) &&
    typeof at === "object" &&
    at !== null &&
    "next" in at &&
    Number.isSafeInteger(at.next) &&
    Number(at.next) >= 0 &&
    Number(at.next) <= maxToldCounter &&
    // Only of the first one nothing is before it.
    "last" in at === Number(at.next) > 0 &&
    (!("last" in at) || (typeof at.last === "string" && /^sha256:[0-9a-f]{64}$/.test(at.last)))
  )
}
