/** Where devices are reached for files, and what they share: told to those who are there, believed if the device itself signed it, and who may have what is offered. */
import { type Code, type Digest, KezError } from "@kez/core"
import { roleOf } from "../conversation/state-body.ts"
import type { MoverAddress } from "../files/mover.ts"
import { type Presence, readPresence, signPresence } from "../files/presence.ts"
import type { ContentTypes, PresenceWish } from "../wire/content.ts"
import { encodeMessage } from "../wire/message.ts"
import { contactRow } from "./contact-rows.ts"
import type { Desk } from "./desk.ts"
import type { ConversationDevice, PresenceAbout } from "./engine.ts"
import { stateAfterChanges } from "./group-changes.ts"
import { enqueue, groupAt } from "./outbox-rows.ts"
import { type GroupRow, keys, type ThreadRow } from "./row.ts"
import { currentGroup, isOpen, mayTell, stopOf } from "./threads.ts"
import type { Unit } from "./unit.ts"
import { conversationAt } from "./writing.ts"

/** Like typing, each takes a key that those who are away never see: with those of typing they stay below the 200 that may be skipped. */
const maxBetweenMessages = 100

export class Presences {
  readonly #desk: Desk
  readonly #told = new Map<Digest, { readonly counter: number; readonly count: number }>()

  constructor(desk: Desk) {
    this.#desk = desk
  }

  tell(conversation: Digest, address: MoverAddress, { transfer, wish = "files" }: PresenceAbout): Promise<boolean> {
    const desk = this.#desk
    return this.#say(conversation, transfer, async (unit) => {
      // Rising also where the store is younger than what others remember.
      const counter = Math.max(((await unit.get<number>(keys.ownPresence)) ?? 0) + 1, desk.now())
      unit.put(keys.ownPresence, counter)
      const { chain, ports } = desk
      const body = await signPresence({ chain, keys: ports.account.keys, address, counter, now: desk.now() })
      return encodeMessage({ device: desk.device }, "presence", { content: { for: wish }, body }).bytes
    })
  }

  tellShares(conversation: Digest, content: ContentTypes["shares"], statement: Uint8Array): Promise<boolean> {
    const { device } = this.#desk
    return this.#say(
      conversation,
      undefined,
      async () => encodeMessage({ device }, "shares", { content, body: statement }).bytes,
    )
  }

  async #say(
    conversation: Digest,
    transfer: string | undefined,
    make: (unit: Unit) => Promise<Uint8Array>,
  ): Promise<boolean> {
    const desk = this.#desk
    if (!desk.isOnline) return false
    const made = await desk.turn(async (unit) => {
      const row = await this.#mayTell(unit, conversation, transfer)
      if (row === undefined) return undefined
      const cipher = await desk.ciphers.of(row.group)
      return { group: row.group, bytes: await cipher.encrypt(await make(unit)) }
    })
    if (made === undefined) return false
    const name = made.group.slice("sha256:".length)
    try {
      await desk.request("live", { conversation: name, topic: "presence" }, [made.bytes])
      return true
    } catch (error) {
      if (error instanceof KezError) return false
      throw error
    }
  }

  async #mayTell(unit: Unit, conversation: Digest, transfer: string | undefined): Promise<GroupRow | undefined> {
    const desk = this.#desk
    const thread = await unit.get<ThreadRow>(keys.thread(conversation))
    if (thread === undefined || thread.isLeaving === true) return undefined
    if (!(await mayTell(unit, thread)) || (await stopOf(unit, thread)) !== undefined) return undefined
    const row = await currentGroup(unit, desk, thread)
    if (row === undefined) return undefined
    const cipher = await desk.ciphers.of(row.group)
    // Who is to be removed would read it.
    if ((await unit.rows(keys.changes(row.group), 1)).length > 0) return undefined
    if (!isOpen(cipher, desk.chain) || cipher.overdue().length > 0) return undefined
    const before = this.#told.get(conversation)
    const count = before?.counter === row.nextCounter ? before.count + 1 : 1
    if (count <= maxBetweenMessages) {
      this.#told.set(conversation, { counter: row.nextCounter, count })
      return row
    }
    if (transfer === undefined) return undefined
    // A message that stays: from it on those who are away count anew, whenever they come.
    await enqueue(unit, desk, { group: row.group, type: "file_state", content: { transfer, state: "open" } })
    const after = await groupAt(unit, row.group)
    this.#told.set(conversation, { counter: after.nextCounter, count: 1 })
    return after
  }
}

