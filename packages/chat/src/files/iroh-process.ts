/** `FileMover` in Node: kez-iroh as a process beside this one, over lines of JSON. Bytes of files cross neither pipe. rust/kez-iroh/PROTOCOL.md */
import { type ChildProcessByStdio, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import type { Readable, Writable } from "node:stream"
import { KezError } from "@kez/core"
import type { FetchRequest, FileMover, Imported, MoverAddress, MoverEvent } from "./mover.ts"
import { type MoverFault, moverFault } from "./mover-fault.ts"
import { readablePeers, readableProviders } from "./reach.ts"

export interface IrohOptions {
  /** The program: KEZ_IROH, or what scripts/iroh.sh built. */
  readonly program: string
  /** Folder of its store, absolute. One process at a time. */
  readonly data: string
  readonly relay?: "none" | "public" | readonly string[]
  readonly discovery?: "none" | "lan"
  readonly bind?: readonly string[]
  /** False: only through the relay, and no address of this computer is told to anybody. */
  readonly direct?: boolean
}

/** How long it may take to end by itself. */
const endMs = 5_000
/** A relay that answers does so within this. */
const relayMs = 5_000
type Child = ChildProcessByStdio<Writable, Readable, null>
type Line = Readonly<Record<string, unknown>>

/** Starts it, with an endpoint for this run. Throws `file.program`, `store.busy`. */
export async function startIroh({ program, data, ...options }: IrohOptions): Promise<FileMover> {
  // It gets nothing of the environment but what finding files needs: nothing there is its business.
  const { PATH, SystemRoot, TMPDIR, TEMP } = process.env
  const env = { ...definedOf({ PATH, SystemRoot, TMPDIR, TEMP }) }
  const child = spawn(program, [], { stdio: ["pipe", "pipe", "ignore"], env })
  const mover = new IrohProcess(child)
  try {
    await mover.begin({ data, ...options })
    return mover
  } catch (error) {
    await mover.close()
    throw error
  }
}

class IrohProcess implements FileMover {
  readonly #child: Child
  readonly #ended: Promise<void>
  readonly #asked = new Map<number, { resolve(ok: Line): void; reject(error: Error): void }>()
  readonly #listeners: ((event: MoverEvent) => void)[] = []
  #next = 0
  /** One's own. */
  #relays: readonly string[] = []
  #address: MoverAddress = { endpoint: "", addresses: [] }
  #isClosed = false
  /** By its own exit or a signal: nothing answers any more. */
  #isGone = false
  #why = "it stopped"

  constructor(child: Child) {
    this.#child = child
    this.#ended = new Promise((resolve) => {
      child.once("error", (error: NodeJS.ErrnoException) => {
        this.#why = error.code === "ENOENT" ? "there is no such program" : `the system says ${error.code}`
        this.#gone()
        resolve()
      })
      child.once("close", () => {
        this.#gone()
        resolve()
      })
    })
    // A process that ended does not read.
    child.stdin.on("error", () => undefined)
    createInterface({ input: child.stdout }).on("line", (line) => this.#take(line))
  }

  async begin(options: Omit<IrohOptions, "program">): Promise<void> {
    const { relay = "none", discovery = "none", direct = true, data, bind } = options
    const answer = await this.#ask("start", {
      ...{ data, relay, discovery, direct },
      ...(bind === undefined ? {} : { bind }),
    })
    this.#address = addressOf(answer)
    this.#relays = typeof relay === "string" ? [] : relay
    // Until then there is nothing to tell where it is reached.
    if (!direct) await this.#relayed()
  }

  /** Resolves once it has its relay, or after a time. */
  #relayed(): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#address.relay === undefined && !this.#isClosed) return
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(resolve, relayMs)
      this.on(look)
      look()
    })
  }

  address(): MoverAddress {
    return this.#address
  }
  async import(paths: readonly string[], job?: string): Promise<Imported> {
    return (await this.#ask("import", { paths, ...(job === undefined ? {} : { job }) })) as unknown as Imported
  }
  async offer(set: string, hashes: readonly string[], peers: readonly string[]): Promise<void> {
    await this.#ask("offer", { set, hashes, peers: readablePeers(peers) })
  }
  async allow(set: string, peers: readonly string[]): Promise<void> {
    await this.#ask("allow", { set, peers: readablePeers(peers) })
  }
  async forget(set: string): Promise<void> {
    await this.#ask("forget", { set })
  }
  async fetch({ maxRate, providers, ...request }: FetchRequest): Promise<{ total: number; bytes: number }> {
    const answer = await this.#ask("fetch", {
      ...request,
      providers: readableProviders(providers, this.#relays),
      ...(maxRate === undefined ? {} : { maxRate }),
    })
    return { total: Number(answer["total"]), bytes: Number(answer["bytes"]) }
  }
  async providers(job: string, providers: readonly MoverAddress[]): Promise<void> {
    await this.#ask("providers", { job, providers: readableProviders(providers, this.#relays) })
  }
  async pause(job: string): Promise<void> {
    await this.#ask("pause", { job })
  }
  async cancel(job: string): Promise<void> {
    await this.#ask("cancel", { job })
  }
  on(listener: (event: MoverEvent) => void): void {
    this.#listeners.push(listener)
  }

  async close({ isStuck } = { isStuck: false }): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true
      // It ends with its stdin, and keeps the parts of what it fetches.
      this.#child.stdin.end()
    }
    if (isStuck) this.#child.kill("SIGKILL")
    const kill = setTimeout(() => this.#child.kill("SIGKILL"), endMs)
    await this.#ended
    clearTimeout(kill)
  }

  #ask(what: string, members: object): Promise<Line> {
    if (this.#isClosed || this.#isGone) return Promise.reject(stopped(this.#why))
    const id = ++this.#next
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject })
      this.#child.stdin.write(`${JSON.stringify({ id, do: what, ...members })}\n`)
    })
  }

  #take(line: string): void {
    let value: Line
    try {
      value = JSON.parse(line)
    } catch {
      return // Ours, and never so; a line that cannot be read answers nothing.
    }
    if (typeof value["event"] === "string") {
      if (value["event"] === "addresses") this.#address = addressOf(value)
      this.#tell(value as unknown as MoverEvent) // the contract test of the program freezes these
      return
    }
    const asked = this.#asked.get(Number(value["id"]))
    this.#asked.delete(Number(value["id"]))
    if (value["error"] === undefined) asked?.resolve((value["ok"] ?? {}) as Line)
    else asked?.reject(moverFault(value["error"] as MoverFault))
  }

  #gone(): void {
    this.#isGone = true
    for (const { reject } of this.#asked.values()) reject(stopped(this.#why))
    this.#asked.clear()
    if (!this.#isClosed) this.#tell({ event: "stopped", reason: this.#why })
  }

  #tell(event: MoverEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}

function stopped(why: string): KezError {
  return new KezError("file.program", `Cannot move files: kez-iroh does not run: ${why}`, {
    hint: "Start it again with the same command: what was received is kept.",
  })
}

function addressOf({ endpoint, addresses, relay }: Line): MoverAddress {
  return {
    endpoint: String(endpoint),
    addresses: Array.isArray(addresses) ? addresses.map(String) : [],
    ...(typeof relay === "string" ? { relay } : {}),
  }
}

function definedOf(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined))
}
