/** Contacts: pinned on first use, looked at again every day, and every change told as what it is. */
import { type Digest, formatEnvelope, KezError } from "@kez/core"
import type { AlarmState } from "./alarm.ts"
import { raise, settle } from "./alarms.ts"
import { contactOf, contactRow, currentDevices, putContact } from "./contact-rows.ts"
import type { Desk } from "./desk.ts"
import { assertNamed, type Found, type Handle, lookUp, parseAddress, watchHandle } from "./directory.ts"
import type { Contact, Contacts } from "./engine.ts"
import { type ContactRow, keys, type ThreadRow } from "./row.ts"
import { directThread, tellConversation } from "./threads.ts"
import type { Unit } from "./unit.ts"

export class ContactBook implements Contacts {
  readonly #desk: Desk

  constructor(desk: Desk) {
    this.#desk = desk
  }

  list(): Promise<readonly Contact[]> {
    const desk = this.#desk
    return desk.turn(async (unit) => {
      const rows = await unit.list<ContactRow>(keys.contacts)
      const contacts: Contact[] = []
      for (const { chain } of rows) contacts.push(await contactOf(unit, desk, chain))
      return contacts
    })
  }

  async find(who: string): Promise<Contact | undefined> {
    const desk = this.#desk
    return desk.turn(async (unit) => {
      const chain = who.startsWith("sha256:")
        ? who
        : await unit.get<Digest>(keys.pin(addressOf(parseAddress(who, desk.ports.account.host))))
      if (chain === undefined || (await contactRow(unit, chain)) === undefined) return undefined
      return contactOf(unit, desk, chain)
    })
  }

  async add(text: string): Promise<Contact> {
    const desk = this.#desk
    const handle = parseAddress(text, desk.ports.account.host)
    const found = await this.#lookUp(handle)
    if (found.isChanged) {
      await this.#changed(handle, changedFault(handle), found)
      throw changedFault(handle)
    }
    if (found.state !== "registered") throw await this.#gone(handle, found)
    const replay = await desk.ports.chains.fetch(found.chain, hintsOf(found))
    if (replay === undefined) {
      throw new KezError("chain.unknown", `Cannot add ${addressOf(handle)}: no store has its sigchain`, {
        hint: "Its owner publishes it: kez sigchain publish.",
      })
    }
    assertNamed(replay, handle, found)
    if (found.chain === desk.chain) throw new KezError("usage", "Cannot add yourself as a contact")
    return desk.turn(async (unit) => {
      await this.#assertPin(unit, handle, found)
      unit.put(keys.pin(addressOf(handle)), found.chain)
      const before = await contactRow(unit, found.chain)
      const row: ContactRow = {
        ...{ chain: found.chain, handle: addressOf(handle) },
        standing: before?.standing === "blocked" ? "blocked" : "accepted",
        seenDevices: before?.seenDevices ?? currentDevices(desk, found.chain),
      }
      await putContact(unit, desk, row)
      await this.#wakeThread(unit, found.chain)
      unit.afterwards(() => desk.followChains())
      return contactOf(unit, desk, found.chain)
    })
  }

  async accept(chain: Digest): Promise<void> {
    await this.#stand(chain, "accepted")
  }

  async block(chain: Digest): Promise<void> {
    await this.#stand(chain, "blocked")
  }

  async check(): Promise<void> {
    const desk = this.#desk
    const rows = await desk.turn((unit) => unit.list<ContactRow>(keys.contacts))
    for (const { chain, handle } of rows) {
      await desk.ports.chains.fetch(chain).catch(ignoreNet)
      await desk.turn((unit) => noteChain(unit, desk, chain))
      if (handle !== undefined) await this.#checkHandle(chain, handle)
    }
    await this.#checkOwn()
  }

  /** What a person decided about an alarm, where that changes a contact. */
  async settle(id: string, decision: "accept" | "dismiss"): Promise<void> {
    const desk = this.#desk
    const state: AlarmState = await desk.turn((unit) => settle(unit, desk, id, decision))
    const { alarm } = state
    if (alarm.kind === "handle_moved" && decision === "accept") await this.add(alarm.movedTo)
  }

