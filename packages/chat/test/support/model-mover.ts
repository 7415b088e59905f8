/** A mover that moves nothing: what it was told is the test's to look at, and what it says is the test's to choose. */
import type { FileDisk, FileMover, ImportedFile, MoverAddress, MoverEvent } from "../../src/files/mover.ts"

export interface ModelMover extends FileMover {
  /** Endpoints that may have what is offered, by set. */
  readonly sets: Map<string, readonly string[]>
  readonly fetches: { readonly job: string; readonly endpoints: readonly string[] }[]
  /** What fetches were told of places, newest last. */
  readonly places: MoverAddress[]
  /** Endpoints that were added to fetches that run. */
  readonly added: (readonly string[])[]
  /** What an import finds. */
  imported: readonly ImportedFile[]
  readonly cancelled: string[]
  /** Sets that were made or replaced. */
  offers: number
  say(event: MoverEvent): void
}

export function modelMover(endpoint: string, files: readonly ImportedFile[]): ModelMover {
  const sets = new Map<string, readonly string[]>()
  const fetches: { job: string; endpoints: readonly string[] }[] = []
  const listeners: ((event: MoverEvent) => void)[] = []
  const added: (readonly string[])[] = []
  const mover: ModelMover = {
    sets,
    fetches,
    added,
    places: [],
    cancelled: [],
    imported: files,
    offers: 0,
    say: (event) => {
      for (const listener of listeners) listener(event)
    },
    address: () => ({ endpoint, addresses: ["127.0.0.1:1"] }),
    import: async () => ({ files: mover.imported, skipped: [] }),
    offer: async (set, _hashes, peers) => {
      mover.offers += 1
      sets.set(set, peers)
    },
    allow: async (set, peers) => void sets.set(set, peers),
    forget: async (set) => void sets.delete(set),
    fetch: async ({ job, providers }) => {
      mover.places.push(...providers)
      fetches.push({ job, endpoints: providers.map((one) => one.endpoint) })
      return { total: 1, bytes: 0 }
    },
    providers: async (_job, providers) => {
      mover.places.push(...providers)
      added.push(providers.map((one) => one.endpoint))
    },
    pause: async () => undefined,
    cancel: async (job) => void mover.cancelled.push(job),
    on: (listener) => void listeners.push(listener),
    close: async () => undefined,
  }
  return mover
}

export const modelDisk: FileDisk = {
  lists: "/lists",
  writeList: async (name) => `/lists/${name}`,
  removeList: async () => undefined,
  readList: async () => new Uint8Array(),
  namesIn: async () => new Set(),
  join: (folder, name) => `${folder}/${name}`,
}
