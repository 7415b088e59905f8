/** Movers and disks that hold bytes, on one network: who is let in by the other side gets them, and nobody else does. Hashes are SHA-256 here. */
import { digestOf, KezError } from "@kez/core"
import type { FileDisk, FileMover, ImportedFile, MoverAddress, MoverEvent } from "../../src/files/mover.ts"

interface Set_ {
  readonly hashes: ReadonlySet<string>
  peers: readonly string[]
}

export class ModelNet {
  readonly movers = new Map<string, NetMover>()
}

export class NetMover implements FileMover {
  readonly net: ModelNet
  readonly endpoint: string
  /** Path to bytes. */
  readonly disk = new Map<string, Uint8Array>()
  readonly sets = new Map<string, Set_>()
  readonly #blobs = new Map<string, Uint8Array>()
  readonly #listeners: ((event: MoverEvent) => void)[] = []
  readonly refused: string[] = []
  fetches = 0

  constructor(net: ModelNet, endpoint: string) {
    this.net = net
    this.endpoint = endpoint
    net.movers.set(endpoint, this)
  }

  write(path: string, text: string): void {
    this.disk.set(path, new TextEncoder().encode(text))
  }

  address(): MoverAddress {
    return { endpoint: this.endpoint, addresses: ["127.0.0.1:1"] }
  }

  async import(paths: readonly string[]) {
    const files: ImportedFile[] = []
    for (const path of paths) {
      const found = [...this.disk].filter(([one]) => one === path || one.startsWith(`${path}/`))
      if (found.length === 0) throw new KezError("input.unreadable", `nothing at ${path}`)
      const above = path.lastIndexOf("/") + 1
      for (const [one, bytes] of found) {
        const hash = hashOf(bytes)
        this.#blobs.set(hash, bytes)
        files.push({ path: one.slice(above), size: bytes.length, hash })
      }
    }
    return { files, skipped: [] }
  }

  async offer(set: string, hashes: readonly string[], peers: readonly string[]): Promise<void> {
    this.sets.set(set, { hashes: new Set(hashes), peers })
  }
  async allow(set: string, peers: readonly string[]): Promise<void> {
    const known = this.sets.get(set)
    if (known === undefined) throw new KezError("file.program", "no such set")
    known.peers = peers
  }
  async forget(set: string): Promise<void> {
    this.sets.delete(set)
  }

  /** What this one gives to an endpoint. */
  give(hash: string, peer: string): Uint8Array | undefined {
    const isAllowed = [...this.sets.values()].some(({ hashes, peers }) => hashes.has(hash) && peers.includes(peer))
    if (!isAllowed) this.refused.push(peer)
    return isAllowed ? this.#blobs.get(hash) : undefined
  }

  async fetch(request: Parameters<FileMover["fetch"]>[0]) {
    this.fetches += 1
    const { job, files, into, providers } = request
    const total = files.reduce((sum, { size }) => sum + size, 0)
    setImmediate(() => {
      for (const { hash, path } of files) {
        const bytes = providers
          .map(({ endpoint }) => this.net.movers.get(endpoint)?.give(hash, this.endpoint))
          .find(Boolean)
        if (bytes === undefined) {
          const error = { code: "peer.refused", message: "Cannot go on: nobody gives it" }
          return this.say({ event: "end", job, state: "failed", bytes: 0, error })
        }
        this.disk.set(`${into}/${path}`, bytes)
      }
      this.say({ event: "end", job, state: "done", bytes: total })
    })
    return { total, bytes: 0 }
  }

  async providers(): Promise<void> {}
  async pause(): Promise<void> {}
  async cancel(_job: string): Promise<void> {}
  on(listener: (event: MoverEvent) => void): void {
    this.#listeners.push(listener)
  }
  say(event: MoverEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
  async close(): Promise<void> {
    this.net.movers.delete(this.endpoint)
  }
}

export function netDisk({ disk }: NetMover): FileDisk {
  return {
    lists: "/lists",
    join: (folder, name) => `${folder}/${name}`,
    async writeList(name, bytes) {
      disk.set(`/lists/${name}`, bytes)
      return `/lists/${name}`
    },
    removeList: async (name) => void disk.delete(`/lists/${name}`),
    async readList(name, maxBytes) {
      const bytes = disk.get(`/lists/${name}`)
      if (bytes === undefined) throw new Error(`no list ${name}`)
      if (bytes.length > maxBytes) throw new KezError("limit.size", "Cannot read the list of files: it is too long")
      return bytes
    },
    namesIn: async (folder) =>
      new Set(
        [...disk.keys()].flatMap((path) =>
          path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1).split("/")[0] ?? ""] : [],
        ),
      ),
  }
}

export function hashOf(bytes: Uint8Array): string {
  return digestOf(bytes).slice("sha256:".length)
}
