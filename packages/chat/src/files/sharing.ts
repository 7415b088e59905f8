/**
 * What this device offers: imported where it lies, named in the conversation, and given to devices of members who said where they are. The allow-list is
 * made anew from the conversation whenever something about it changes.
 */
import { type Digest, KezError } from "@kez/core"
import type { Draft, ShownMessage } from "../engine/engine.ts"
import { beginOut, noteGone, noteServed, noteWhole, type Out, viewOf } from "./giving.ts"
import { encodeFileList } from "./list.ts"
import { mediaTypeOf } from "./media-types.ts"
import type { Imported, MoverEvent } from "./mover.ts"
import { isNameOf, isTakenBack, transferIdOf } from "./offers.ts"
import { isWanted, passedOnRow } from "./passing-on.ts"
import type { PresenceBook } from "./presence-book.ts"
import type { FilePorts, InRow, OutRow, StateRow, TransferListener, TransferNote, TransferView } from "./transfer.ts"

const lostMs = 3_000
/** Of messages: where an offer of another device of ours is looked for. */
const lookedAt = 500

/** What is to be offered. */
export interface Wish {
  readonly paths: readonly string[]
  readonly name: string
  readonly imported: Imported
}

interface TransferIn {
  readonly conversation: Digest
  readonly transfer: string
}

export interface Offering {
  readonly view: TransferView
  readonly skipped: Imported["skipped"]
  /** It was offered there before, and goes on. */
  readonly isAgain: boolean
}

export class Sharing {
  readonly #ports: FilePorts
  readonly #book: PresenceBook
  readonly #tell: TransferListener
  readonly #outs = new Map<string, Out>()

  constructor(ports: FilePorts, book: PresenceBook, tell: TransferListener) {
    this.#ports = ports
    this.#book = book
    this.#tell = tell
  }

