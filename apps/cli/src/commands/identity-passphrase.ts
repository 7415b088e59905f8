/** `kez identity passphrase`: the same key under another passphrase, in one step. */
import type { Context } from "../context.ts"
import { replaceKeyFile } from "../keys/identities.ts"
import { encryptKey } from "../keys/key-file.ts"
import { keyFilePath } from "../keys/key-file-place.ts"
import { formatKey } from "../keys/key-text.ts"
import { choosePassphrase, lineOf } from "../keys/passphrase.ts"
import { readFd, readFile } from "../keys/secret-input.ts"
import { currentRecord } from "../keys/signers.ts"
import { unlockKey } from "../keys/unlock.ts"
import type { Outcome } from "../run.ts"
import { formatIdentityView, viewOf } from "./identity-view.ts"

interface Options {
  readonly args: readonly string[]
  readonly newPassphraseFile?: string
  readonly newPassphraseFd?: string
  readonly passphrase?: boolean
}

export async function run(context: Context, options: Options): Promise<Outcome> {
  const { paths } = context
  const record = currentRecord(context, options.args[0])
  const { key, file } = await unlockKey(context, record)
  const passphrase = await readNew(context, options)
  const isEncrypted = passphrase !== undefined
  const newText = isEncrypted ? await encryptKey(key, passphrase) : formatKey(key)
  await replaceKeyFile(paths, record.name, {
    oldText: file.text,
    newText,
    wasEncrypted: file.isEncrypted,
    isEncrypted,
  })
  if (!isEncrypted) context.warn("the key is stored unencrypted: whoever can read the file, or a backup of it, has it")
  const path = keyFilePath(paths.keys, record.name, isEncrypted)
  const view = viewOf(context, record, { keyFile: { path, isEncrypted } })
  return { schema: "kez.identity/1", data: view, text: `✓ ${formatIdentityView(context, view)}` }
}

async function readNew(context: Context, options: Options): Promise<string | undefined> {
  const { newPassphraseFile, newPassphraseFd } = options
  if (options.passphrase === false) return undefined
  if (newPassphraseFile !== undefined) {
    return lineOf("--new-passphrase-file", await readFile("--new-passphrase-file", newPassphraseFile))
  }
  if (newPassphraseFd !== undefined) {
    return lineOf("--new-passphrase-fd", await readFd("--new-passphrase-fd", newPassphraseFd))
  }
  return choosePassphrase(context, "--new-passphrase-file FILE, --new-passphrase-fd N or --no-passphrase")
}
