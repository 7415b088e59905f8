/**
 * Key files: `<data>/keys/NAME.age`, an ASCII-armoured age file under a passphrase that `age -d` opens too, or
 * `NAME.key` where the owner wanted none. Whatever is wrong with an age file, its reader hears the same `key.unlock`.
 */
import { statSync } from "node:fs"
import { KezError } from "@kez/core"
import { armor, Decrypter, Encrypter } from "age-encryption"
import { defaultWorkFactor, scryptIdentity, scryptRecipient } from "./age-scrypt.ts"
import { tryReadFile } from "./durable-file.ts"
import { findKeyFile, type KeyFilePlace } from "./key-file-place.ts"
import { formatKey, type KeyMaterial, parseKey } from "./key-text.ts"

const maxKeyFileBytes = 65_536

/** A key file as it lies on the disk. */
export interface KeyFile {
  readonly path: string
  readonly text: string
  readonly isEncrypted: boolean
}

/** Encrypts a key under a passphrase. Tests lower the work factor; nothing else does. */
export function encryptKey(key: KeyMaterial, passphrase: string, workFactor?: number): Promise<string> {
  return encryptText(formatKey(key), passphrase, workFactor)
}

/** The same for any text that holds secrets. */
export async function encryptText(
  secret: string,
  passphrase: string,
  workFactor: number = defaultWorkFactor,
): Promise<string> {
  const encrypter = new Encrypter()
  encrypter.addRecipient(scryptRecipient(passphrase, workFactor))
  return armor.encode(await encrypter.encrypt(secret))
}

/** Throws `key.unlock`, and `limit.work` before any work for a file that would keep the computer busy. */
export async function decryptKey(text: string, passphrase: string): Promise<KeyMaterial> {
  return parseKey(await decryptText(text, passphrase))
}

/** What `encryptText` was given. Throws as `decryptKey`. */
export async function decryptText(text: string, passphrase: string): Promise<string> {
  const decrypter = new Decrypter()
  decrypter.addIdentity(scryptIdentity(passphrase))
  try {
    return await decrypter.decrypt(armor.decode(text), "text")
  } catch (error) {
    if (error instanceof KezError) throw error
    // One answer for a wrong passphrase and a damaged file: nobody learns which by trying. No cause, for the same reason.
    throw new KezError("key.unlock", "Cannot unlock the key: the passphrase is wrong or the key file is damaged")
  }
}

/** Whether a text looks like an armoured age file. */
export function isAgeText(text: string): boolean {
  return text.trimStart().startsWith("-----BEGIN AGE ENCRYPTED FILE-----")
}

/** The key file of a name, or undefined. Throws `store.permissions` when other users may read it. */
export function tryReadKeyFile(keysDir: string, name: string): KeyFile | undefined {
  const place = findKeyFile(keysDir, name)
  if (place === undefined) return undefined
  assertPrivate(place)
  if (place.bytes > maxKeyFileBytes) throw new KezError("store.corrupt", `Cannot read ${place.path}: it is no key file`)
  return { path: place.path, text: tryReadFile(place.path) ?? "", isEncrypted: place.isEncrypted }
}

/** Refuses a file that somebody else may have read, or replaced. */
function assertPrivate({ path, mode }: KeyFilePlace): void {
  if (process.platform === "win32" || (mode & 0o077) === 0) return
  const shown = mode.toString(8).padStart(4, "0")
  throw new KezError("store.permissions", `Cannot use ${path}: expected mode 0600, got ${shown}`, {
    hint: `Other users of this computer could read it. To close it: chmod 600 '${path}'`,
  })
}

/** A warning where other users may look into the directory of keys. */
export function looseDirWarning(keysDir: string): string | undefined {
  const stats = statSync(keysDir, { throwIfNoEntry: false })
  if (stats === undefined || process.platform === "win32" || (stats.mode & 0o077) === 0) return undefined
  return `other users can look into ${keysDir}. To close it: chmod 700 '${keysDir}'`
}
