/**
 * What others share with this account: asked for where a person wants to know, believed by signature, chain and number, fetched page by page, and kept
 * so that it can be looked at while they are away. Nothing else is fetched by itself.
 */
import {
  type ChainReplay,
  type Digest,
  decodeFilePage,
  decodeFileRoot,
  type FilePagePlace,
  isCurrentKey,
  type JudgedManifest,
  judgeManifest,
  KezError,
  limits,
  type ManifestMark,
  tryParseHex,
} from "@kez/core"
import type { ToldShares } from "../engine/event.ts"
import { maxListedFiles } from "../limits.ts"
import type { SectionKey } from "../wire/content.ts"
import type { MoverEvent } from "./mover.ts"
import { ignoreKez, moverFault } from "./mover-fault.ts"
import { maxSealedPageBytes, openPage } from "./page-seal.ts"
import { addressesOf, type PresenceBook } from "./presence-book.ts"
import { type PageRow, shareKeys, type TheirRow } from "./share-rows.ts"
import { keptList, type TheirList } from "./their-lists.ts"
import type { FilePorts, Later } from "./transfer.ts"

export type BrowsingEvent =
  | { readonly kind: "list"; readonly conversation: Digest; readonly list: TheirList }
  /** A list that is not believed, or does not come. What was seen before stands. */
  | { readonly kind: "refused"; readonly conversation: Digest; readonly device: string; readonly fault: KezError }

/** After everybody refused: what allows us there may be under way. */
const againMs = [500, 1_000, 2_000, 5_000] as const

interface Coming {
  readonly told: ToldShares
  readonly judged: JudgedManifest
  readonly root: string
  /** Where pages are read: the root document is here. */
  plan: readonly (FilePagePlace & { readonly key: Uint8Array })[] | undefined
  job: string | undefined
  attempt: number
}

interface Browser {
  readonly tell: (event: BrowsingEvent) => Promise<void>
  readonly later: Later
}

export class Browsing {
  readonly #ports: FilePorts
  readonly #book: PresenceBook
  readonly #tell: Browser["tell"]
  readonly #later: Later
  readonly #coming = new Map<string, Coming>()

  constructor(ports: FilePorts, book: PresenceBook, { tell, later }: Browser) {
    this.#ports = ports
    this.#book = book
    this.#tell = tell
    this.#later = later
  }

