/** What this device fetches: begun because a person said so, kept step by step in the store, gone on with after a kill. */
import { type Digest, KezError } from "@kez/core"
import type { ShownMessage } from "../engine/engine.ts"
import { type FetchPlan, filePlan, filesOf, listPlan } from "./fetch-plan.ts"
import { beginFetch, type In, isOpen, isSelfMade, viewOf } from "./fetching.ts"
import type { MoverEvent } from "./mover.ts"
import { ignoreKez, moverFault } from "./mover-fault.ts"
import { declineOffer, isTakenBack, offerState, statesOf, tellState, transferIdOf } from "./offers.ts"
import { addressesOf, type PresenceBook } from "./presence-book.ts"
import { type SharedWish, sharedRow } from "./shared-fetch.ts"
import type {
  FilePorts,
  InRow,
  Later,
  Provider,
  TransferListener,
  TransferNote,
  TransferState,
  TransferView,
} from "./transfer.ts"

/** After everybody refused: what allows us there may be under way. */
const againMs = [500, 1_000, 2_000, 5_000, 15_000, 60_000] as const

interface Receiver {
  readonly tell: TransferListener
  /** It is here whole, and may be given to others. */
  readonly onWhole: (row: InRow) => void
  /** In its turn, after so long. */
  readonly later: Later
}

export class Receiving {
  readonly #ports: FilePorts
  readonly #book: PresenceBook
  readonly #receiver: Receiver
  readonly #ins = new Map<string, In>()

  constructor(ports: FilePorts, book: PresenceBook, receiver: Receiver) {
    this.#ports = ports
    this.#book = book
    this.#receiver = receiver
  }