/** What is kept of a presence: its counter outlives it, so that it never counts twice. */
interface PresenceRow {
  readonly counter: number
}

/** By MLS. */
interface Sender {
  readonly group: Digest
  readonly chain: Digest
  readonly device: string
}

/** One that does not fit is forgotten: whoever sent it can send nothing worse than silence. */
export async function takePresence(
  unit: Unit,
  desk: Desk,
  body: Uint8Array,
  { group, chain, device, wish }: Sender & { readonly wish: PresenceWish },
): Promise<void> {
  const row = await unit.get<GroupRow>(keys.group(group))
  const thread = row === undefined ? undefined : await unit.get<ThreadRow>(keys.thread(row.thread))
  if (thread === undefined || device === desk.device) return
  const now = desk.now()
  const key = keys.presence(thread.id, device)
  const lastCounter = (await unit.get<PresenceRow>(key))?.counter
  let presence: Presence
  try {
    presence = readPresence(body, { chain, device, now, lastCounter })
  } catch (fault) {
    if (fault instanceof KezError) return
    throw fault
  }
  unit.put(key, { counter: presence.counter } satisfies PresenceRow)
  const asksShares = wish === "shares"
  unit.afterwards(() => desk.tell({ kind: "presence", conversation: thread.id, presence, asksShares }))
}

/** Who asked judges it: what nobody asked for is dropped there. */
export async function takeShares(
  unit: Unit,
  desk: Desk,
  statement: Uint8Array,
  { group, chain, device, shares }: Sender & { readonly shares: ContentTypes["shares"] },
): Promise<void> {
  const row = await unit.get<GroupRow>(keys.group(group))
  const thread = row === undefined ? undefined : await unit.get<ThreadRow>(keys.thread(row.thread))
  if (thread === undefined || device === desk.device) return
  const conversation = thread.id
  unit.afterwards(() => desk.tell({ kind: "shares", conversation, chain, device, shares, statement }))
}

/** Devices of members who may have what is offered in a conversation. */
export async function devicesOf(unit: Unit, desk: Desk, conversation: Digest): Promise<readonly ConversationDevice[]> {
  const thread = await unit.get<ThreadRow>(keys.thread(conversation))
  if (thread === undefined || thread.isLeaving === true || !(await mayTell(unit, thread))) return []
  if ((await stopOf(unit, thread)) !== undefined) return []
  const found = new Map<string, ConversationDevice>()
  for (const group of thread.groups) {
    const row = await unit.get<GroupRow>(keys.group(group))
    if (row === undefined || row.isRemoved === true) continue
    // Who is to be removed has gone already, for what is given.
    const state = await stateAfterChanges(unit, desk, group)
    for (const { chain, device, standing, isSelf } of (await desk.ciphers.of(group)).members()) {
      if (roleOf(state, chain) === undefined || (await contactRow(unit, chain))?.standing === "blocked") continue
      found.set(device, { chain, device, standing, isSelf })
    }
  }
  return [...found.values()]
}

/** By the state, not by who has a device in the tree: who lost his only one is a member still. */
export async function membersOf(unit: Unit, desk: Desk, conversation: Digest): Promise<readonly Digest[]> {
  const thread = await conversationAt(unit, conversation)
  const stop = await stopOf(unit, thread)
  if (stop !== undefined) throw nothingGiven("account.changed", stop.reason)
  if (!(await mayTell(unit, thread)))
    throw nothingGiven("usage", "who wrote first, or brought you there, is no contact")
  if (thread.contact !== undefined) return [desk.chain, thread.contact]
  const row = thread.isLeaving === true ? undefined : await currentGroup(unit, desk, thread)
  if (row === undefined) throw nothingGiven("chat.removed", "this device is not in it any more, or about to leave")
  return (await stateAfterChanges(unit, desk, row.group)).members.map(({ chain }) => chain)
}

function nothingGiven(code: Code, why: string): KezError {
  return new KezError(code, `Cannot give anything to the members of the conversation: ${why}`)
}
