/** `kez identity restore`: an identity from its words; also a new passphrase for one whose passphrase is forgotten. */
import { formatTime, KezError } from "@kez/core"
import type { Context } from "../context.ts"
import {
  addIdentity,
  assertFree,
  listIdentities,
  newRecord,
  restoreKeyFile,
  tryReadIdentity,
} from "../keys/identities.ts"
import { encryptKey } from "../keys/key-file.ts"
import { keyFilePath } from "../keys/key-file-place.ts"
import { formatKey, identityOf } from "../keys/key-text.ts"
import { newPassphrase } from "../keys/passphrase.ts"
import { warnIfUnchecked } from "../keys/signers.ts"
import type { Outcome } from "../run.ts"
import { formatIdentityView, viewOf } from "./identity-view.ts"
import { chooseName } from "./name-input.ts"
import { readWords, type WordsOptions } from "./words-input.ts"

interface Options extends WordsOptions {
  readonly args: readonly string[]
  readonly passphrase?: boolean
}

export async function run(context: Context, options: Options): Promise<Outcome> {
  const { paths } = context
  const { key, isTyped } = await readWords(context, options)
  const identity = identityOf(key)
  const same = listIdentities(paths).find((record) => record.identity === identity)
  const name =
    options.args[0] ??
    same?.name ??
    (await chooseName(context, { flag: "a name: kez identity restore NAME", fallback: "me" }))
  const before = tryReadIdentity(paths, name)
  if (same !== undefined && same.name !== name) throw alreadyHere(same.name)
  if (before?.identity !== identity) assertFree(paths, name)
  const passphrase = await newPassphrase(context, options.passphrase === false)
  const isEncrypted = passphrase !== undefined
  const keyText = isEncrypted ? await encryptKey(key, passphrase) : formatKey(key)
  const words = key.entropy?.length === 16 ? 12 : 24
  const backup = isTyped ? "confirmed" : (before?.backup ?? "pending")
  const fresh = newRecord(name, identity, { words, backup, createdAt: formatTime(context.now()) })
  const record = before === undefined ? fresh : { ...fresh, created_at: before.created_at }
  const store = before === undefined ? addIdentity : restoreKeyFile
  await store(paths, { record, keyText, isEncrypted })
  warnIfUnchecked(context, record)
  if (!isEncrypted) context.warn("the key is stored unencrypted: whoever can read the file, or a backup of it, has it")
  await warnIfSuperseded(context, identity)
  const view = viewOf(context, record, { keyFile: { path: keyFilePath(paths.keys, name, isEncrypted), isEncrypted } })
  return {
    schema: "kez.identity/1",
    data: view,
    text: `✓ ${formatIdentityView(context, view)}`,
    next: "kez sigchain show",
  }
}

/** Words of a key that was rotated away open nothing any more: their owner needs those of the newer key. */
async function warnIfSuperseded(context: Context, identity: string): Promise<void> {
  const { readStore } = await import("../store/access.ts")
  try {
    const state = await readStore(context, undefined, async (store) => {
      const { chainOfKey } = await import("../own-chain.ts")
      return chainOfKey(store, identity)?.state
    })
    if (state === undefined || state.primary === identity || !state.primaries.includes(identity)) return
    context.warn(
      `this key was replaced: its chain now belongs to ${state.primary}, and what this one signs from now on counts for nothing. Restore the words of that key`,
    )
  } catch (error) {
    if (!(error instanceof KezError)) throw error
    context.warn(error.message) // The identity is restored; its chain is another matter.
  }
}

function alreadyHere(name: string): KezError {
  return new KezError("store.exists", `Cannot restore the identity twice: it is here already, as ${name}`, {
    hint: `For a new passphrase: kez identity restore ${name}`,
  })
}
