/** Checkpoints: which log, how many leaves, which root. https://c2sp.org/tlog-checkpoint */
import { KezError } from "../error.ts"
import { encodeBase64, tryDecodeBase64 } from "./base64.ts"
import { type NoteKey, type NoteSigner, openNote, signNote } from "./note.ts"
import { hashBytes } from "./tree.ts"

export interface Checkpoint {
  /** Of the log; here also the name of its key. */
  readonly origin: string
  /** Leaves of the tree. */
  readonly size: number
  readonly root: Uint8Array
}

export function signCheckpoint({ origin, size, root }: Checkpoint, signer: NoteSigner): string {
  return signNote(`${origin}\n${size}\n${encodeBase64(root)}\n`, signer)
}

/** Throws `directory.checkpoint` for anything but a checkpoint of the log of `key`, signed by it. Further lines are left to others. */
export function openCheckpoint(note: string, key: NoteKey): Checkpoint {
  const [origin = "", size = "", encoded = ""] = openNote(note, key).split("\n")
  const root = tryDecodeBase64(encoded)
  const isCount = /^(?:0|[1-9][0-9]{0,15})$/.test(size) && Number.isSafeInteger(Number(size))
  if (origin !== key.name || !isCount || root === undefined || root.length !== hashBytes) {
    throw new KezError("directory.checkpoint", `Cannot use the checkpoint: expected ${key.name}, a size and a root`)
  }
  return { origin, size: Number(size), root }
}