  conversations(): readonly Digest[] {
    return [...this.#ins.values()].filter(isOpen).map(({ row }) => row.conversation)
  }

  views(): readonly TransferView[] {
    return [...this.#ins.values()].map(viewOf)
  }

  transferIn(conversation: Digest): string | undefined {
    return [...this.#ins.values()].find((one) => isOpen(one) && one.row.conversation === conversation)?.row.transfer
  }

  /** Fetches what a message offers into a folder, from now on until it is there. */
  async accept(message: ShownMessage, into: string): Promise<TransferView> {
    const { fileOffer, sender, conversation } = message
    if (fileOffer === undefined || sender.device === this.#ports.engine.device)
      throw new KezError("usage", "Cannot fetch that: the message offers nothing that you do not have")
    const id = transferIdOf(message)
    const { transfer, name, size, hash, files = 1, list_size: listSize } = fileOffer
    const row: InRow = {
      ...{ id, conversation, transfer, sender: sender.chain, name, size, files, hash, into, state: "waiting" },
      ...(listSize === undefined ? {} : { listSize }),
    }
    await this.#ports.engine.shelf.put(`in/${id}`, row)
    return this.#begin(row)
  }

  /** Fetches out of what somebody shares, from now on until it is there. What an earlier run began is gone on with. */
  async fetchShared(wish: SharedWish): Promise<TransferView> {
    const row = await sharedRow(this.#ports, wish)
    const known = this.#ins.get(row.id)
    return known === undefined ? this.#begin({ ...row, state: "waiting" }) : viewOf(known)
  }

  /** Somebody shares these hashes now: what is fetched of others is not given any more. */
  async keepToShared(sender: Digest, hashes: ReadonlySet<string>): Promise<void> {
    for (const one of this.#ins.values()) {
      if (one.row.isShared !== true || one.row.sender !== sender || !isOpen(one)) continue
      if ((await filesOf(this.#ports, one.row)).every(({ hash }) => hashes.has(hash))) continue
      const { job } = one
      one.job = undefined
      if (job !== undefined) await this.#ports.mover.pause(job).catch(ignoreKez)
      await this.#stop(one, "failed", new KezError("file.refused", "it is not shared with you any more"))
    }
  }

  decline(message: ShownMessage): Promise<void> {
    return declineOffer(this.#ports.engine, message)
  }

  /** What was said yes to before and is not here yet. */
  async resume(): Promise<readonly TransferView[]> {
    const rows = await this.#ports.engine.shelf.list<InRow>("in/")
    const open = rows.filter(({ id, state }) => (state === "waiting" || state === "paused") && !this.#ins.has(id))
    return Promise.all(open.map((row) => this.#resume(row)))
  }

  async #resume(row: InRow): Promise<TransferView> {
    const { conversation, id, isShared } = row
    if (isShared === true || !(await isTakenBack(this.#ports.engine, { conversation, message: `sha256:${id}` })))
      return this.#begin({ ...row, state: "waiting" })
    const one = beginFetch(row)
    this.#ins.set(id, one)
    await this.#stop(one, "failed", takenBack())
    return viewOf(one)
  }

  /** What was decided about an offer; undefined: nothing yet. */
  stateOf(message: ShownMessage): Promise<TransferState | undefined> {
    return offerState(this.#ports.engine, message)
  }

  async #begin(row: InRow): Promise<TransferView> {
    const one = beginFetch(row)
    this.#ins.set(row.id, one)
    await this.#book.tell(row.conversation)
    await this.#start(one)
    return viewOf(one)
  }

  /** Somebody is there, or at another place: asks whoever has it. */
  async look(conversation: Digest): Promise<void> {
    for (const one of this.#ins.values()) {
      if (one.row.conversation !== conversation || !isOpen(one)) continue
      const providers = await this.#providers(one)
      if (one.job === undefined) await this.#start(one)
      else if (providers.length > 0) await this.#ports.mover.providers(one.job, providers).catch(ignoreKez)
    }
  }

  /** The message that offers it was taken back. What is here stays as parts, and is not asked for any more. */
  async takeBack(message: ShownMessage): Promise<void> {
    const one = this.#ins.get(transferIdOf(message))
    if (one === undefined || !isOpen(one)) return
    const { job } = one
    one.job = undefined
    if (job !== undefined) await this.#ports.mover.cancel(job).catch(ignoreKez)
    await this.#stop(one, "failed", takenBack())
  }

  async pauseAll(): Promise<void> {
    for (const one of this.#ins.values())
      if (one.job !== undefined) await this.#ports.mover.pause(one.job).catch(ignoreKez)
  }

  /** Where devices are, of the sender, and of whoever said that it gives what it fetched: the mover takes from all of them. */
  async #providers({ row: { conversation, sender, transfer }, dropped }: In) {
    const said = await statesOf(this.#ports.engine, { conversation, transfer })
    const serving = new Set(said.filter(({ state }) => state === "serving").map(({ device }) => device))
    const here = (await this.#book.here(conversation)).filter(
      ({ chain, device, address }) => (chain === sender || serving.has(device)) && !dropped.has(address.endpoint),
    )
    return addressesOf(here, sender)
  }

  #providerAt({ row }: In, endpoint: string): Provider | undefined {
    const found = this.#book.whoIs(row.conversation, endpoint, row.sender)
    return found === undefined ? undefined : { chain: found.chain, device: found.device }
  }

  async #start(one: In): Promise<void> {
    const providers = await this.#providers(one)
    if (providers.length === 0 || one.job !== undefined || !isOpen(one)) return
    const { row } = one
    const needsList = row.listSize !== undefined && !one.hasList
    const job = needsList ? `${row.id.slice(0, 62)}-l` : row.id
    one.job = job
    try {
      const plan = needsList ? listPlan(this.#ports, row) : await this.#filePlan(one)
      const { mover, maxRate } = this.#ports
      const limit = maxRate === undefined ? {} : { maxRate }
      const begun = await mover.fetch({ job, ...plan, providers, ...limit })
      if (needsList) return
      one.bytes = begun.bytes
      if (begun.bytes > 0 && begun.bytes < begun.total) this.#note(one, { kind: "resumed", bytes: begun.bytes })
    } catch (error) {
      one.job = undefined
      if (!(error instanceof KezError)) throw error
      await this.#stop(one, isSelfMade(error.code) ? "paused" : "failed", error)
    }
  }

  /** Names are chosen once: what runs again finds its own parts by them. */
  async #filePlan(one: In): Promise<FetchPlan> {
    const open = [...this.#ins.values()].filter((other) => other !== one && isOpen(other)).map(({ row }) => row)
    const plan = await filePlan(this.#ports, one.row, open)
    if (one.row.targets === undefined) await this.#keep(one, { targets: plan.files.map(({ path }) => path) })
    return plan
  }

  async take(event: MoverEvent): Promise<void> {
    if (!("job" in event)) return
    const one = [...this.#ins.values()].find(({ job }) => job === event.job)
    if (one === undefined) return
    const isList = event.job !== one.row.id
    switch (event.event) {
      case "progress": {
        if (isList) return
        const from = event.sources.find(({ state }) => state === "connected")
        Object.assign(one, { bytes: event.bytes, rate: event.state === "running" ? event.rate : 0 })
        one.path = from?.path ?? "none"
        return this.#note(one, undefined)
      }
      case "source":
        return this.#source(one, event)
      case "fault":
        if (event.kind !== "source") this.#checksum(one, event)
        return
      case "end":
        return this.#ended(one, event, isList)
    }
  }

  #checksum(one: In, { path: file, peer }: MoverEvent & { readonly event: "fault" }): void {
    const by = this.#providerAt(one, peer)
    this.#note(one, { kind: "checksum", file, ...(by === undefined ? {} : { by }) })
  }

  #source(one: In, { state, path, peer }: MoverEvent & { readonly event: "source" }): void {
    const by = this.#providerAt(one, peer)
    if (state === "faulty") {
      one.connected.delete(peer)
      one.dropped.add(peer)
      if (by !== undefined) this.#note(one, { kind: "dropped", by })
    } else if (state === "connected") {
      const isSame = one.connected.has(peer) && one.path === path
      one.connected.add(peer)
      Object.assign(one, { path, attempt: 0 })
      if (!isSame) this.#note(one, { kind: "connected", path, ...(by === undefined ? {} : { by }) })
    } else if ((state === "lost" || state === "unreachable") && one.connected.delete(peer)) {
      if (one.connected.size > 0) return
      Object.assign(one, { path: "none", rate: 0 })
      this.#note(one, { kind: "lost" })
    } else if (state === "unknown") this.#note(one, { kind: "no_way" })
  }

  async #ended(
    one: In,
    { state, error, bytes }: MoverEvent & { readonly event: "end" },
    isList: boolean,
  ): Promise<void> {
    one.job = undefined
    Object.assign(one, { rate: 0, path: "none" })
    one.connected.clear()
    if (!isList) one.bytes = bytes
    if (state === "done" && isList) {
      one.hasList = true
      return this.#start(one)
    }
    if (state === "done") {
      one.bytes = one.row.size
      await this.#keep(one, { state: "done" })
      this.#note(one, { kind: "state" })
      // Nobody waits to hear of what is shared.
      return one.row.isShared === true ? undefined : this.#sayDone(one.row)
    }
    if (state !== "failed") return this.#stop(one, "paused")
    const fault = error ?? { code: "internal", message: "kez-iroh does not say why" }
    // Refused by all: what allows us may be under way there. Lost: somebody comes back, and says so.
    if (fault.code.startsWith("peer.")) return this.#againSoon(one)
    await this.#stop(one, fault.code === "disk.full" ? "paused" : "failed", moverFault(fault))
  }

  async #sayDone(row: InRow): Promise<void> {
    await tellState(this.#ports.engine, row, "done")
    this.#receiver.onWhole(row)
  }

  #againSoon(one: In): void {
    const wait = againMs[Math.min(one.attempt, againMs.length - 1)] ?? 60_000
    one.attempt += 1
    this.#note(one, undefined)
    this.#receiver.later(wait, () => this.#start(one))
  }

  async #stop(one: In, state: "paused" | "failed", fault?: KezError): Promise<void> {
    one.isStopped = true
    const why = fault === undefined ? {} : { code: fault.code, reason: fault.message }
    await this.#keep(one, { state, ...why })
    this.#note(one, { kind: "state" }, fault?.hint)
  }

  async #keep(one: In, change: Partial<InRow>): Promise<void> {
    one.row = { ...one.row, ...change }
    await this.#ports.engine.shelf.put(`in/${one.row.id}`, one.row)
  }

  #note(one: In, note: TransferNote | undefined, hint?: string): void {
    this.#receiver.tell({ ...viewOf(one), ...(hint === undefined ? {} : { hint }) }, note)
  }
}

function takenBack(): KezError {
  return new KezError("file.refused", "who offered it took it back")
}
