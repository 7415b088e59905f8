/** Who this command acts as, and what signs for them. Commands that sign take the options of program/key-options.ts. */
import type { Signer } from "@kez/core"
import type { Context } from "../context.ts"
import { fault, hasCode } from "../fault.ts"
import { findCurrentName, type IdentityRecord, listIdentities, listOrphans, tryReadIdentity } from "./identities.ts"
import type { KeyMaterial } from "./key-text.ts"

export interface CurrentIdentity {
  /** Its name on this computer; "" for a key that came along with this call. */
  readonly name: string
  /** The key identity, as text. */
  readonly key: string
}

/** `name`, else the key given by flags, else --identity, else the identity in use. Throws `store.unknown`. */
export async function currentIdentity(context: Context, name?: string): Promise<CurrentIdentity> {
  const given = name === undefined ? await givenKey(context) : undefined
  if (given !== undefined) return { name: "", key: (await signerOf(given)).key }
  const record = currentRecord(context, name)
  return { name: record.name, key: record.identity }
}

/** The record of `name`, else of --identity, else of the identity in use. Throws `store.unknown`. */
export function currentRecord(context: Context, name?: string): IdentityRecord {
  const { paths } = context
  const wanted = name ?? context.flags.identity ?? findCurrentName(paths)
  const record = wanted === undefined ? undefined : tryReadIdentity(paths, wanted)
  if (record === undefined) throw unknownIdentity(context, wanted)
  return record
}

const warned = new WeakSet<Context>()

/** Says that nobody has checked the words; once in a command, for those that sign or make something. */
export function warnIfUnchecked(context: Context, { name, backup, words }: IdentityRecord): void {
  if (backup !== "pending" || words === undefined || context.flags.quiet || warned.has(context)) return
  warned.add(context)
  context.warn(
    `nobody has checked that the recovery words of ${name} are on paper. Do it now: kez identity mnemonic ${name}`,
  )
}

/** Signs as `currentIdentity`: the key given by flags, else the agent if unlocked, else the key file. */
export async function signerFor(context: Context, name?: string): Promise<Signer> {
  const given = name === undefined ? await givenKey(context) : undefined
  if (given !== undefined) return signerOf(given)
  const record = currentRecord(context, name)
  warnIfUnchecked(context, record)
  const { tryAgentSigner } = await import("./agent.ts")
  const agent = await tryAgentSigner(context.paths, record.name, record.identity)
  if (agent === undefined) return signerOf(await openKey(context, record))
  let whole: Promise<Signer> | undefined
  return {
    key: agent.key,
    async sign(bytes) {
      const signature = await agent.trySign(bytes)
      if (signature !== undefined) return signature
      whole ??= openItself(context, record)
      return (await whole).sign(bytes)
    },
  }
}

/**
 * Signs as `currentIdentity` with the key itself, for what no agent signs: events that give another key a say, and those of
 * nostr. Whoever has to be asked is asked at once, before anything is sent or locked.
 */
export async function wholeSignerFor(context: Context, name?: string): Promise<Signer> {
  const given = name === undefined ? await givenKey(context) : undefined
  if (given !== undefined) return signerOf(given)
  const record = currentRecord(context, name)
  warnIfUnchecked(context, record)
  return openItself(context, record)
}

async function openItself(context: Context, record: IdentityRecord): Promise<Signer> {
  try {
    return await signerOf(await openKey(context, record))
  } catch (cause) {
    if (!hasCode(cause, "key.locked")) throw cause
    const { name } = record
    throw fault("key.locked", `Cannot sign this as ${name}: its passphrase is needed, also while it is kept unlocked`, {
      cause,
      hint: "Pass --passphrase-file FILE or --passphrase-fd N, or set KEZ_PASSPHRASE.",
    })
  }
}

const opened = new WeakMap<Context, Map<string, KeyMaterial>>()

/** The key of an identity itself, out of its key file: the agent signs, and hands none out. Asked for once in a command. */
export async function openKey(context: Context, record: IdentityRecord): Promise<KeyMaterial> {
  const before = opened.get(context)?.get(record.name)
  if (before !== undefined) return before
  const { unlockKey } = await import("./unlock.ts")
  const { key } = await unlockKey(context, record)
  const known = opened.get(context) ?? new Map<string, KeyMaterial>()
  opened.set(context, known.set(record.name, key))
  return key
}

async function signerOf({ system, secret }: KeyMaterial): Promise<Signer> {
  const { createSigner } = await import("@kez/core")
  return createSigner(system, secret)
}

async function givenKey(context: Context): Promise<KeyMaterial | undefined> {
  const { nsec, ed25519Seed, mnemonic, keyFd, keyFile } = context.flags.keySource
  if ([nsec, ed25519Seed, mnemonic, keyFd, keyFile].every((source) => source === undefined)) return undefined
  const { tryGivenKey } = await import("./key-source.ts")
  return tryGivenKey(context)
}

function unknownIdentity({ paths }: Context, wanted: string | undefined): Error {
  if (wanted !== undefined && listOrphans(paths).includes(wanted)) {
    return fault("store.unknown", `Cannot use ${wanted}: it has a key file but no record`, {
      hint: `kez identity unlock ${wanted} writes the record anew.`,
    })
  }
  const known = listIdentities(paths).map((record) => record.name)
  if (wanted === undefined && known.length > 1) {
    return fault("store.unknown", "Cannot tell which identity to act as: there are several", {
      hint: `Choose one: kez identity use ${known[0]}\nOr pass --identity NAME.`,
    })
  }
  const what = wanted === undefined ? "an identity" : `an identity called ${wanted}`
  const others = known.length === 0 ? "" : `\nThose here: ${known.slice(0, 8).join(", ")}`
  return fault("store.unknown", `Cannot find ${what} on this computer`, {
    hint: `To make one: kez identity new${wanted === undefined ? "" : ` ${wanted}`}${others}`,
  })
}
