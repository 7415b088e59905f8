/**
 * What this device shares: imported where it lies, listed in a manifest that it signs, and given to devices of those who may have it. A list is signed
 * anew only where files or people changed.
 */
import { anchorOf, type Digest, digestOf, envelopeDigest, formatEnvelope, formatHex, KezError } from "@kez/core"
import { encodeText } from "../bytes.ts"
import type { MoverEvent } from "./mover.ts"
import { foldedName, freeName } from "./names.ts"
import {
  fingerprintOf,
  isListable,
  type Listed,
  listedFiles,
  rootDocument,
  sealSections,
  sectionsOf,
} from "./own-list.ts"
import type { PresenceBook } from "./presence-book.ts"
import { Doors } from "./share-doors.ts"
import { type Audience, type Blob, isIn, type OwnRow, type ShareRow, shareKeys } from "./share-rows.ts"
import type { FilePorts } from "./transfer.ts"

/** What was changed on the disk is looked for so often while it is served. */
const lookSeconds = 60
/** Who asks again at once has what was said. */
const againSeconds = 3
/** Told at the beginning that this device is there: the people who were written with last. */
const maxAnnounced = 100

export interface SharingResult {
  readonly shares: readonly ShareRow[]
  /** What was left out, and why, as the mover says it; `name`: a list cannot name it. */
  readonly skipped: readonly { readonly path: string; readonly why: string }[]
}

export class Shares {
  readonly #ports: FilePorts
  readonly #book: PresenceBook
  readonly #doors: Doors
  /** Undefined: nothing was ever shared, or `open` was not called. */
  #own: OwnRow | undefined
  #hashes: ReadonlySet<string> = new Set()
  #isOpen = false
  #isStale = false
  #lookedAt = 0
  readonly #asked = new Map<Digest, { digest: Digest | undefined; at: number }>()

  constructor(ports: FilePorts, book: PresenceBook) {
    this.#ports = ports
    this.#book = book
    this.#doors = new Doors(ports, book)
  }

