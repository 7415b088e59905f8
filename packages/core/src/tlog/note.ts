/** Signed notes with Ed25519 keys. https://c2sp.org/signed-note */
import { sha256 } from "../digest.ts"
import { KezError } from "../error.ts"
import { formatHex } from "../hex.ts"
import { verifyEd25519 } from "../suite/ed25519.ts"
import { suites } from "../suite/suites.ts"
import { encodeUtf8, isLongerThan } from "../text.ts"
import { encodeBase64, tryDecodeBase64 } from "./base64.ts"

/** The whole text of a note. */
export const maxNoteBytes = 16_384
/** Signatures of one note that are looked at. */
export const maxNoteSignatures = 16
const maxKeyNameBytes = 256
const ed25519Type = 1
const idBytes = 4

const keyNameForm = /^[!-*,-~]+$/
const signatureForm = /^— ([^ \n+]+) ([A-Za-z0-9+/=]+)$/

/** Who signs notes: a name that the key is for, and the key. */
export interface NoteKey {
  readonly name: string
  /** 32 bytes of an Ed25519 key. */
  readonly publicKey: Uint8Array
}

export interface NoteSigner extends NoteKey {
  /** 32 bytes. */
  readonly secret: Uint8Array
}

export function createNoteSigner(name: string, secret: Uint8Array): NoteSigner {
  assertKeyName(name)
  return { name, secret, publicKey: suites.ed25519.publicKey(secret) }
}

/** `name+id+key`: the form in which a key is told to others. */
export function formatNoteKey({ name, publicKey }: NoteKey): string {
  return `${name}+${formatHex(idOf({ name, publicKey }))}+${encodeBase64(withType(publicKey))}`
}

/** Throws `directory.key` for what `formatNoteKey` would not write. */
export function parseNoteKey(text: string): NoteKey {
  const [, name = "", encoded = ""] = /^([^+\n]{1,256})\+[0-9a-f]{8}\+([A-Za-z0-9+/=]{1,64})$/.exec(text) ?? []
  const bytes = tryDecodeBase64(encoded)
  const key = { name, publicKey: bytes?.subarray(1) ?? new Uint8Array() }
  const isFit = bytes !== undefined && bytes.length === 33 && keyNameForm.test(name)
  if (isFit && suites.ed25519.faultOfKey(key.publicKey) === undefined && formatNoteKey(key) === text) return key
  throw new KezError("directory.key", "Cannot read the key of the log: expected NAME+ID+KEY of an Ed25519 key")
}

/** The note of a text, which ends with a line feed. */
export function signNote(text: string, signer: NoteSigner): string {
  if (!text.endsWith("\n") || /[^\n -~\u00a0-\u{10ffff}]/u.test(text)) {
    throw new KezError("directory.checkpoint", "Cannot sign the note: expected lines of text")
  }
  const signature = suites.ed25519.sign(encodeUtf8(text), signer.secret)
  const bytes = new Uint8Array([...idOf(signer), ...signature])
  return `${text}\n— ${signer.name} ${encodeBase64(bytes)}\n`
}

/** The text of a note that `key` has signed. Signatures of others are passed over. Throws `directory.checkpoint`. */
export function openNote(note: string, key: NoteKey): string {
  if (isLongerThan(note, maxNoteBytes)) throw fault(`at most ${maxNoteBytes} bytes`)
  const end = note.lastIndexOf("\n\n")
  if (end < 0 || !note.endsWith("\n")) throw fault("a text, an empty line and signatures")
  const text = note.slice(0, end + 1)
  const lines = note.slice(end + 2, -1).split("\n")
  if (lines.length > maxNoteSignatures) throw fault(`at most ${maxNoteSignatures} signatures`)
  const signatures = lines.map((line) => readSignature(line)).filter(({ name }) => name === key.name)
  const id = idOf(key)
  const own = signatures.filter(({ bytes }) => id.every((byte, at) => byte === bytes[at]))
  const isSigned = own.some(({ bytes }) => verifyEd25519(bytes.slice(idBytes), encodeUtf8(text), key.publicKey))
  if (!isSigned) throw fault(`a signature of ${key.name} by the key that is known`)
  return text
}

function readSignature(line: string): { readonly name: string; readonly bytes: Uint8Array } {
  const [, name, encoded = ""] = signatureForm.exec(line) ?? []
  const bytes = tryDecodeBase64(encoded)
  if (name === undefined || bytes === undefined || bytes.length <= idBytes) throw fault("signatures in their form")
  return { name, bytes }
}

function idOf({ name, publicKey }: NoteKey): Uint8Array {
  return sha256(new Uint8Array([...encodeUtf8(`${name}\n`), ...withType(publicKey)])).slice(0, idBytes)
}

function withType(publicKey: Uint8Array): Uint8Array {
  return new Uint8Array([ed25519Type, ...publicKey])
}

function assertKeyName(name: string): void {
  if (keyNameForm.test(name) && name.length <= maxKeyNameBytes) return
  throw new KezError("directory.key", "Cannot name the key of the log: expected printable ASCII without + and spaces")
}

function fault(expected: string): KezError {
  return new KezError("directory.checkpoint", `Cannot use the note of the log: expected ${expected}`)
}
