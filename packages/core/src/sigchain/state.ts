/** The state of a sigchain, with a journal so that a walk over branches can step back. SPEC §5.4. */
import type { Digest } from "../digest.ts"

export interface DeviceEntry {
  readonly key: string
  /** The key that signed its `add_device`: the primary of that time, or a device. */
  readonly addedBy: string
  readonly seq: number
}

/** A key, the key that added it on this branch, the one that added that, and so on. Shared between all that it added. */
export interface KeyLine {
  readonly key: string
  readonly addedBy: KeyLine | undefined
}

export interface SubjectEntry {
  readonly subject: string
  readonly status: "active" | "revoked"
  /** The account's permanent number, from the last `add`. */
  readonly subjectId?: string
  /** Digest of the claim, from the last `add`. */
  readonly proof?: Digest
  /** Whether any `revoke` ever named it. */
  readonly everRevoked: boolean
  readonly seq: number
}

export interface SharedFiles {
  readonly manifest: Digest
  readonly size: number
  readonly seq: number
}

interface Scalars {
  readonly primary: string
  readonly next: Digest | undefined
  readonly sharedFiles: SharedFiles | undefined
  readonly activeSubjects: number
}

/**
 * Mutable. Every change is journaled: `mark()` names a point, `rollback(mark)` returns to it. One working state serves a
 * whole walk, so that memory does not grow with the number of branches that an attacker serves.
 */
export class WorkingState {
  #scalars: Scalars
  readonly #devices = new Map<string, DeviceEntry>()
  readonly #lines = new Map<string, KeyLine>()
  readonly #burned = new Map<string, number>()
  readonly #subjects = new Map<string, SubjectEntry>()
  readonly #primaries = new Map<string, number>()
  readonly #journal: (() => void)[] = []

  constructor(primary: string) {
    this.#scalars = { primary, next: undefined, sharedFiles: undefined, activeSubjects: 0 }
    this.#primaries.set(primary, 0)
  }

  get primary(): string {
    return this.#scalars.primary
  }
  get next(): Digest | undefined {
    return this.#scalars.next
  }
  get sharedFiles(): SharedFiles | undefined {
    return this.#scalars.sharedFiles
  }
  get devices(): ReadonlyMap<string, DeviceEntry> {
    return this.#devices
  }
  get subjects(): ReadonlyMap<string, SubjectEntry> {
    return this.#subjects
  }
  /** Every primary the path ever had, with the seq from which on it was in force. */
  get primaries(): ReadonlyMap<string, number> {
    return this.#primaries
  }
  get burned(): ReadonlyMap<string, number> {
    return this.#burned
  }
  get activeSubjects(): number {
    return this.#scalars.activeSubjects
  }

  mark(): number {
    return this.#journal.length
  }

  rollback(mark: number): void {
    while (this.#journal.length > mark) this.#journal.pop()?.()
  }

  setSubject(entry: SubjectEntry): void {
    const before = this.#subjects.get(entry.subject)?.status === "active" ? 1 : 0
    const after = entry.status === "active" ? 1 : 0
    if (before !== after) this.#setScalars({ activeSubjects: this.#scalars.activeSubjects + after - before })
    this.#set(this.#subjects, entry.subject, entry)
  }

  addDevice(device: DeviceEntry): void {
    this.#set(this.#devices, device.key, device)
    this.#set(this.#lines, device.key, { key: device.key, addedBy: this.lineOf(device.addedBy) })
  }

  /** Who added a key, and who added that one, whether active or not. */
  lineOf(key: string): KeyLine {
    const known = this.#lines.get(key)
    if (known !== undefined) return known
    const line = { key, addedBy: undefined }
    this.#set(this.#lines, key, line)
    return line
  }

  /** Burns a key: it is no device any more and never becomes a key of this chain again. [CHAIN-15] */
  burn(key: string, seq: number): void {
    const device = this.#devices.get(key)
    if (device !== undefined) {
      this.#devices.delete(key)
      this.#journal.push(() => this.#devices.set(key, device))
    }
    if (!this.#burned.has(key)) this.#set(this.#burned, key, seq)
  }

  setPrimary(primary: string, seq: number): void {
    this.#setScalars({ primary })
    this.#set(this.#primaries, primary, seq)
  }

  setNext(next: Digest | undefined): void {
    this.#setScalars({ next })
  }

  setSharedFiles(sharedFiles: SharedFiles): void {
    this.#setScalars({ sharedFiles })
  }

  #setScalars(change: Partial<Scalars>): void {
    const before = this.#scalars
    this.#scalars = { ...before, ...change }
    this.#journal.push(() => {
      this.#scalars = before
    })
  }

  #set<V>(map: Map<string, V>, key: string, value: V): void {
    const before = map.get(key)
    map.set(key, value)
    this.#journal.push(() => {
      if (before === undefined) map.delete(key)
      else map.set(key, before)
    })
  }
}
