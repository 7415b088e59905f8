/** Commits of a conversation as they come and as they are made: applied in the order of the log, together with what follows from them. */
import { type Digest, KezError } from "@kez/core"
import type { AppliedCommit, PreparedCommit } from "../cipher/group-cipher.ts"
import type { StateBody } from "../conversation/state-body.ts"
import { raise } from "./alarms.ts"
import { withCommit } from "./came-in.ts"
import type { Desk } from "./desk.ts"
import { dueChange } from "./group-changes.ts"
import { Held } from "./held.ts"
import { failAll, groupAt, markAnswered, outboxOf } from "./outbox-rows.ts"
import { giveMissed, type Receiving } from "./resend.ts"
import { type GroupRow, keys, type ThreadRow, type WelcomeRow } from "./row.ts"
import { dropGone, noteFresh } from "./sequence-rows.ts"
import { tellConversation } from "./threads.ts"
import { judgeToldMembers, noteHealed } from "./told-members.ts"
import type { Unit } from "./unit.ts"

/** Rows of before that nobody needs. */
const maxDroppedAtOnce = 1_000

export interface ReceivedCommit {
  readonly row: GroupRow
  readonly data: Uint8Array
  /** As the server says. Its order is that of the epochs; this only says what the next commit follows. */
  readonly seq: number
  /** Whom the server was told to deliver to from then on. */
  readonly members?: readonly Digest[] | undefined
}

export async function takeCommit(unit: Unit, desk: Desk, { row, data, seq, members }: ReceivedCommit): Promise<void> {
  const { group } = row
  const cipher = await desk.ciphers.of(group)
  const { pending } = cipher
  const outcome = await cipher.process(data)
  switch (outcome.kind) {
    case "ahead":
      throw new Held("commits", { epoch: outcome.epoch })
    case "needs_chains":
      for (const { chain } of outcome.heads) desk.ciphers.missed.add(chain)
      throw new Held("chains")
    case "repeat":
      if (outcome.isPending && pending !== undefined) await acceptOwn(unit, desk, { row, pending, seq })
      else await putPlace(unit, group, seq)
      // Only our own comes again at its own place, and only the newest one says what holds.
      if (seq !== (await groupAt(unit, group)).lastCommit) return
      return judgeToldMembers(unit, desk, { group, members, by: undefined })
    case "applied":
      await putPlace(unit, group, seq)
      await applied(unit, desk, group, outcome)
      return judgeToldMembers(unit, desk, { group, members, by: outcome.by.chain })
    case "refused":
      return refused(unit, desk, { row, seq }, outcome)
  }
}

async function putPlace(unit: Unit, group: Digest, seq: number): Promise<void> {
  const row = await groupAt(unit, group)
  if (seq > row.lastCommit) unit.put(keys.group(group), { ...row, lastCommit: seq })
}

/** The server put our commit in its place: it is in force, and its Welcomes are to be sent. One step. */
export async function acceptOwn(
  unit: Unit,
  desk: Desk,
  { row, pending, seq }: { readonly row: GroupRow; readonly pending: PreparedCommit; readonly seq: number },
): Promise<void> {
  const cipher = await desk.ciphers.of(row.group)
  const outcome = await cipher.accept()
  await putPlace(unit, row.group, seq)
  for (const { chain, device } of pending.welcome === undefined ? [] : outcome.added) {
    unit.put(keys.welcome(row.group, device), { chain, device, commit: seq } satisfies WelcomeRow, pending.welcome)
  }
  await applied(unit, desk, row.group, outcome)
  await noteHealed(unit, desk, row.group)
}

async function applied(unit: Unit, desk: Desk, group: Digest, outcome: AppliedCommit): Promise<void> {
  await markAnswered(unit, desk, group)
  const cipher = await desk.ciphers.of(group)
  const row = readAgain(await groupAt(unit, group), outcome.epoch, desk.now())
  // What waits is encrypted in the new epoch, so that who came reads it.
  const first = (await outboxOf(unit, group, 1))[0]?.counter ?? row.nextCounter
  for (const { device } of outcome.added) await noteFresh(unit, group, device)
  await dropGone(unit, group, new Set(cipher.members().map(({ device }) => device)))
  for (const { key } of await unit.rows(keys.seen(group), maxDroppedAtOnce)) unit.delete(key)
  const toGive = [...(row.toGive ?? []), ...outcome.added.map(({ chain, device }) => ({ chain, device }))]
  const follows = outcome.isRemoved ? { isRemoved: true } : toGive.length === 0 ? {} : { toGive }
  unit.put(keys.group(group), { ...withCommit(row, cipher, outcome, first), ...follows } satisfies GroupRow)
  // What was asked for and is done now is over, so that it does not undo what somebody does later.
  await dueChange(unit, desk, cipher).catch((error: unknown) => tellFault(desk, error))
  if (outcome.state !== undefined) unit.afterwards(() => desk.followChains())
  if (outcome.isRemoved) {
    await rememberLeft(unit, row, cipher.state)
    await failAll(unit, desk, group, new KezError("chat.removed", "Cannot send: this device was removed"))
  }
  await tellConversation(unit, desk, row.thread)
  unit.afterwards(() => desk.wake(group))
}

