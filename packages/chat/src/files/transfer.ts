/** Transfers as rows that outlive a kill, and as what people see of them. */
import type { Digest } from "@kez/core"
import type { Engine } from "../engine/engine.ts"
import type { ClockPort } from "../engine/ports.ts"
import type { FileState } from "../wire/content.ts"
import type { BrowsingEvent } from "./browsing.ts"
import type { FileDisk, FileMover, PathKind } from "./mover.ts"

/** Somebody fetches what is shared. */
export interface Served {
  readonly chain: Digest
  /** Of his connection. */
  readonly bytes: number
  /** Bytes a second. */
  readonly rate: number
  readonly path: PathKind
}

/** A task in its turn, after so long. */
export type Later = (ms: number, task: () => Promise<void>) => void

export interface FilePorts {
  readonly engine: Engine
  readonly mover: FileMover
  readonly disk: FileDisk
  readonly clock: ClockPort
  /** 64 hex of randomness. */
  readonly newId: () => string
  /** Bytes a second of what is fetched; absent: as fast as it goes. */
  readonly maxRate?: number
  /** What was fetched whole is given to other members and own devices, as long as this runs. */
  readonly passesOn?: boolean
  readonly onFault?: (error: unknown) => void
  readonly onServed?: (served: Served) => void
  /** A list of somebody who was asked came, or is not believed. */
  readonly onBrowsing?: (event: BrowsingEvent) => void
}

/**
 * `waiting`: for a device of the other side to be there. `paused`: kept, and not tried again by itself. `done`, `declined`, `failed`: over.
 */
export type TransferState = "waiting" | "running" | "paused" | "done" | "declined" | "failed"

export interface TransferView {
  /** The offer's own of what is sent, the message's of what is fetched. */
  readonly id: string
  readonly direction: "out" | "in"
  readonly conversation: Digest
  readonly name: string
  readonly size: number
  readonly files: number
  readonly state: TransferState
  readonly bytes: number
  /** Bytes a second. */
  readonly rate: number
  readonly path: PathKind
  /** Where it is written. */
  readonly target?: string
  readonly code?: string
  readonly reason?: string
  readonly hint?: string
}

/** What is worth a line of its own. */
export type TransferNote =
  | { readonly kind: "offered" }
  | { readonly kind: "connected"; readonly path: PathKind; readonly by?: Provider }
  | { readonly kind: "lost" }
  /** The other side is there, and names no place that may be used from here. */
  | { readonly kind: "no_way" }
  | { readonly kind: "resumed"; readonly bytes: number }
  /** Somebody sent what is not the file. Nothing of it was written; it is fetched again. */
  | { readonly kind: "checksum"; readonly file: string; readonly by?: Provider }
  /** One of several who are to have it has all of it, or does not want it. */
  | { readonly kind: "has" | "refused"; readonly by: Provider }
  /** Somebody did so again and again: nothing more of this is taken from there. */
  | { readonly kind: "dropped"; readonly by: Provider }
  /** What is offered is not what was hashed any more, and was not sent. */
  | { readonly kind: "changed"; readonly file: string }
  | { readonly kind: "state" }

/** A device that gives a file. */
export interface Provider {
  readonly chain: Digest
  readonly device: string
}

/** What devices said of an offer, as the engine keeps it: `state/TRANSFER/CONVERSATION/DEVICE`. */
export interface StateRow extends Provider {
  readonly conversation: Digest
  readonly state: Exclude<FileState, "open">
}

export type TransferListener = (view: TransferView, note: TransferNote | undefined) => void

export interface OutRow {
  readonly transfer: string
  readonly conversation: Digest
  readonly name: string
  readonly size: number
  readonly files: number
  readonly hash: string
  readonly listSize?: number
  /** Absolute. What was imported. */
  readonly paths: readonly string[]
  readonly isOver: boolean
  /** That offers it. */
  readonly message?: Digest
  /** Who was in the conversation then: who came later does not see the offer. */
  readonly people?: readonly Digest[]
  /** Fetched from somebody, and given to other members: the name of the fetch, who offered it, and until when (Unix seconds). */
  readonly passedOn?: { readonly id: string; readonly sender: Digest; readonly until: number }
}

export interface InRow {
  /** Hex of the message's id. */
  readonly id: string
  readonly conversation: Digest
  readonly transfer: string
  readonly sender: Digest
  readonly name: string
  readonly size: number
  readonly files: number
  readonly hash: string
  readonly listSize?: number
  readonly into: string
  /** Out of what somebody shares, not offered by a message: the list of a folder is ours, and nobody waits to hear that it is here. */
  readonly isShared?: true
  /** Names that the files get below `into`, in the list's order; absent until they are chosen. */
  readonly targets?: readonly string[]
  readonly state: TransferState
  readonly code?: string
  readonly reason?: string
}
