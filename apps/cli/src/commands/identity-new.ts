/** `kez identity new`: a key, its file, and the words on paper. */
import { randomInt } from "node:crypto"
import { userInfo } from "node:os"
import { formatTime, KezError } from "@kez/core"
import { formatWords } from "@kez/core/mnemonic"
import type { Context } from "../context.ts"
import { hasCode } from "../fault.ts"
import { addIdentity, type IdentityRecord, newRecord, writeRecord } from "../keys/identities.ts"
import { encryptKey } from "../keys/key-file.ts"
import { keyFilePath } from "../keys/key-file-place.ts"
import { keySystemOf } from "../keys/key-source.ts"
import { formatKey, identityOf } from "../keys/key-text.ts"
import { newPassphrase } from "../keys/passphrase.ts"
import { drawKey } from "../keys/random.ts"
import { isName } from "../paths.ts"
import type { Outcome } from "../run.ts"
import { formatWordGrid, writeDown } from "../terminal/recall.ts"
import { formatIdentityView, viewOf } from "./identity-view.ts"
import { chooseName } from "./name-input.ts"

interface Options {
  readonly args: readonly string[]
  readonly mnemonicWords?: string
  readonly passphrase?: boolean
  readonly revealWords?: boolean
}

export async function run(context: Context, options: Options): Promise<Outcome> {
  const { paths, terminal } = context
  const count = wordCount(options.mnemonicWords)
  const user = userInfo().username.toLowerCase()
  const name = await chooseName(context, {
    given: options.args[0],
    flag: "a name: kez identity new NAME",
    fallback: isName(user) ? user : "me",
  })
  const passphrase = await newPassphrase(context, options.passphrase === false)
  const { key, entropy } = drawKey(keySystemOf(context), count)
  const isEncrypted = passphrase !== undefined
  const keyText = isEncrypted ? await encryptKey(key, passphrase) : formatKey(key)
  const pending = newRecord(name, identityOf(key), {
    words: count,
    backup: "pending",
    createdAt: formatTime(context.now()),
  })
  // Stored before the words are shown: what somebody writes on paper exists.
  await addIdentity(paths, { record: pending, keyText, isEncrypted })
  const words = formatWords(entropy).split(" ")
  const record = terminal.interactive ? await checkPaper(context, pending, words) : pending
  warnAbout(context, record, isEncrypted)
  const view = viewOf(context, record, { keyFile: { path: keyFilePath(paths.keys, name, isEncrypted), isEncrypted } })
  const revealed = options.revealWords === true
  return {
    schema: "kez.identity/1",
    data: revealed ? { ...view, recovery_words: words } : view,
    text: [`✓ ${formatIdentityView(context, view)}`, ...(revealed ? formatWordGrid(words, 4) : [])].join("\n"),
    next: record.backup === "confirmed" ? "kez claim create dns:YOURDOMAIN" : `kez identity mnemonic ${name}`,
  }
}

async function checkPaper(context: Context, record: IdentityRecord, words: readonly string[]): Promise<IdentityRecord> {
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

function wordCount(text: string | undefined): 12 | 24 {
  if (text === undefined || text === "24") return 24
  if (text === "12") return 12
  throw new KezError("usage", "Cannot make the words: expected --mnemonic-words 12 or 24")
}
