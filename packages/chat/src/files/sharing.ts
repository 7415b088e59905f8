/**
 * What this device offers: imported where it lies, named in the conversation, and given to devices of members who said where they are. The allow-list is
 * made anew from the conversation whenever something about it changes.
 */
import { type Digest, KezError } from "@kez/core"
import { encodeFileList } from "./list.ts"
import type { Imported, MoverEvent, PathKind } from "./mover.ts"
import type { PresenceBook } from "./presence-book.ts"
import type { FilePorts, OutRow, TransferListener, TransferNote, TransferView } from "./transfer.ts"

interface Out {
  row: OutRow
  readonly hashes: ReadonlySet<string>
  /** Endpoints that may have it now. */
  peers: readonly string[]
  /** Bytes of connections that are over, and of the one that runs. */
  before: number
  now: number
  rate: number
  path: PathKind
  /** Endpoints that are connected. */
  readonly connected: Set<string>
  isDeclined: boolean
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
    return [...this.#outs.values()].map(viewOf)
  }

  /** `name`: what the other side sees, where it is more than one file. */
  async offer(conversation: Digest, paths: readonly string[], name: string): Promise<Offering> {
    const imported = await this.#ports.mover.import(paths)
    const [first] = imported.files
    if (first === undefined)
      throw new KezError("input.unreadable", "Cannot offer anything: there is no file in what was named")
    const { engine } = this.#ports
    const made = await this.#describe(conversation, paths, name, imported)
    const before = (await engine.shelf.list<OutRow>("out/")).find(
      (row) => row.conversation === conversation && row.hash === made.row.hash && !row.isOver,
    )
    const row = before ?? made.row
    await this.#open(row, made.hashes)
    if (before === undefined) {
      const { transfer, size, hash, files, listSize } = row
      const list = listSize === undefined ? {} : { files, list_size: listSize }
      const media_type = listSize === undefined ? mediaTypeOf(row.name) : "application/vnd.kez.files"
      await engine.send(conversation, { type: "file_offer", transfer, name: row.name, size, media_type, hash, ...list })
    }
    // After the message: one that is offered twice is better than one that is kept and never offered.
    await engine.shelf.put(`out/${row.transfer}`, { ...row, paths })
    await this.#book.tell(conversation)
    const out = this.#outs.get(row.transfer)
    if (out === undefined) throw new Error("an offer that was just made")
    this.#note(out, { kind: "offered" })
    return { view: viewOf(out), skipped: imported.skipped, isAgain: before !== undefined }
  }

  /** Offers again what an earlier run offered and nobody finished. What is gone or changed since is not. */
  async resume(): Promise<void> {
    for (const row of await this.#ports.engine.shelf.list<OutRow>("out/")) {
      if (row.isOver || this.#outs.has(row.transfer)) continue
      try {
        const imported = await this.#ports.mover.import(row.paths)
        const made = await this.#describe(row.conversation, row.paths, row.name, imported)
        if (made.row.hash === row.hash) await this.#open(row, made.hashes)
      } catch (error) {
        if (!(error instanceof KezError)) throw error
      }
    }
  }

  /** Nobody gets it any more. */
  async withdraw(transfer: string): Promise<void> {
    const out = this.#outs.get(transfer)
    if (out === undefined) return
    out.row = { ...out.row, isOver: true }
    await this.#ports.engine.shelf.put(`out/${transfer}`, out.row)
    await this.#ports.mover.forget(transfer)
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
    const idle = { before: 0, now: 0, rate: 0, path: "none" as const, isDeclined: false }
    this.#outs.set(row.transfer, { row, hashes, peers, connected: new Set(), ...idle })
  }

  /** Who may have what, as it is now. To be awaited before anybody is told that we are here. */
  async allowAnew(): Promise<void> {
    for (const out of this.#outs.values()) {
      if (out.row.isOver) continue
      const peers = (await this.#book.here(out.row.conversation)).map(({ address }) => address.endpoint).sort()
      if (peers.length === out.peers.length && peers.every((peer, at) => peer === out.peers[at])) continue
      out.peers = peers
      await this.#ports.mover.allow(out.row.transfer, peers)
    }
  }

  /** What somebody says of an offer; only a member of that conversation can. */
  async takeState(conversation: Digest, transfer: string, state: "done" | "declined"): Promise<void> {
    const out = this.#outs.get(transfer)
    if (out?.row.conversation !== conversation) return
    out.isDeclined = state === "declined"
    if (state === "done") out.now = out.row.size - out.before
    if ((await this.#ports.engine.conversation(conversation))?.kind === "dm") return this.withdraw(transfer)
    this.#note(out, { kind: "state" })
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
      Object.assign(out, { now: bytes, rate, path })
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
      Object.assign(out, { before: Math.min(out.before + out.now, out.row.size), now: 0, rate: 0, path: "none" })
      this.#note(out, { kind: "lost" })
    }
  }

  #note(out: Out, note: TransferNote | undefined): void {
    this.#tell(viewOf(out), note)
  }
}

function viewOf({ row, before, now, rate, path, connected, isDeclined }: Out): TransferView {
  const { transfer: id, conversation, name, size, files, isOver } = row
  const state = isDeclined ? "declined" : isOver ? "done" : connected.size > 0 ? "running" : "waiting"
  const bytes = Math.min(size, before + now)
  return { id, direction: "out", conversation, name, size, files, state, bytes, rate, path }
}

const maxOfferedName = 255

function shortNameOf(name: string): string {
  return [...name].slice(0, maxOfferedName).join("")
}

const mediaTypes: Readonly<Record<string, string>> = {
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  png: "image/png",
  gif: "image/gif",
  webp: "image/webp",
  pdf: "application/pdf",
  txt: "text/plain",
  md: "text/markdown",
  mp4: "video/mp4",
  mp3: "audio/mpeg",
  zip: "application/zip",
}

/** A hint for the eyes; nothing is opened by it. */
function mediaTypeOf(name: string): string {
  const extension = name.slice(name.lastIndexOf(".") + 1).toLowerCase()
  return Object.hasOwn(mediaTypes, extension) ? (mediaTypes[extension] ?? "") : "application/octet-stream"
}
