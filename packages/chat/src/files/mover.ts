/** Who moves the bytes of files: a process beside this one (`iroh-process.ts`), or a model in tests. What it says of itself is in rust/kez-iroh/PROTOCOL.md. */

/** Where a device is reached: an endpoint id (64 hex), direct addresses, a relay. */
export interface MoverAddress {
  readonly endpoint: string
  readonly addresses: readonly string[]
  readonly relay?: string
}

export type PathKind = "direct" | "relay" | "none"

export interface ImportedFile {
  /** Begins with the name of what was imported; components divided by `/`. */
  readonly path: string
  readonly size: number
  /** BLAKE3, 64 hex. */
  readonly hash: string
}

export interface Imported {
  readonly files: readonly ImportedFile[]
  /** What was not taken, and why: `link`, `special`, `unreadable`, `name`, `deep`. */
  readonly skipped: readonly { readonly path: string; readonly why: string }[]
}

export interface FetchRequest {
  readonly job: string
  readonly files: readonly { readonly hash: string; readonly size: number; readonly path: string }[]
  /** An existing folder, absolute. */
  readonly into: string
  readonly providers: readonly MoverAddress[]
  /** Bytes a second. */
  readonly maxRate?: number
}

export interface FetchSource {
  readonly peer: string
  readonly state: string
  readonly path: PathKind
}

export type MoverEvent =
  | { readonly event: "addresses" }
  | { readonly event: "importing"; readonly job: string; readonly bytes: number; readonly total: number }
  | {
      readonly event: "source"
      readonly job: string
      readonly peer: string
      readonly state: string
      readonly path: PathKind
    }
  | {
      readonly event: "progress"
      readonly job: string
      readonly state: "running" | "waiting"
      readonly bytes: number
      readonly total: number
      readonly rate: number
      readonly filesDone: number
      readonly sources: readonly FetchSource[]
    }
  | {
      readonly event: "fault"
      readonly job: string
      readonly peer: string
      readonly path: string
      readonly kind: "checksum" | "size" | "source"
      readonly offset: number
    }
  | {
      readonly event: "end"
      readonly job: string
      readonly state: "done" | "paused" | "cancelled" | "failed"
      readonly bytes: number
      readonly error?: { readonly code: string; readonly message: string; readonly hint?: string }
    }
  | { readonly event: "peer"; readonly peer: string; readonly state: string; readonly path?: PathKind }
  | {
      readonly event: "serving"
      readonly peer: string
      readonly path: PathKind
      /** Of this connection. */
      readonly bytes: number
      readonly rate: number
      readonly files: readonly { readonly hash: string; readonly bytes: number }[]
    }
  | { readonly event: "changed"; readonly hash: string; readonly path?: string }
  | { readonly event: "refused"; readonly peer: string; readonly why: string }
  /** It is gone and does not come back by itself. */
  | { readonly event: "stopped"; readonly reason: string }

/** All of it throws `file.*`, `input.unreadable`, `store.write`, `limit.*`. */
export interface FileMover {
  /** Where it is reached now: `addresses` events say when that changed. */
  address(): MoverAddress
  import(paths: readonly string[], job?: string): Promise<Imported>
  /** Makes or replaces a set: each of `peers` may have each of `hashes`. */
  offer(set: string, hashes: readonly string[], peers: readonly string[]): Promise<void>
  allow(set: string, peers: readonly string[]): Promise<void>
  forget(set: string): Promise<void>
  fetch(request: FetchRequest): Promise<{ readonly total: number; readonly bytes: number }>
  providers(job: string, providers: readonly MoverAddress[]): Promise<void>
  pause(job: string): Promise<void>
  cancel(job: string): Promise<void>
  on(listener: (event: MoverEvent) => void): void
  /** `isStuck`: it was waited for already, and is ended at once. */
  close(how?: { readonly isStuck: boolean }): Promise<void>
}

/** The few things about folders here that are not the mover's: lists of offers, and which names are taken. */
export interface FileDisk {
  /** Where lists of offers lie. */
  readonly lists: string
  /** Writes a list whole or not at all; resolves to its path. */
  writeList(name: string, bytes: Uint8Array): Promise<string>
  /** One that is not there is no fault. */
  removeList(name: string): Promise<void>
  /** Throws `limit.size`, `store.write`. */
  readList(name: string, maxBytes: number): Promise<Uint8Array>
  /** Names in a folder, which is made if it is missing. */
  namesIn(folder: string): Promise<ReadonlySet<string>>
  /** `folder/name` as this system writes it. */
  join(folder: string, name: string): string
}
