/** Making an identity: a key, its file, and the words on paper. What somebody writes on paper is stored before. */
import { randomInt } from "node:crypto"
import { formatTime } from "@kez/core"
import { formatWords } from "@kez/core/mnemonic"
import type { Context } from "../context.ts"
import { hasCode } from "../fault.ts"
import { writeDown } from "../terminal/recall.ts"
import { addIdentity, type IdentityRecord, newRecord, writeRecord } from "./identities.ts"
import { encryptKey } from "./key-file.ts"
import { keySystemOf } from "./key-source.ts"
import { formatKey, identityOf, type KeyMaterial } from "./key-text.ts"
import { drawKey } from "./random.ts"

export interface NewIdentityOptions {
  /** Free. */
  readonly name: string
  readonly words: 12 | 24
  /** Undefined stores the key unencrypted. */
  readonly passphrase: string | undefined
}

export interface MadeIdentity {
  readonly record: IdentityRecord
  readonly words: readonly string[]
  readonly key: KeyMaterial
}

/** Makes and stores it, then has its words written down where somebody can be asked. */
export async function makeIdentity(context: Context, options: NewIdentityOptions): Promise<MadeIdentity> {
  const { name, passphrase } = options
  const { key, entropy } = drawKey(keySystemOf(context), options.words)
  const isEncrypted = passphrase !== undefined
  const keyText = isEncrypted ? await encryptKey(key, passphrase) : formatKey(key)
  const pending = newRecord(name, identityOf(key), {
    words: options.words,
    backup: "pending",
    createdAt: formatTime(context.now()),
  })
  // Stored before the words are shown: what somebody writes on paper exists.
  await addIdentity(context.paths, { record: pending, keyText, isEncrypted })
  const words = formatWords(entropy).split(" ")
  const record = context.terminal.interactive ? await checkPaper(context, pending, words) : pending
  warnAbout(context, record, isEncrypted)
  return { record, words, key }
}

/** Shows the words and has four of them typed; the record says afterwards what came of it. */
export async function checkPaper(
  context: Context,
  record: IdentityRecord,
  words: readonly string[],
): Promise<IdentityRecord> {
  const backup = await tryWriteDown(context, record.name, words)
  if (backup === "pending") return record
  const confirmed = { ...record, backup }
  await writeRecord(context.paths, confirmed)
  return confirmed
}

/** Cancelled here, the identity is there all the same: say so. */
async function tryWriteDown(
  { terminal }: Context,
  name: string,
  words: readonly string[],
): Promise<IdentityRecord["backup"]> {
  try {
    return await writeDown(terminal, words, { random: (end) => randomInt(end) })
  } catch (error) {
    if (hasCode(error, "input.cancelled")) {
      terminal.say(`The identity ${name} was made, but nobody has checked its words: kez identity mnemonic ${name}`)
    }
    throw error
  }
}

function warnAbout(context: Context, { name, backup }: IdentityRecord, isEncrypted: boolean): void {
  if (backup === "pending" && !context.flags.quiet) {
    context.warn(`the recovery words of ${name} are not on paper yet. Without them a lost disk is a lost identity`)
  }
  if (!isEncrypted) context.warn("the key is stored unencrypted: whoever can read the file, or a backup of it, has it")
}
