/** Leaves of a handle directory: each is a statement that its owner signed, in JCS. The server adds nothing of its own. SPEC §7.8. */
import { decodeEnvelope, type Envelope, formatEnvelope } from "../envelope/envelope.ts"
import { assertSignature } from "../envelope/verify.ts"
import { KezError } from "../error.ts"
import { maxEnvelopeBytes } from "../limits.ts"
import { decodeText, encodeUtf8 } from "../text.ts"
import { leafHash } from "../tlog/tree.ts"

export type DirectoryKind = "handle_registration" | "handle_move" | "handle_release"
export type DirectoryStatement = Envelope<DirectoryKind>

const kinds: readonly DirectoryKind[] = ["handle_registration", "handle_move", "handle_release"]

/** The name of the log of a host, and of the key that signs its checkpoints. */
export function directoryOrigin(host: string): string {
  return `${host}/handles`
}

export function encodeLeaf(statement: DirectoryStatement): Uint8Array {
  return encodeUtf8(formatEnvelope(statement))
}

export function hashOfStatement(statement: DirectoryStatement): Uint8Array {
  return leafHash(encodeLeaf(statement))
}

/** The statement of a leaf, its signature checked. Throws the codes of decoding; `directory.proof` for bytes in another spelling. */
export function decodeLeaf(leaf: Uint8Array): DirectoryStatement {
  const text = decodeText(leaf, maxEnvelopeBytes)
  const kind = kinds.find((one) => text.startsWith(`{"kez":"${one}",`))
  if (kind === undefined)
    throw new KezError("directory.proof", "Cannot read the leaf: expected a statement about a handle")
  const statement: DirectoryStatement = decodeEnvelope(text, kind)
  if (formatEnvelope(statement) !== text) {
    throw new KezError("directory.proof", "Cannot read the leaf: expected canonical form")
  }
  assertSignature(statement)
  return statement
}
