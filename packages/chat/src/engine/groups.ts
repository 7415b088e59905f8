/** Groups: made, and changed by those whom their state allows. What is asked for becomes a signed state in a commit, once there is a connection. */
import { type Digest, formatHex, type Json, KezError } from "@kez/core"
import { backend } from "#chat-backend"
import { createConversation } from "../cipher/mls-join.ts"
import { directPolicy, parseStateBody, type Role, roleOf, type StateChange } from "../conversation/state-body.ts"
import { contactRow } from "./contact-rows.ts"
import type { Desk } from "./desk.ts"
import type { Conversation, Groups } from "./engine.ts"
import { askForChange, putChange, stateAfterChanges } from "./group-changes.ts"
import { threadAt } from "./message-rows.ts"
import { enqueue } from "./outbox-rows.ts"
import { type GroupRow, keys, type ThreadRow } from "./row.ts"
import { addGroup, currentGroup, tellConversation, viewThread } from "./threads.ts"
import type { Unit } from "./unit.ts"
import { assertCurrent, conversationAt } from "./writing.ts"

export class GroupBook implements Groups {
  readonly #desk: Desk

  constructor(desk: Desk) {
    this.#desk = desk
  }

  create(name: string, people: readonly Digest[]): Promise<Conversation> {
    const desk = this.#desk
    return desk.turn(async (unit) => {
      const { credential } = desk
      if (credential === undefined) throw new Error("a conversation before the credential")
      assertCurrent(desk)
      for (const chain of people) await assertContact(unit, desk, chain)
      const others = [...new Set(people)].filter((chain) => chain !== desk.chain)
      const members = [
        { chain: desk.chain, role: "owner" },
        ...others.map((chain) => ({ chain, role: "member" })),
      ].sort((a, b) => (a.chain < b.chain ? -1 : 1))
      const salt = formatHex(backend.randomBytes(32))
      const given = { version: 1, kind: "group", salt, name, members, policy: { ...directPolicy } }
      const cipher = await createConversation(parseStateBody(given as Json), credential, desk.ciphers.ports)
      desk.ciphers.keep(cipher)
      await addGroup(unit, desk, { cipher, lastCommit: 0 })
      unit.afterwards(() => desk.wake(cipher.group))
      unit.afterwards(() => desk.followChains())
      return viewThread(unit, desk, await threadAt(unit, cipher.group))
    })
  }

  async add(conversation: Digest, chain: Digest): Promise<void> {
    await this.#change(conversation, { set: [{ chain, role: "member" }] }, chain)
  }

  async remove(conversation: Digest, chain: Digest): Promise<void> {
    if (chain === this.#desk.chain) return this.leave(conversation)
    await this.#change(conversation, { remove: [chain] })
  }

  async setRole(conversation: Digest, chain: Digest, role: Role): Promise<void> {
    await this.#desk.turn(async (unit) => {
      const row = await this.#groupOf(unit, conversation)
      if (roleOf(await stateAfterChanges(unit, this.#desk, row.group), chain) === undefined)
        throw new KezError("usage", "Cannot give a role: expected a member of the conversation")
      await askForChange(unit, this.#desk, row, { set: [{ chain, role }] })
    })
  }

  async rename(conversation: Digest, name: string): Promise<void> {
    await this.#change(conversation, { name })
  }

  /** Nobody can remove himself in MLS: it is asked for, and done by the first owner or admin whose client hears it. */
  async leave(conversation: Digest): Promise<void> {
    const desk = this.#desk
    await desk.turn(async (unit) => {
      const row = await this.#groupOf(unit, conversation)
      const { members, name } = await stateAfterChanges(unit, desk, row.group)
      const owners = members.filter(({ role }) => role === "owner")
      if (owners.length === 1 && owners[0]?.chain === desk.chain && members.length > 1)
        throw new KezError("chat.policy", "Cannot leave: nobody else owns the conversation", {
          hint: "Make somebody else an owner first, or remove the others.",
        })
      const thread = await threadAt(unit, conversation)
      const seen = { members: members.map(({ chain }) => chain), ...(name === undefined ? {} : { name }) }
      unit.put(keys.thread(conversation), { ...thread, ...seen, isLeaving: true } satisfies ThreadRow)
      if (members.length === 1) unit.put(keys.group(row.group), { ...row, isRemoved: true } satisfies GroupRow)
      else await enqueue(unit, desk, { group: row.group, type: "membership", content: { action: "leave" } })
      unit.afterwards(() => desk.tell({ kind: "devices" }))
      await tellConversation(unit, desk, conversation)
    })
  }

  async #change(conversation: Digest, change: StateChange, newcomer?: Digest): Promise<void> {
    const desk = this.#desk
    await desk.turn(async (unit) => {
      if (newcomer !== undefined) await assertContact(unit, desk, newcomer)
      await askForChange(unit, desk, await this.#groupOf(unit, conversation), change)
      // Who is to go gets nothing any more, before the commit is made.
      unit.afterwards(() => desk.tell({ kind: "devices" }))
    })
  }

  async #groupOf(unit: Unit, conversation: Digest): Promise<GroupRow> {
    const thread = await conversationAt(unit, conversation)
    if (thread.kind !== "group")
      throw new KezError("usage", "Cannot do that: in a conversation of two nobody comes or goes", {
        hint: "Begin a group with both of them.",
      })
    assertCurrent(this.#desk)
    const row = await currentGroup(unit, this.#desk, thread)
    if (row !== undefined) return row
    throw new KezError("chat.removed", "Cannot do that: this device is not in the conversation any more")
  }
}

/** Nobody is brought into a conversation by a name that was never looked up. */
async function assertContact(unit: Unit, desk: Desk, chain: Digest): Promise<void> {
  const row = await contactRow(unit, chain)
  const { host } = desk.ports.account
  if (row?.handle?.endsWith(`@${host}`) === false)
    throw new KezError("usage", `Cannot add ${row.handle} to a group: servers do not pass messages to each other yet`)
  if (row?.standing === "accepted") return
  throw new KezError("usage", "Cannot add somebody to a group: expected one of your contacts", {
    hint: "kez contacts add WHO looks a person up.",
  })
}

/** Somebody asks to be let go: done by whoever may. Who came in since he wrote that, in `epoch`, has been let go already. */
export async function takeLeave(
  unit: Unit,
  desk: Desk,
  row: GroupRow,
  { chain, epoch }: { readonly chain: Digest; readonly epoch: number },
): Promise<void> {
  if ((await unit.get<ThreadRow>(keys.thread(row.thread)))?.kind !== "group" || chain === desk.chain) return
  if ((row.cameIn?.[chain]?.epoch ?? 0) > epoch) return
  try {
    await putChange(unit, desk, row, { remove: [chain] })
  } catch (fault) {
    // Not ours to do, or done already.
    if (!(fault instanceof KezError)) throw fault
  }
}
