/** A proof that a leaf is in a log, as one text with its checkpoint. https://c2sp.org/tlog-proof */
import { KezError } from "../error.ts"
import { isLongerThan } from "../text.ts"
import { encodeBase64, tryDecodeBase64 } from "./base64.ts"
import { maxNoteBytes } from "./note.ts"

const header = "c2sp.org/tlog-proof@v1"
/** Hashes of one proof: a tree of 2^53 leaves needs no more. */
export const maxProofHashes = 64
const maxProofBytes = maxNoteBytes + 4_096

export interface ProofText {
  readonly index: number
  readonly path: readonly Uint8Array[]
  /** The signed checkpoint. */
  readonly checkpoint: string
}

export function formatProofText({ index, path, checkpoint }: ProofText): string {
  return [header, `index ${index}`, ...path.map(encodeBase64), "", checkpoint].join("\n")
}

/** Throws `directory.proof`. */
export function parseProofText(text: string): ProofText {
  if (isLongerThan(text, maxProofBytes)) throw fault(`at most ${maxProofBytes} bytes`)
  const end = text.indexOf("\n\n")
  const [first, place = "", ...lines] = text.slice(0, Math.max(0, end)).split("\n")
  const index = /^index (0|[1-9][0-9]{0,15})$/.exec(place)?.[1]
  if (first !== header || index === undefined) throw fault(`${header} and an index`)
  if (lines.length > maxProofHashes) throw fault(`at most ${maxProofHashes} hashes`)
  const path = lines.map((line) => tryDecodeBase64(line) ?? new Uint8Array())
  if (path.some((hash) => hash.length !== 32)) throw fault("hashes of 32 bytes in base64")
  return { index: Number(index), path, checkpoint: text.slice(end + 2) }
}

function fault(expected: string): KezError {
  return new KezError("directory.proof", `Cannot read the proof: expected ${expected}`)
}
