/**
 * Chains that were read lately, by the name in the URL, so that the next read asks nobody. Only where this process is the one that
 * writes: it is told of each change before the writer is, and can see that there was another writer.
 */
import { parseChainName } from "./chain-name.ts"
import type { ChainService, ChainView, LookUp } from "./chain-service.ts"
import type { Storage } from "./storage/storage.ts"

/** Names; the views themselves belong to the service, which keeps as many as its memory allows. */
const maxNames = 20_000

export interface RecentViews {
  get(name: string): ChainView | undefined
  find(name: string): Promise<LookUp>
}

export function createRecentViews(service: ChainService, storage: Pick<Storage, "version">): RecentViews {
  const views = new Map<string, WeakRef<ChainView>>()
  let changes = 0
  let version = storage.version?.()

  /** Another process on the same file, which takes over or was started by mistake: what it writes nobody tells us. */
  const forgetOutdated = (): void => {
    const written = storage.version?.()
    if (written === version) return
    version = written
    changes += 1
    views.clear()
  }

  service.watch(({ chain, replay }) => {
    changes += 1
    views.delete(chain)
    // A second chain of a primary makes its name mean neither.
    for (const primary of replay.everyPrimary) views.delete(primary)
  })

  return {
    get(name) {
      forgetOutdated()
      return views.get(name)?.deref()
    },
    async find(name) {
      forgetOutdated()
      const before = changes
      const found = await service.find(name)
      forgetOutdated()
      // What was found before a change may be older than it.
      if (found.status === "found" && changes === before) {
        if (views.size >= maxNames) views.clear()
        views.set(name, new WeakRef(found.view))
      }
      return found
    },
  }
}

/** For a storage that others write to as well: each read asks. */
export function noRecentViews(service: ChainService): RecentViews {
  return { get: () => undefined, find: (name) => service.find(name) }
}

/** A name that the library refuses, and a storage that fails, are for the framework to tell. */
export async function tryFind(name: string, views: RecentViews): Promise<LookUp | undefined> {
  try {
    return await views.find(parseChainName(name))
  } catch {
    return undefined
  }
}