  async #stand(chain: Digest, standing: ContactRow["standing"]): Promise<void> {
    const desk = this.#desk
    await desk.turn(async (unit) => {
      const before = await contactRow(unit, chain)
      if (before === undefined) throw new KezError("usage", "Cannot do that: no such contact")
      await putContact(unit, desk, { ...before, standing })
      await this.#wakeThread(unit, chain)
    })
  }

  async #wakeThread(unit: Unit, chain: Digest): Promise<void> {
    const desk = this.#desk
    // The one of two, and groups into which this person brought us.
    const all = await unit.list<ThreadRow>(keys.threads)
    const direct = directThread(desk.chain, chain)
    for (const { id, groups } of all.filter(({ id, addedBy }) => id === direct || addedBy === chain)) {
      await tellConversation(unit, desk, id)
      unit.afterwards(() => {
        for (const group of groups) desk.wake(group)
      })
    }
  }

  /** Looks up, and turns what a directory does wrong into alarms. */
  async #lookUp(handle: Handle): Promise<Found> {
    const desk = this.#desk
    try {
      return await lookUp(desk, handle)
    } catch (fault) {
      if (!(fault instanceof KezError)) throw fault
      if (fault.code.startsWith("directory.")) {
        await desk.turn((unit) => raise(unit, desk, { kind: "directory", host: handle.host }, fault))
      }
      throw fault
    }
  }

  async #changed(handle: Handle, fault: KezError, found: Found): Promise<void> {
    const desk = this.#desk
    await desk.turn(async (unit) => {
      const pinned = await unit.get<Digest>(keys.pin(addressOf(handle)))
      if (pinned === undefined) return
      const evidence = formatEnvelope(found.statement)
      const facts = { contact: pinned, handle: addressOf(handle), pinned, found: found.chain, evidence }
      await raise(unit, desk, { kind: "chain_changed", ...facts }, fault)
      await this.#wakeThread(unit, pinned)
    })
  }

  async #assertPin(unit: Unit, handle: Handle, found: Found): Promise<void> {
    const pinned = await unit.get<Digest>(keys.pin(addressOf(handle)))
    if (pinned === undefined || pinned === found.chain) return
    const fault = changedFault(handle)
    queueMicrotask(() => void this.#changed(handle, fault, found).catch(this.#desk.fault))
    throw fault
  }

  async #gone(handle: Handle, found: Found): Promise<KezError> {
    const desk = this.#desk
    const isMoved = found.movedTo !== undefined
    const fault = new KezError(
      isMoved ? "account.renamed" : "handle.released",
      isMoved
        ? `Cannot add ${addressOf(handle)}: its owner moved to ${found.movedTo}`
        : `Cannot add ${addressOf(handle)}: its owner gave the handle up`,
      isMoved ? { hint: `Add ${found.movedTo} if that is the person you mean.` } : {},
    )
    await desk.turn(async (unit) => {
      const pinned = await unit.get<Digest>(keys.pin(addressOf(handle)))
      if (pinned === undefined) return
      const facts = { contact: pinned, handle: addressOf(handle) }
      await (found.movedTo === undefined
        ? raise(unit, desk, { kind: "handle_changed", ...facts }, fault)
        : raise(unit, desk, { kind: "handle_moved", ...facts, movedTo: found.movedTo }, fault))
    })
    return fault
  }

  async #checkHandle(chain: Digest, address: string): Promise<void> {
    const desk = this.#desk
    const handle = parseAddress(address, desk.ports.account.host)
    try {
      const found = await this.#lookUp(handle)
      if (found.isChanged) return await this.#changed(handle, changedFault(handle), found)
      if (found.state !== "registered") return void (await this.#gone(handle, found))
      if (found.chain !== chain) return this.#changed(handle, changedFault(handle), found)
      const replay = desk.known(chain)
      if (replay !== undefined) assertNamed(replay, handle, found)
    } catch (fault) {
      if (!(fault instanceof KezError)) throw fault
      if (fault.code !== "account.one_sided" && fault.code !== "store.unknown") return
      await desk.turn((unit) => raise(unit, desk, { kind: "handle_changed", contact: chain, handle: address }, fault))
    }
  }

  async #checkOwn(): Promise<void> {
    const desk = this.#desk
    const { handle, host } = desk.ports.account
    if (handle === undefined) return
    const own = `${handle}@${host}`
    try {
      const found = await lookUp(desk, { handle, host })
      if (found.chain !== desk.chain)
        throw new KezError("account.changed", `The directory says that ${own} is somebody else's`)
      const { strange, keep } = await watchHandle(desk, { handle, host })
      const fault = new KezError(
        "account.changed",
        `Somebody else signed a statement about ${own}, or a handle like it`,
        {
          hint: "It stands in the directory's log. Tell who runs the server, and your contacts.",
        },
      )
      await desk.turn(async (unit) => {
        keep(unit)
        if (strange.length === 0) return
        await raise(unit, desk, { kind: "own_handle", handle: own, evidence: strange.map(formatEnvelope) }, fault)
      })
    } catch (fault) {
      if (!(fault instanceof KezError)) throw fault
      if (fault.code.startsWith("net.")) return
      const facts = fault.code.startsWith("directory.")
        ? ({ kind: "directory", host } as const)
        : ({ kind: "own_handle", handle: own, evidence: [] } as const)
      await desk.turn((unit) => raise(unit, desk, facts, fault))
    }
  }
}

/** More became known of a chain: new devices are told, forks are a stop. */
export async function noteChain(unit: Unit, desk: Desk, chain: Digest): Promise<void> {
  const row = await contactRow(unit, chain)
  const replay = desk.known(chain)
  if (row === undefined || replay === undefined) return
  if (replay.status === "fork") {
    const fault = new KezError(
      "chain.fork",
      "The sigchain of a contact has two branches, and no rule decides between them",
      {
        hint: "Ask your contact by another way. He settles it: kez sigchain settle.",
      },
    )
    const open = replay.splits.filter(({ winner }) => winner === undefined)
    const evidence = open.flatMap(({ successors }) => successors.map(({ digest }) => digest))
    await raise(unit, desk, { kind: "chain_fork", contact: chain, evidence }, fault)
  }
  const devices = currentDevices(desk, chain)
  const added = devices.filter((device) => !row.seenDevices.includes(device))
  for (const device of added) {
    const fault = new KezError("chat.credential", `${row.handle ?? "A contact"} has a new device: ${device}`, {
      hint: "His sigchain lists it, so it reads what you write from now on. Ask him if you did not expect it.",
    })
    await raise(unit, desk, { kind: "new_device", contact: chain, device }, fault)
  }
  if (added.length > 0) await putContact(unit, desk, { ...row, seenDevices: [...row.seenDevices, ...added] })
}

export function addressOf({ handle, host }: Handle): string {
  return `${handle}@${host}`
}

function changedFault(handle: Handle): KezError {
  return new KezError("account.changed", `Cannot trust ${addressOf(handle)}: it led to another sigchain before`, {
    hint: "Nothing is sent. A handle is never given to somebody else: ask your contact by another way.",
  })
}

function hintsOf({ primary, url }: Found): { primary?: string; url?: string } {
  return { ...(primary === undefined ? {} : { primary }), ...(url === undefined ? {} : { url }) }
}

function ignoreNet(error: unknown): undefined {
  if (error instanceof KezError) return undefined
  throw error
}
