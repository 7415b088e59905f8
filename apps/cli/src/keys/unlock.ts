/** Opening the key file of an identity: the passphrase from wherever it comes, three tries at the keyboard. */
import { formatTime, KezError } from "@kez/core"
import type { Context } from "../context.ts"
import { type IdentityRecord, newRecord, readIdentity, tryReadIdentity, writeRecord } from "./identities.ts"
import { decryptText, type KeyFile, looseDirWarning, tryReadKeyFile } from "./key-file.ts"
import { identityOf, type KeyMaterial, parseKey } from "./key-text.ts"
import { askPassphrase, tryGivenPassphrase } from "./passphrase.ts"

const tries = 3

export interface Unlocked {
  readonly key: KeyMaterial
  readonly file: KeyFile
}

/** Throws `key.not_held`, `key.locked`, `key.unlock`, `limit.work`, `store.permissions` or `store.corrupt`. */
export async function unlockKey(context: Context, { name, identity }: IdentityRecord): Promise<Unlocked> {
  const unlocked = await openKeyFile(context, name)
  if (identityOf(unlocked.key) === identity) return unlocked
  throw new KezError("store.corrupt", `Cannot use the key file of ${name}: it holds the key of another identity`)
}

/** The key file of `name`, opened; a record that is missing is written anew from it. */
export async function unlockOrAdopt(
  context: Context,
  name: string,
): Promise<Unlocked & { readonly record: IdentityRecord }> {
  const known = tryReadIdentity(context.paths, name)
  if (known !== undefined) return { ...(await unlockKey(context, known)), record: known }
  const file = tryReadKeyFile(context.paths.keys, name)
  if (file === undefined) readIdentity(context.paths, name) // throws store.unknown
  const unlocked = await openKeyFile(context, name)
  const { entropy } = unlocked.key
  const words = entropy === undefined ? undefined : entropy.length === 16 ? 12 : 24
  const record = newRecord(name, identityOf(unlocked.key), {
    words,
    backup: "pending",
    createdAt: formatTime(context.now()),
  })
  await writeRecord(context.paths, record)
  return { ...unlocked, record }
}

async function openKeyFile(context: Context, name: string): Promise<Unlocked> {
  const { text, file } = await openSecretFile(context, {
    dir: context.paths.keys,
    file: name,
    name,
    unlock: `kez identity unlock ${name}`,
    missing: `Its recovery words bring it back: kez identity restore ${name}`,
    forgotten: `Your recovery words set a new one: kez identity restore ${name}\nWithout them the key is lost: kez identity remove ${name}`,
  })
  return { key: parseKey(text), file }
}

export interface SecretFile {
  readonly dir: string
  /** Its name without ending. */
  readonly file: string
  /** What people call it. */
  readonly name: string
  /** The command that keeps it unlocked. */
  readonly unlock: string
  /** What to do where it is not here, and where its passphrase is forgotten. */
  readonly missing: string
  readonly forgotten: string
}

/** The content of a key file: the passphrase from wherever it comes. Throws as `unlockKey`. */
export async function openSecretFile(
  context: Context,
  secret: SecretFile,
): Promise<{ readonly text: string; readonly file: KeyFile }> {
  const file = tryReadKeyFile(secret.dir, secret.file)
  if (file === undefined) {
    throw new KezError("key.not_held", `Cannot sign as ${secret.name}: its key is not on this computer`, {
      hint: secret.missing,
    })
  }
  const loose = looseDirWarning(secret.dir)
  if (loose !== undefined) context.warn(loose)
  if (!file.isEncrypted) return { text: file.text, file }
  const given = await tryGivenPassphrase(context)
  if (given !== undefined) return { text: await decryptText(file.text, given), file }
  return { text: await askAndDecrypt(context, secret, file), file }
}

async function askAndDecrypt(context: Context, secret: SecretFile, file: KeyFile): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const passphrase = await askPassphrase(context, secret.name, secret.unlock)
    try {
      return await decryptText(file.text, passphrase)
    } catch (error) {
      if (!(error instanceof KezError) || error.code !== "key.unlock") throw error
      if (attempt === tries) throw forgotten(secret, error)
      const left = tries - attempt
      context.terminal.say(`That did not unlock it. ${left === 1 ? "One try is" : `${left} tries are`} left.`)
    }
  }
}

function forgotten({ forgotten: hint }: SecretFile, cause: KezError): KezError {
  return new KezError("key.unlock", cause.message, { cause, hint: `Forgotten? ${hint}` })
}