  conversations(): readonly Digest[] {
    return [...this.#book.asking]
  }

  /** Asks those who are there, and who comes while this runs, what they share. */
  async ask(conversation: Digest): Promise<void> {
    this.#book.asking.add(conversation)
    await this.#book.tell(conversation)
  }

  async take(told: ToldShares): Promise<void> {
    const { conversation, chain, device } = told
    if (!this.#book.asking.has(conversation) || chain === this.#ports.engine.chain) return
    try {
      const judged = await this.#judge(told)
      if (judged === undefined) return await this.#keepNothing(told)
      const mark = await this.#mark(chain, device)
      if (mark === undefined || judged.seq > mark.seq)
        await this.#ports.engine.shelf.put(shareKeys.mark(chain, device), { seq: judged.seq, digest: judged.digest })
      await this.#begin(told, judged)
    } catch (error) {
      await this.#refuse(told, error)
    }
  }

  async #begin(told: ToldShares, judged: JudgedManifest): Promise<void> {
    const { chain, device, shares } = told
    const known = await this.#ports.engine.shelf.get<TheirRow>(shareKeys.their(chain, device))
    const places = shares.sections.map(({ at }) => at)
    const coming = this.#coming.get(device)
    if (coming !== undefined && coming.judged.digest !== judged.digest) await this.#leave(coming)
    const isSame = known?.digest === judged.digest && String(known.sections) === String(places)
    if (isSame) return this.#keep(told, judged, undefined)
    if (shares.sections.length === 0) return this.#keep(told, judged, [])
    if (shares.root === undefined) throw new KezError("file.manifest", "Cannot read the list: nothing says where it is")
    // Before a byte of it is fetched.
    if (judged.manifest.payload.size > limits.maxFileRootBytes)
      throw new KezError("limit.size", `Cannot read the list: expected at most ${limits.maxFileRootBytes} bytes`)
    if (new Set(places).size !== places.length)
      throw new KezError("file.manifest", "Cannot read the list: a part of it is named twice")
    if (coming?.judged.digest === judged.digest) return
    const one: Coming = { told, judged, root: shares.root, plan: undefined, job: undefined, attempt: 0 }
    this.#coming.set(device, one)
    await this.#start(one)
  }

  /** A manifest that counts; undefined: the device never shared anything. Where the chain may be behind, its stores are asked. */
  async #judge({ chain, device, statement }: ToldShares): Promise<JudgedManifest | undefined> {
    const { engine, clock } = this.#ports
    const mark = await this.#mark(chain, device)
    const [manifest, anchored, ...more] = linesOf(statement)
    if (manifest === undefined) {
      if (mark === undefined) return undefined
      throw new KezError("file.rollback", "Cannot accept that nothing is shared: a list of this device is known")
    }
    if (more.length > 0) throw new KezError("file.manifest", "Cannot accept the manifest: there is more beside it")
    const judge = (replay: ChainReplay | undefined): JudgedManifest => {
      if (replay === undefined) throw new KezError("chain.unknown", "Cannot judge the manifest: the chain is not known")
      const beside = anchored === undefined ? {} : { anchored }
      const known = mark === undefined ? {} : { mark }
      const judged = judgeManifest(replay, { manifest, ...beside, ...known, now: clock.now() })
      if (judged.signer === device) return judged
      throw new KezError(
        "file.manifest",
        "Cannot accept the manifest: another device signed it than the one that told it",
      )
    }
    try {
      return judge(await engine.chainOf(chain))
    } catch (error) {
      const isBehind = error instanceof KezError && (error.code === "file.manifest" || error.code === "chain.unknown")
      if (!isBehind) throw error
      return judge(await engine.chainOf(chain, true))
    }
  }