/** What follows from a commit and cannot be done is no reason to leave the commit out: the others are in its epoch. Throws what the store has. */
function tellFault(desk: Desk, error: unknown): void {
  if (error instanceof KezError && error.code.startsWith("store.")) throw error
  desk.fault(error)
}

/** Gives devices that came in what their people miss, in a step of its own. True: some are done. What cannot be given is left; what there is no room for in this minute waits for the next one. */
export async function giveWhatIsDue(desk: Desk, { group, toGive }: GroupRow): Promise<boolean> {
  if (toGive === undefined) return false
  const take = (give: (unit: Unit, row: GroupRow) => Promise<readonly Receiving[]>) =>
    desk.turn(async (unit) => {
      const row = await groupAt(unit, group)
      const left = await give(unit, row)
      // Looked at again and again while it waits: nothing is written then.
      if (left.length > 0 && left.length === row.toGive?.length) return false
      const { toGive: _, ...rest } = await groupAt(unit, group)
      unit.put(keys.group(group), { ...rest, ...(left.length === 0 ? {} : { toGive: left }) } satisfies GroupRow)
      return true
    })
  try {
    return await take((unit, { toGive: added = [], since = {} }) =>
      giveMissed(
        unit,
        desk,
        group,
        added.filter(({ device }) => since[device] !== undefined),
      ),
    )
  } catch (error) {
    tellFault(desk, error)
    return take(async () => [])
  }
}

/** What was dropped because it waited for this commit is read from the history. */
function readAgain(
  { droppedFrom, droppedEpoch = 0, stuckEpoch, ...row }: GroupRow,
  epoch: number,
  now: number,
): GroupRow {
  const isDropped = droppedFrom !== undefined
  const isReached = isDropped && droppedEpoch <= epoch
  const behindFrom = Math.min(droppedFrom ?? Number.POSITIVE_INFINITY, row.behindFrom ?? Number.POSITIVE_INFINITY)
  const isStuck = stuckEpoch !== undefined && stuckEpoch < epoch
  return {
    ...row,
    ...(isReached ? { isBehind: true, behindFrom } : {}),
    ...(isDropped && !isReached ? { droppedFrom, droppedEpoch } : {}),
    ...(isStuck ? { unstuckAt: now } : {}),
    ...(stuckEpoch === undefined || isStuck ? {} : { stuckEpoch }),
  }
}

/** What it was called and who was in it stays to be seen. */
async function rememberLeft(unit: Unit, { thread: id }: GroupRow, { kind, name, members }: StateBody): Promise<void> {
  const thread = await unit.get<ThreadRow>(keys.thread(id))
  if (thread === undefined || kind === "dm") return
  const chains = members.map(({ chain }) => chain)
  unit.put(keys.thread(id), { ...thread, ...(name === undefined ? {} : { name }), members: chains } satisfies ThreadRow)
}

async function refused(
  unit: Unit,
  desk: Desk,
  { row, seq }: { readonly row: GroupRow; readonly seq: number },
  { fault, by }: { readonly fault: KezError; readonly by?: { readonly chain: Digest; readonly device: string } },
): Promise<void> {
  await putPlace(unit, row.group, seq)
  const conversation = row.thread
  if (fault.code === "chat.fork") return raise(unit, desk, { kind: "conversation_fork", conversation }, fault)
  // From before this device was in it.
  if (fault.code === "chat.epoch") return
  if (by === undefined) return raise(unit, desk, { kind: "message_refused", conversation, seq }, fault)
  await raise(unit, desk, { kind: "commit_refused", conversation, contact: by.chain, device: by.device }, fault)
}