  conversations(): readonly Digest[] {
    return [...this.#outs.values()].filter(({ row }) => !row.isOver).map(({ row }) => row.conversation)
  }

  views(): readonly TransferView[] {
    return [...this.#outs.values()].filter(({ row }) => row.passedOn === undefined).map(viewOf)
  }

  transferIn(conversation: Digest): string | undefined {
    return [...this.#outs.values()].find(({ row }) => row.conversation === conversation && !row.isOver)?.row.transfer
  }

  /** Offers what was imported. `name`: what the other side sees, where it is more than one file. */
  async offer(conversation: Digest, { paths, name, imported }: Wish): Promise<Offering> {
    const [first] = imported.files
    if (first === undefined)
      throw new KezError("input.unreadable", "Cannot offer anything: there is no file in what was named")
    const { engine } = this.#ports
    const made = await this.#describe(conversation, paths, name, imported)
    const before = await this.#offeredBefore(made.row)
    const row = before ?? made.row
    const { members = [] } = (await engine.conversation(conversation)) ?? {}
    const people = { people: before?.people ?? members }
    await this.#open({ ...row, ...people }, made.hashes)
    let message = row.message
    if (before === undefined) {
      const { transfer, size, hash, files, listSize } = row
      const list = listSize === undefined ? {} : { files, list_size: listSize }
      const media_type = listSize === undefined ? mediaTypeOf(row.name) : "application/vnd.kez.files"
      const offer = { type: "file_offer", transfer, name: row.name, size, media_type, hash, ...list } as const
      message = await this.#send(conversation, offer)
    }
    const out = this.#outs.get(row.transfer)
    if (out === undefined) throw new Error("an offer that was just made")
    out.row = { ...row, ...people, paths, ...(message === undefined ? {} : { message }) }
    // After the message: one that is offered twice is better than one that is kept and never offered.
    await engine.shelf.put(`out/${row.transfer}`, out.row)
    await this.#book.tell(conversation)
    this.#note(out, { kind: "offered" })
    return { view: viewOf(out), skipped: imported.skipped, isAgain: before !== undefined }
  }

  /** Who was not told has nothing to fetch. */
  async #send(conversation: Digest, offer: Draft & { readonly type: "file_offer" }): Promise<Digest> {
    try {
      return (await this.#ports.engine.send(conversation, offer)).id
    } catch (error) {
      this.#outs.delete(offer.transfer)
      await this.#ports.mover.forget(offer.transfer)
      throw error
    }
  }

  /** What this device offered there and nobody finished, or what another device of ours offers: it is served under the same name, from here too. */
  async #offeredBefore(made: OutRow): Promise<OutRow | undefined> {
    const { engine } = this.#ports
    const { conversation, hash } = made
    for (const row of await engine.shelf.list<OutRow>("out/")) {
      if (row.conversation !== conversation || row.hash !== hash || row.isOver || row.passedOn !== undefined) continue
      if (!(await this.#endsUnwanted(row))) return row
    }
    const elsewhere = (await engine.messages(conversation, { limit: lookedAt })).findLast(
      ({ fileOffer, sender }) => fileOffer?.hash === hash && sender.isSelf && sender.device !== engine.device,
    )
    if (elsewhere?.fileOffer === undefined) return undefined
    const { transfer } = elsewhere.fileOffer
    // Who has it by now says nothing once more: it would be waited for without an end.
    const offered = { conversation, transfer, sender: engine.chain, people: made.people }
    return (await isWanted(engine, offered)) ? { ...made, transfer, message: elsewhere.id } : undefined
  }

  /** What was taken back is never given again, nor what everybody has by now, or does not want. */
  async #endsUnwanted(row: OutRow): Promise<boolean> {
    const { engine } = this.#ports
    const offered = { ...row, sender: engine.chain, people: row.people }
    const isOver = (await isTakenBack(engine, row)) || !(await isWanted(engine, offered))
    if (isOver) await engine.shelf.put(`out/${row.transfer}`, { ...row, isOver: true } satisfies OutRow)
    return isOver
  }

  /** Whether others are to have what was fetched, and may have it from here. */
  async mayPassOn(row: InRow): Promise<boolean> {
    const { engine, passesOn } = this.#ports
    if (passesOn !== true || !(await isWanted(engine, row))) return false
    if (!(await isNameOf(engine, row)) || (await isTakenBack(engine, { ...row, message: `sha256:${row.id}` })))
      return false
    // Who offers chooses the name: it must not take the place of what stands under it.
    const there = await engine.shelf.get<OutRow>(`out/${row.transfer}`)
    return there === undefined || there.passedOn?.id === row.id
  }

  /** Gives what was fetched whole to others. False: nobody is to have it any more. */
  async passOn(row: InRow, hashes: ReadonlySet<string>): Promise<boolean> {
    if (!(await this.mayPassOn(row))) return false
    const out = passedOnRow(row, this.#ports)
    await this.#open(out, hashes)
    await this.#ports.engine.shelf.put(`out/${out.transfer}`, out)
    return true
  }

  /** What an earlier run offered, or passed on, and nobody finished. */
  async left(): Promise<readonly OutRow[]> {
    const rows = await this.#ports.engine.shelf.list<OutRow>("out/")
    return rows.filter(({ isOver, transfer }) => !isOver && !this.#outs.has(transfer))
  }

  /** Offers it again, unless it is not what it was. */
  async reopen(row: OutRow, imported: Imported): Promise<void> {
    if (this.#outs.has(row.transfer) || (await this.#endsUnwanted(row))) return
    const made = await this.#describe(row.conversation, row.paths, row.name, imported)
    if (made.row.hash !== row.hash) return
    await this.#open(row, made.hashes)
    const out = this.#outs.get(row.transfer)
    if (out !== undefined) this.#note(out, undefined)
  }

  /** The message that offers it was taken back: what of it was fetched is not passed on either. */
  async takeBack(message: ShownMessage): Promise<void> {
    for (const { row } of this.#outs.values()) {
      const isOfIt = row.message === message.id || row.passedOn?.id === transferIdOf(message)
      if (isOfIt && !row.isOver) await this.withdraw(row.transfer)
    }
  }

  /** Nobody gets it any more. */
  async withdraw(transfer: string): Promise<void> {
    const out = this.#outs.get(transfer)
    if (out === undefined) return
    const row = { ...out.row, isOver: true }
    await this.#ports.engine.shelf.put(`out/${transfer}`, row)
    await this.#ports.mover.forget(transfer)
    out.row = row
    this.#note(out, { kind: "state" })
  }

  async #describe(
    conversation: Digest,
    paths: readonly string[],
    name: string,
    { files }: Imported,
  ): Promise<{ readonly row: OutRow; readonly hashes: ReadonlySet<string> }> {
    const size = files.reduce((sum, file) => sum + file.size, 0)
    const transfer = this.#ports.newId()
    const common = { transfer, conversation, size, files: files.length, paths, isOver: false }
    const [only, second] = files
    if (only !== undefined && second === undefined && !only.path.includes("/"))
      return { row: { ...common, name: shortNameOf(only.path), hash: only.hash }, hashes: new Set([only.hash]) }
    const bytes = encodeFileList(files)
    const path = await this.#ports.disk.writeList(`${transfer}.json`, bytes)
    const [list] = (await this.#ports.mover.import([path])).files
    if (list === undefined) throw new Error("a list that was just written")
    const hashes = new Set([list.hash, ...files.map(({ hash }) => hash)])
    return { row: { ...common, name: shortNameOf(name), hash: list.hash, listSize: bytes.length }, hashes }
  }

  async #open(row: OutRow, hashes: ReadonlySet<string>): Promise<void> {
    const peers = (await this.#book.here(row.conversation)).map(({ address }) => address.endpoint)
    await this.#ports.mover.offer(row.transfer, [...hashes], peers)
    this.#outs.set(row.transfer, beginOut(row, hashes, peers))
  }

  /** Who may have what, as it is now. To be awaited before anybody is told that we are here. */
  async allowAnew(): Promise<void> {
    for (const out of this.#outs.values()) {
      if (out.row.isOver) continue
      const peers = (await this.#book.here(out.row.conversation)).map(({ address }) => address.endpoint).sort()
      if (peers.length === out.peers.length && peers.every((peer, at) => peer === out.peers[at])) continue
      await this.#ports.mover.allow(out.row.transfer, peers)
      out.peers = peers
    }
  }

  /** What somebody says of an offer; only a member of that conversation can. */
  async takeState({ conversation, transfer, chain, device, state }: StateRow & TransferIn): Promise<void> {
    const out = this.#outs.get(transfer)
    if (out === undefined || out.row.conversation !== conversation || out.row.isOver) return
    const { engine } = this.#ports
    const { people, passedOn } = out.row
    const wanted = await isWanted(engine, { ...out.row, sender: passedOn?.sender ?? engine.chain, people })
    if (passedOn !== undefined) return wanted ? undefined : this.withdraw(transfer)
    // Another device of ours has it now: the others are still to get it.
    if (chain === engine.chain) return
    out.isDeclined = state === "declined" && !wanted
    if (state !== "declined") noteWhole(out, device)
    if (!wanted) return this.withdraw(transfer)
    if (state !== "serving") this.#note(out, { kind: state === "done" ? "has" : "refused", by: { chain, device } })
  }

  take(event: MoverEvent): void {
    switch (event.event) {
      case "serving":
        this.#serving(event)
        break
      case "peer":
        this.#peer(event)
        break
      case "changed":
        for (const out of this.#outs.values())
          if (out.hashes.has(event.hash)) this.#note(out, { kind: "changed", file: event.path ?? "" })
    }
  }

  #serving({ peer, path, bytes, rate, files }: MoverEvent & { readonly event: "serving" }): void {
    for (const out of this.#outs.values()) {
      if (out.row.isOver || !out.peers.includes(peer) || !files.some(({ hash }) => out.hashes.has(hash))) continue
      out.path = path
      noteServed(out, this.#deviceAt(out, peer), { now: bytes, rate })
      this.#note(out, undefined)
    }
  }

  #peer({ peer, state, path = "none" }: MoverEvent & { readonly event: "peer" }): void {
    for (const out of this.#outs.values()) {
      if (out.row.isOver || (!out.peers.includes(peer) && !out.connected.has(peer))) continue
      if (state === "connected" || state === "path") {
        const isSame = out.connected.has(peer) && out.path === path
        out.connected.add(peer)
        out.path = path
        if (!isSame) this.#note(out, { kind: "connected", path })
        continue
      }
      if (!out.connected.delete(peer)) continue
      noteGone(out, this.#deviceAt(out, peer))
      if (out.connected.size > 0) continue
      out.path = "none"
      this.#note(out, undefined)
      // Between a list and its files, and after the last byte, it goes as well: who stays away is lost.
      this.#ports.clock.after(lostMs, () => {
        if (out.connected.size === 0 && !out.row.isOver && !out.isDeclined) this.#note(out, { kind: "lost" })
      })
    }
  }

  #deviceAt({ row }: Out, endpoint: string): string {
    return this.#book.whoIs(row.conversation, endpoint)?.device ?? endpoint
  }

  /** Of what is passed on nothing but how far it is: it is somebody else's offer. */
  #note(out: Out, note: TransferNote | undefined): void {
    this.#tell(viewOf(out), out.row.passedOn === undefined ? note : undefined)
  }
}

const maxOfferedName = 255

function shortNameOf(name: string): string {
  return [...name].slice(0, maxOfferedName).join("")
}
