/** What is hashed now to be shared: there is no row of it yet, and who ends it meanwhile must not be overtaken by it. */
import type { Audience, ShareRow } from "./share-rows.ts"

export interface PendingShare {
  /** Absolute; those that were not ended since. */
  readonly paths: Set<string>
  readonly audience: Audience
}

export class PendingShares {
  readonly #all = new Set<PendingShare>()

  begin(paths: readonly string[], audience: Audience): PendingShare {
    const one = { paths: new Set(paths), audience }
    this.#all.add(one)
    return one
  }

  end(one: PendingShare): void {
    this.#all.delete(one)
  }

  /** Whatever of it is on its way is not shared when it is there. True: there was something. */
  drop(path: string): boolean {
    // All of them: the same may be shared from two conversations at once.
    return [...this.#all].filter(({ paths }) => paths.delete(path)).length > 0
  }

  /** As rows of nothing. */
  rows(): readonly ShareRow[] {
    return [...this.#all].flatMap(({ paths, audience }) =>
      [...paths].map((path) => {
        const name = path.split(/[\\/]/).at(-1) ?? path
        return { id: "", path, name, audience, addedAt: 0, files: 0, size: 0 }
      }),
    )
  }
}
