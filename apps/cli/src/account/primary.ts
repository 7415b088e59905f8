/** The identity that is an account's primary: chosen, made, or brought along; and its signer where something is signed. */
import { createSigner, type KeySystem, KezError, type Signer } from "@kez/core"
import { formatWords } from "@kez/core/mnemonic"
import type { Context } from "../context.ts"
import { type IdentityRecord, listIdentities, readIdentity, tryReadIdentity } from "../keys/identities.ts"
import { findKeyFile } from "../keys/key-file-place.ts"
import { tryGivenKey } from "../keys/key-source.ts"
import { identityOf, type KeyMaterial } from "../keys/key-text.ts"
import { checkPaper, makeIdentity } from "../keys/new-identity.ts"
import { openKey, wholeSignerFor } from "../keys/signers.ts"
import { unlockKey } from "../keys/unlock.ts"
import { isName } from "../paths.ts"
import type { AccountRecord } from "./records.ts"

export interface Primary {
  readonly key: string
  signer(): Promise<Signer>
  /** Itself: the key of the archive is made of it. The agent has none to give. */
  material(): Promise<KeyMaterial>
}

const newOne = "\0new"

/** The name of the identity to use: `--identity`, or one that is chosen, or a free name for a new one. */
export async function chooseIdentityName(context: Context, handle: string): Promise<string> {
  const { flags, paths, terminal } = context
  if (flags.identity !== undefined) return readIdentity(paths, flags.identity).name
  const here = listIdentities(paths)
  if (here.length === 0 || !terminal.interactive) return freeName(context, handle)
  const chosen = await terminal.choose<string>({
    text: "Whose account is it?",
    flag: "--identity NAME, or nothing for a new identity",
    choices: [
      [newOne, "a new identity, with 24 words of its own"],
      ...here.map(({ name, identity }) => [name, `${name}  ${identity}`] as const),
    ],
  })
  return chosen === newOne ? freeName(context, handle) : chosen
}

/** Makes the identity where there is none of that name; of one whose paper nobody checked, the words are shown again. */
export async function ensurePrimary(
  context: Context,
  name: string,
  passphrase: () => Promise<string | undefined>,
): Promise<Primary & { readonly isNew: boolean; readonly words?: readonly string[] }> {
  const known = tryReadIdentity(context.paths, name)
  if (known === undefined) {
    const { words, key } = await makeIdentity(context, { name, words: 24, passphrase: await passphrase() })
    return { ...primaryOf(key), isNew: true, words }
  }
  if (known.backup === "pending" && known.words !== undefined && context.terminal.interactive) {
    return { ...primaryOf(await showWordsAgain(context, known)), isNew: false }
  }
  return { ...primaryNamed(context, name), isNew: false }
}

/** An identity that is here. Throws `store.unknown`. */
export function primaryNamed(context: Context, name: string): Primary {
  const record = readIdentity(context.paths, name)
  return {
    key: record.identity,
    signer: () => wholeSignerFor(context, name),
    material: () => openKey(context, record),
  }
}

export function primaryOf(key: KeyMaterial): Primary {
  return { key: identityOf(key), signer: async () => signerOf(key), material: async () => key }
}

async function showWordsAgain(context: Context, record: IdentityRecord): Promise<KeyMaterial> {
  const { key } = await unlockKey(context, record)
  if (key.entropy !== undefined) await checkPaper(context, record, formatWords(key.entropy).split(" "))
  return key
}

/** The primary of an account that is here: a key that came along, else the identity's. Throws `key.not_held`. */
export async function primarySigner(context: Context, record: AccountRecord): Promise<Signer> {
  const given = await tryGivenKey(context)
  const signer = given === undefined ? await heldSigner(context, record) : signerOf(given)
  if (record.primary === undefined || signer.key === record.primary) return signer
  throw new KezError(
    "key.not_held",
    `Cannot sign as the primary of the account: expected ${record.primary}, got ${signer.key}`,
  )
}

async function heldSigner(context: Context, account: AccountRecord): Promise<Signer> {
  const { identity } = account
  const record = heldIdentity(context, account)
  if (record !== undefined) return wholeSignerFor(context, record.name)
  throw new KezError("key.not_held", "Cannot sign as the primary of the account: its key is not on this computer", {
    hint: `It is needed for this one step. Bring it here: kez identity restore ${isName(identity) ? identity : ""}\nOr pass the words for this command alone: --mnemonic @FILE`,
  })
}

/** The identity of that primary, where its key is on this computer. */
export function heldIdentity(
  { paths }: Context,
  { identity, primary }: Pick<AccountRecord, "identity" | "primary">,
): IdentityRecord | undefined {
  const named = isName(identity) ? tryReadIdentity(paths, identity) : undefined
  const record = named?.identity === primary ? named : listIdentities(paths).find((one) => one.identity === primary)
  return record !== undefined && findKeyFile(paths.keys, record.name) !== undefined ? record : undefined
}

export function signerOf({ system, secret }: { readonly system: KeySystem; readonly secret: Uint8Array }): Signer {
  return createSigner(system, secret)
}

export function freeName({ paths }: Context, wanted: string): string {
  const isFree = (name: string): boolean =>
    isName(name) && tryReadIdentity(paths, name) === undefined && findKeyFile(paths.keys, name) === undefined
  const numbered = Array.from({ length: 98 }, (_, i) => `${wanted.slice(0, 28)}-${i + 2}`)
  return [wanted, ...numbered].find(isFree) ?? wanted
}