  #mark(chain: Digest, device: string): Promise<ManifestMark | undefined> {
    return this.#ports.engine.shelf.get<ManifestMark>(shareKeys.mark(chain, device))
  }

  /** The device that told it is there, or at another place. */
  async look(conversation: Digest): Promise<void> {
    for (const one of this.#coming.values()) if (one.told.conversation === conversation) await this.#start(one)
  }

  async #start(one: Coming): Promise<void> {
    const { conversation, device } = one.told
    const here = (await this.#book.here(conversation)).filter((presence) => presence.device === device)
    if (one.job !== undefined || here.length === 0 || this.#coming.get(device) !== one) return
    const files = one.plan ?? [{ hash: one.root, size: one.judged.manifest.payload.size }]
    const job = `${one.plan === undefined ? "r" : "p"}-${one.root.slice(0, 40)}-${device.slice(-16)}`
    one.job = job
    const wanted = files.map(({ hash, size }) => ({ hash, size, path: fileOf(hash) }))
    try {
      const into = this.#ports.disk.lists
      await this.#ports.mover.fetch({ job, files: wanted, into, providers: addressesOf(here) })
    } catch (error) {
      await this.#drop(one, error)
    }
  }

  async takeMoved(event: MoverEvent): Promise<void> {
    if (event.event !== "end") return
    const one = [...this.#coming.values()].find(({ job }) => job === event.job)
    if (one === undefined) return
    one.job = undefined
    try {
      if (event.state === "done") return await this.#arrived(one)
      if (event.state !== "failed") return
      const fault = event.error ?? { code: "internal", message: "kez-iroh does not say why" }
      const wait = fault.code.startsWith("peer.") ? againMs[one.attempt++] : undefined
      if (wait === undefined) throw moverFault(fault)
      this.#later(wait, () => this.#start(one))
    } catch (error) {
      await this.#drop(one, error)
    }
  }

  async #arrived(one: Coming): Promise<void> {
    if (one.plan === undefined) {
      one.plan = await this.#readRoot(one)
      one.attempt = 0
      if (one.plan.length > 0) return this.#start(one)
    }
    const pages: PageRow[] = []
    const { disk } = this.#ports
    for (const { hash, key } of one.plan) {
      const sealed = await disk.readList(fileOf(hash), maxSealedPageBytes)
      pages.push({ files: decodeFilePage(openPage(key, sealed, one.told.chain)).entries })
    }
    if (pages.reduce((sum, { files }) => sum + files.length, 0) > maxListedFiles)
      throw new KezError("limit.entries", `Cannot read the list: expected at most ${maxListedFiles} files`)
    this.#coming.delete(one.told.device)
    await this.#keep(one.told, one.judged, pages)
    for (const { hash } of one.plan) await disk.removeList(fileOf(hash))
  }

  async #readRoot({ root, judged, told }: Coming): Promise<NonNullable<Coming["plan"]>> {
    const { disk } = this.#ports
    const bytes = await disk.readList(fileOf(root), limits.maxFileRootBytes)
    const { sections } = decodeFileRoot(bytes, judged.manifest.payload)
    await disk.removeList(fileOf(root))
    return told.shares.sections.flatMap(({ at, key }: SectionKey) => {
      const pages = sections[at]?.pages
      const opened = tryParseHex(key, 32)
      if (pages === undefined || opened === undefined)
        throw new KezError("file.manifest", "Cannot read the list: it has no such section")
      if (pages.some(({ size }) => size > maxSealedPageBytes))
        throw new KezError("limit.size", `Cannot read the list: expected pages of at most ${maxSealedPageBytes} bytes`)
      return pages.map((page) => ({ ...page, key: opened }))
    })
  }

  /** `pages` undefined: those that are kept are the same. */
  async #keep(
    { chain, device, conversation, shares }: ToldShares,
    { seq, digest, manifest, isAnchored }: JudgedManifest,
    pages: readonly PageRow[] | undefined,
  ): Promise<void> {
    const { shelf } = this.#ports.engine
    const row: TheirRow = {
      ...{ chain, device, seq, digest, createdAt: manifest.payload.created_at },
      ...{ heardAt: this.#ports.clock.now(), isAnchored, sections: shares.sections.map(({ at }) => at) },
    }
    if (pages !== undefined)
      await shelf.replace(shareKeys.pages(chain, device), new Map(pages.map((page, at) => [padded(at), page])))
    await shelf.put(shareKeys.their(chain, device), row)
    await this.#tell({ kind: "list", conversation, list: await keptList(this.#ports.engine, row) })
  }

  /** Somebody who never shared anything says so. */
  async #keepNothing({ chain, device, conversation }: ToldShares): Promise<void> {
    const replay = await this.#ports.engine.chainOf(chain)
    if (replay === undefined || !isCurrentKey(replay, device))
      throw new KezError("file.manifest", "Cannot accept what is shared: no current device of the chain says so")
    const heardAt = this.#ports.clock.now()
    await this.#tell({ kind: "list", conversation, list: { chain, device, heardAt, isAnchored: false, files: [] } })
  }

  /** Another list takes its place: nothing of it is fetched, kept or lies there any more. */
  async #leave(one: Coming): Promise<void> {
    const { job } = one
    one.job = undefined
    this.#coming.delete(one.told.device)
    if (job !== undefined) await this.#ports.mover.cancel(job).catch(ignoreKez)
    for (const { hash } of one.plan ?? [{ hash: one.root }]) await this.#ports.disk.removeList(fileOf(hash))
  }

  async #drop(one: Coming, error: unknown): Promise<void> {
    await this.#leave(one)
    await this.#refuse(one.told, error)
  }

  async #refuse({ conversation, device }: ToldShares, error: unknown): Promise<void> {
    if (!(error instanceof KezError)) throw error
    await this.#tell({ kind: "refused", conversation, device, fault: error })
  }
}

function linesOf(statement: Uint8Array): readonly string[] {
  const text = new TextDecoder().decode(statement)
  return text === "" ? [] : text.split("\n")
}

/** By its hash: what lies there by that name is that, or is fetched anew. */
function fileOf(hash: string): string {
  return `their-${hash}.bin`
}

function padded(at: number): string {
  return String(at).padStart(4, "0")
}
