/** What lies on the disk of what is shared. It is looked at outside every turn: hashing may take long, and who may have what does not wait for it. */
import { KezError } from "@kez/core"
import type { Imported, ImportedFile } from "./mover.ts"
import { ignoreKez } from "./mover-fault.ts"
import { type Listed, listedFiles } from "./own-list.ts"
import { type ShareRow, shareKeys } from "./share-rows.ts"
import type { FilePorts } from "./transfer.ts"

export interface SharingResult {
  readonly shares: readonly ShareRow[]
  /** What was left out, and why, as the mover says it; `name`: a list cannot name it. */
  readonly skipped: readonly { readonly path: string; readonly why: string }[]
}

/** What lies at a path that is to be shared. */
export interface Found {
  readonly path: string
  readonly imported: Imported
}

interface Seen {
  readonly files: Listed["files"]
  /** Why nothing of it is given now. */
  readonly code?: string
}

export class ShareLook {
  readonly #ports: FilePorts
  readonly #seen = new Map<string, Seen>()
  readonly #dropped = new Set<string>()
  #lane: Promise<unknown> = Promise.resolve()

  constructor(ports: FilePorts) {
    this.#ports = ports
  }

  /** At what `rows` says when its turn has come: one look after another. */
  look(rows: () => Promise<readonly ShareRow[]>): Promise<void> {
    const look = this.#lane.then(async () => {
      for (const row of await rows()) await this.#lookAt(row)
    })
    this.#lane = look.catch(() => undefined)
    return look
  }

  async #lookAt({ id, path, name }: ShareRow): Promise<void> {
    if (this.#dropped.has(id)) return
    try {
      const { files } = await this.#ports.mover.import([path], jobOf(id))
      if (!this.#dropped.has(id)) this.note(id, files, name)
    } catch (error) {
      if (this.#dropped.has(id)) return
      // A mover that is gone says nothing of what lies there.
      if (!(error instanceof KezError) || error.code === "file.program") throw error
      // Nothing lies there. Anything else, such as something that is being written into it, says nothing of what was seen: that stays listed.
      const before = this.#seen.get(id)
      const isListed = before !== undefined && before.code === undefined
      if (error.code === "input.unreadable" || !isListed) this.#seen.set(id, { files: [], code: error.code })
    }
  }

  /** False: something is left out that lies there, such as what is being written into. */
  get isWhole(): boolean {
    return [...this.#seen.values()].every(({ code }) => code === undefined || code === "input.unreadable")
  }

  note(id: string, files: readonly ImportedFile[], name: string): void {
    this.#seen.set(id, { files: listedFiles(files, name).files })
  }

  /** It is not shared any more: hashing of it ends. */
  drop(id: string): void {
    this.#dropped.add(id)
    this.#seen.delete(id)
    void this.#ports.mover.cancel(jobOf(id)).catch(ignoreKez)
  }

  /** What is gone is not listed, and stays shared for when it is there again. */
  async keepSeen({ code: before, ...row }: ShareRow): Promise<void> {
    const { files = [], code } = this.#seen.get(row.id) ?? {}
    const size = files.reduce((sum, file) => sum + file.size, 0)
    if (row.files === files.length && row.size === size && before === code) return
    const now = { ...row, files: files.length, size, ...(code === undefined ? {} : { code }) }
    await this.#ports.engine.shelf.put(shareKeys.share(row.id), now)
  }

  of({ id }: ShareRow): Seen | undefined {
    return this.#seen.get(id)
  }

  /** As it was seen last; undefined: one of them was not looked at in this run. */
  listed(rows: readonly ShareRow[]): readonly Listed[] | undefined {
    const all = rows.map((row) => ({ audience: row.audience, files: this.of(row)?.files }))
    return all.every((one): one is Listed => one.files !== undefined) ? all : undefined
  }
}

function jobOf(id: string): string {
  return `look-${id.slice(0, 40)}`
}
