/** What a reader remembers of a directory, so that no later answer can contradict it unnoticed. SPEC §7.8. */
import type { Digest } from "../digest.ts"
import { KezError } from "../error.ts"
import { type Checkpoint, openCheckpoint } from "../tlog/checkpoint.ts"
import { type NoteKey, parseNoteKey } from "../tlog/note.ts"
import { isConsistent } from "../tlog/proof.ts"
import { directoryOrigin } from "./leaf.ts"

/** The newest that was seen about one handle. */
export interface SeenHandle {
  readonly chain: Digest
  /** Place of the leaf. */
  readonly index: number
}

/** Plain values: it is stored as JSON. */
export interface DirectoryMemory {
  readonly host: string
  /** As `formatNoteKey` writes it; pinned at the first look. */
  readonly key: string
  /** The newest checkpoint, signed: evidence, should another history be shown. */
  readonly checkpoint: string
  readonly handles: Readonly<Record<string, SeenHandle>>
}

/** Begins to remember a directory. Throws `directory.key` for a key of another host. */
export function rememberDirectory(host: string, key: string, checkpoint: string): DirectoryMemory {
  openCheckpoint(checkpoint, keyOf(host, key))
  return { host, key, checkpoint, handles: {} }
}

/** The key of a directory, which names its log. */
export function keyOf(host: string, text: string): NoteKey {
  const key = parseNoteKey(text)
  if (key.name === directoryOrigin(host)) return key
  throw new KezError("directory.key", `Cannot use the key of the log: expected one of ${directoryOrigin(host)}`)
}

/** The newest checkpoint that was seen, opened. */
export function lastSeen(memory: DirectoryMemory): Checkpoint {
  return openCheckpoint(memory.checkpoint, keyOf(memory.host, memory.key))
}

export interface NewCheckpoint {
  /** Signed. */
  readonly checkpoint: string
  /** That the tree begins with the one that was seen; empty where both have one size. */
  readonly consistency: readonly Uint8Array[]
}

/**
 * The memory with a newer checkpoint. Throws `directory.checkpoint` for one that the log did not sign, `directory.rollback` for a shorter log,
 * `directory.split` for one that is not the log that was seen, grown.
 */
export function advance(memory: DirectoryMemory, { checkpoint, consistency }: NewCheckpoint): DirectoryMemory {
  const first = lastSeen(memory)
  const second = openCheckpoint(checkpoint, keyOf(memory.host, memory.key))
  if (second.size < first.size) {
    throw new KezError(
      "directory.rollback",
      `Cannot trust ${memory.host}: its log has ${second.size} entries, and had ${first.size}`,
      {
        hint: "A database restored from an old backup does this too. Ask who runs the server; what was seen before is kept.",
      },
    )
  }
  if (!isConsistent({ first, second, path: consistency })) {
    throw new KezError(
      "directory.split",
      `Cannot trust ${memory.host}: its log is not the one that was seen before, grown`,
      {
        hint: "The server may show different people different owners of one handle. Both checkpoints are signed, and are evidence.",
      },
    )
  }
  return { ...memory, checkpoint }
}
