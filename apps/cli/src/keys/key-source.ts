/** A key for one command, from outside the store: --nsec, --ed25519-seed, --mnemonic, --key-fd, --key-file. */
import { type KeySystem, KezError } from "@kez/core"
import type { Context } from "../context.ts"
import { type KeyMaterial, keyOfNsec, keyOfSeed, keyOfText, keyOfWords } from "./key-text.ts"
import { askPassphrase, tryGivenPassphrase } from "./passphrase.ts"
import { readFd, readFile, readSecretOption } from "./secret-input.ts"

/** Stdin and descriptors can be read once; a command may ask for its key twice. */
const known = new WeakMap<Context, Promise<KeyMaterial | undefined>>()

/** The key that the flags of this call bring along, or undefined. */
export function tryGivenKey(context: Context): Promise<KeyMaterial | undefined> {
  const before = known.get(context)
  if (before !== undefined) return before
  const key = readGivenKey(context)
  known.set(context, key)
  return key
}

async function readGivenKey(context: Context): Promise<KeyMaterial | undefined> {
  const { nsec, ed25519Seed, mnemonic, keyFd, keyFile } = context.flags.keySource
  const system = keySystemOf(context)
  if (nsec !== undefined) return keyOfNsec(await readSecretOption(context, "--nsec", nsec))
  if (ed25519Seed !== undefined) return keyOfSeed(await readSecretOption(context, "--ed25519-seed", ed25519Seed))
  if (mnemonic !== undefined) return keyOfWords(system, await readSecretOption(context, "--mnemonic", mnemonic))
  if (keyFd !== undefined) return keyOfAnyText(context, system, await readFd("--key-fd", keyFd))
  if (keyFile !== undefined) return keyOfAnyText(context, system, await readFile("--key-file", keyFile))
  return undefined
}

export function keySystemOf(context: Context): KeySystem {
  return context.flags.keySource.keyType === "nostr" ? "nostr" : "ed25519"
}

/** The words that `identity restore` and `from-mnemonic` are given by flags, or undefined. */
export async function tryGivenWords(
  context: Context,
  { mnemonicFd }: { readonly mnemonicFd?: string },
): Promise<string | undefined> {
  const { mnemonic } = context.flags.keySource
  if (mnemonic !== undefined && mnemonicFd !== undefined) {
    throw new KezError("usage", "Cannot read the words: expected --mnemonic or --mnemonic-fd, got both")
  }
  if (mnemonic !== undefined) return readSecretOption(context, "--mnemonic", mnemonic)
  return mnemonicFd === undefined ? undefined : readFd("--mnemonic-fd", mnemonicFd)
}

async function keyOfAnyText(context: Context, system: KeySystem, text: string): Promise<KeyMaterial> {
  const { decryptKey, isAgeText } = await import("./key-file.ts")
  if (!isAgeText(text)) return keyOfText(system, text)
  return decryptKey(text, (await tryGivenPassphrase(context)) ?? (await askPassphrase(context, "the key file")))
}