  list(): Promise<readonly ShareRow[]> {
    return listShares(this.#ports.engine)
  }

  /** The newest manifest: what a chain is to name. */
  current(): Promise<OwnRow | undefined> {
    return this.#ports.engine.shelf.get<OwnRow>(shareKeys.own)
  }

  /** Shares files or folders with these people from now on; what was shared with others is then shared with these alone. `paths`: absolute. */
  async share(paths: readonly string[], audience: Audience): Promise<SharingResult> {
    const { engine, mover, clock, newId } = this.#ports
    const rows = [...(await this.list())]
    const shares: ShareRow[] = []
    const skipped: { path: string; why: string }[] = []
    for (const path of paths) {
      const imported = await mover.import([path])
      const before = rows.find((row) => row.path === path)
      const top = imported.files[0]?.path.split("/")[0]
      if (top === undefined)
        throw new KezError("input.unreadable", "Cannot share anything: there is no file in what was named")
      if (!isListable(top)) throw new KezError("file.name", "Cannot share it: a list cannot name it. Rename it first")
      const taken = new Set(rows.map(({ name }) => foldedName(name)))
      const name = before?.name ?? freeName(top, (one) => taken.has(foldedName(one)))
      const { files, left } = listedFiles(imported.files, name)
      const size = files.reduce((sum, file) => sum + file.size, 0)
      const row = { id: before?.id ?? newId(), path, name, audience, addedAt: clock.now(), files: files.length, size }
      if (before === undefined) rows.push(row)
      shares.push(row)
      skipped.push(...imported.skipped, ...left.map((one) => ({ path: one, why: "name" })))
    }
    // Before anything is kept: too many are refused as a whole.
    sectionsOf(await this.#listed([...rows.filter(({ id }) => !shares.some((one) => one.id === id)), ...shares]))
    for (const row of shares) await engine.shelf.put(shareKeys.share(row.id), row)
    await this.renew()
    return { shares, skipped }
  }

  /** Nobody sees or gets it from now on. By name or path; throws `store.unknown` for what is not shared. */
  async unshare(names: readonly string[]): Promise<readonly ShareRow[]> {
    const rows = await this.list()
    const gone = names.map((given) => {
      const row = rows.find(({ name, path }) => name === given || path === given)
      if (row !== undefined) return row
      throw new KezError("store.unknown", `Cannot stop sharing ${given}: it is not shared`, { hint: "kez files list" })
    })
    for (const { id } of gone) await this.#ports.engine.shelf.replace(shareKeys.share(id), new Map())
    await this.renew()
    return gone
  }

  /** Gives everything that this account shares from this device to those who may have it, from now on. */
  async open(): Promise<void> {
    this.#isOpen = true
    await this.renew()
  }

  /** Tells people who may have something that this device is there now. */
  async announce(): Promise<void> {
    const open = (await this.#ports.engine.conversations()).filter(
      ({ kind, state }) => kind === "dm" && state === "open",
    )
    const mine = open.filter(
      ({ contact }) => contact?.standing === "accepted" && this.#sectionsFor(contact.chain).length > 0,
    )
    for (const { id } of mine.slice(0, maxAnnounced)) await this.#book.tell(id)
  }

  /** Conversations with somebody who is there and may have something. */
  conversations(): readonly Digest[] {
    return this.#isOpen ? this.#doors.conversations() : []
  }

  /** Looks at the disk again, and signs a new list where something is another. Told to those who asked before. If it fails, nobody is given anything. */
  async renew(): Promise<void> {
    try {
      await this.#renew()
    } catch (error) {
      // What was given until now may be what is not to be given any more.
      await this.#doors.close()
      throw error
    }
  }

  async #renew(): Promise<void> {
    this.#lookedAt = this.#ports.clock.now()
    this.#isStale = false
    const rows = await this.list()
    const own = await this.current()
    if (own === undefined && rows.length === 0) return
    const sections = sectionsOf(await this.#listed(rows, true))
    const fingerprint = fingerprintOf(sections)
    const isSame = own?.fingerprint === fingerprint && (await this.#hasBlobs(own))
    this.#own = isSame ? own : await this.#sign(own, sections, fingerprint)
    this.#hashes = new Set(sections.flatMap(({ files }) => files.map(({ hash }) => hash)))
    if (!this.#isOpen || this.#doors.holds(this.#own.digest)) return
    await this.#doors.open(this.#own, sections)
    for (const conversation of this.#asked.keys()) await this.answer(conversation)
  }

  /** Who may have what, as it is now. */
  async allowAnew(): Promise<void> {
    if (this.#isOpen) await this.#doors.allowAnew()
  }

  async tick(): Promise<void> {
    const isDue = this.#isStale || this.#ports.clock.now() - this.#lookedAt >= lookSeconds
    if (this.#isOpen && isDue) await this.renew()
  }

  take(event: MoverEvent): void {
    if (event.event === "changed" && this.#hashes.has(event.hash)) this.#isStale = true
    if (event.event !== "serving" || !event.files.some(({ hash }) => this.#hashes.has(hash))) return
    const chain = this.#doors.guestAt(event.peer)
    if (chain !== undefined) this.#ports.onServed?.({ chain, bytes: event.bytes, rate: event.rate, path: event.path })
  }

  /** Whether the other one there may have something. */
  async isFor(conversation: Digest): Promise<boolean> {
    const chain = await this.#accepted(conversation)
    return chain !== undefined && this.#sectionsFor(chain).length > 0
  }

  /** Tells who asked what is shared with him. `isNew`: the place that asks was told nothing yet, however recently another one was. */
  async answer(conversation: Digest, isNew = false): Promise<void> {
    const chain = this.#isOpen ? await this.#accepted(conversation) : undefined
    if (chain === undefined) return
    const now = this.#ports.clock.now()
    const told = this.#asked.get(conversation)
    const digest = this.#own?.digest
    if (!isNew && told !== undefined && told.digest === digest && now - told.at < againSeconds) return
    this.#asked.set(conversation, { digest, at: now })
    const sections = this.#sectionsFor(chain)
    const root = this.#own === undefined || sections.length === 0 ? {} : { root: this.#own.root.hash }
    await this.#ports.engine.tellShares(conversation, { ...root, sections }, await this.#statement())
  }

  async #statement(): Promise<Uint8Array> {
    const { engine } = this.#ports
    if (this.#own === undefined) return new Uint8Array()
    const replay = await engine.chainOf(engine.chain)
    const anchor = replay === undefined ? undefined : anchorOf(replay, engine.device)?.manifest
    const named =
      anchor === undefined || anchor === this.#own.digest
        ? undefined
        : await engine.shelf.get<string>(shareKeys.manifest(anchor))
    return encodeText([this.#own.text, ...(named === undefined ? [] : [named])].join("\n"))
  }

  #sectionsFor(chain: Digest): readonly { readonly at: number; readonly key: string }[] {
    const sections = this.#own?.sections ?? []
    return sections.flatMap(({ audience, key }, at) => (isIn(audience, chain) ? [{ at, key }] : []))
  }

  /** The contact of a conversation of two, where he is one. */
  async #accepted(conversation: Digest): Promise<Digest | undefined> {
    const view = await this.#ports.engine.conversation(conversation)
    return view?.kind === "dm" && view.contact?.standing === "accepted" ? view.contact.chain : undefined
  }

  /** What lies there now. What is gone is not listed, and stays shared for when it is there again. */
  async #listed(rows: readonly ShareRow[], keeps = false): Promise<readonly Listed[]> {
    const { engine, mover } = this.#ports
    const all: Listed[] = []
    for (const { code: before, ...row } of rows) {
      let code: string | undefined
      let files: Listed["files"] = []
      try {
        files = listedFiles((await mover.import([row.path])).files, row.name).files
      } catch (error) {
        if (!(error instanceof KezError)) throw error
        code = error.code
      }
      const size = files.reduce((sum, file) => sum + file.size, 0)
      const isOther = row.files !== files.length || row.size !== size || before !== code
      const now = { ...row, files: files.length, size, ...(code === undefined ? {} : { code }) }
      if (keeps && isOther) await engine.shelf.put(shareKeys.share(row.id), now)
      all.push({ audience: row.audience, files })
    }
    return all
  }

  async #sign(before: OwnRow | undefined, listed: readonly Listed[], fingerprint: Digest): Promise<OwnRow> {
    const { engine, disk } = this.#ports
    const seq = before === undefined ? 0 : before.seq + 1
    const sealed = sealSections(engine.chain, listed)
    const sections = []
    for (const [at, { audience, key, pages }] of sealed.entries()) {
      const blobs: Blob[] = []
      for (const [n, page] of pages.entries()) blobs.push(await this.#write(`own-${seq}-${at}-${n}.bin`, page))
      sections.push({ audience, key: formatHex(key), pages: blobs })
    }
    const bytes = rootDocument(sections)
    const root = await this.#write(`own-${seq}-root.json`, bytes)
    const prev = before === undefined ? {} : { prev: before.digest }
    const manifest = await engine.signManifest({ seq, ...prev, root: digestOf(bytes), size: bytes.length })
    const [text, digest] = [formatEnvelope(manifest), envelopeDigest(manifest)]
    const own: OwnRow = { seq, digest, text, root, sections, fingerprint }
    await engine.shelf.put(shareKeys.manifest(digest), text)
    // Kept before anybody hears of it: two of one number would contradict each other for ever.
    await engine.shelf.put(shareKeys.own, own)
    for (const { file } of before === undefined ? [] : blobsOf(before)) await disk.removeList(file)
    return own
  }

  async #write(file: string, bytes: Uint8Array): Promise<Blob> {
    const { mover, disk } = this.#ports
    const [blob] = (await mover.import([await disk.writeList(file, bytes)])).files
    if (blob === undefined) throw new Error("a file that was just written")
    return { file, hash: blob.hash, size: bytes.length }
  }

  /** Whether its own files still lie here as they were. */
  async #hasBlobs(own: OwnRow): Promise<boolean> {
    const { mover, disk } = this.#ports
    try {
      const blobs = blobsOf(own)
      const { files } = await mover.import(blobs.map(({ file }) => disk.join(disk.lists, file)))
      const hashes = new Set(files.map(({ hash }) => hash))
      return blobs.every(({ hash }) => hashes.has(hash))
    } catch (error) {
      if (error instanceof KezError) return false
      throw error
    }
  }
}

export async function listShares({ shelf }: Pick<FilePorts["engine"], "shelf">): Promise<readonly ShareRow[]> {
  const rows = await shelf.list<ShareRow>(shareKeys.shares)
  return rows.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function blobsOf({ root, sections }: OwnRow): readonly Blob[] {
  return [root, ...sections.flatMap(({ pages }) => pages)]
}
