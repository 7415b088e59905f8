/** `kez identity mnemonic`: the recovery words again, and the check of the paper. */
import { randomInt } from "node:crypto"
import { KezError } from "@kez/core"
import { formatWords } from "@kez/core/mnemonic"
import type { Context } from "../context.ts"
import { findCurrentName, type IdentityRecord, readIdentity, writeRecord } from "../keys/identities.ts"
import { currentRecord } from "../keys/signers.ts"
import { unlockKey } from "../keys/unlock.ts"
import type { Outcome } from "../run.ts"
import { missingAnswer } from "../terminal/prompt.ts"
import { formatWordGrid, writeDown } from "../terminal/recall.ts"
import { wordsText } from "./identity-view.ts"

interface Options {
  readonly args: readonly string[]
  readonly revealWords?: boolean
}

export async function run(context: Context, options: Options): Promise<Outcome> {
  const { terminal } = context
  const record = recordToShow(context, options.args[0])
  if (options.revealWords !== true && !terminal.interactive) {
    throw missingAnswer({ text: "Recovery words", flag: "--reveal-words to put them into the output" })
  }
  const { key } = await unlockKey(context, record)
  if (key.entropy === undefined) {
    throw new KezError("store.unknown", `Cannot show the words of ${record.name}: its key was not made from words`)
  }
  const words = formatWords(key.entropy).split(" ")
  if (options.revealWords === true) return reveal(record, words)
  const backup = await writeDown(terminal, words, { random: (end) => randomInt(end) })
  const checked: IdentityRecord = backup === "confirmed" ? { ...record, backup } : record
  if (backup === "confirmed") await writeRecord(context.paths, checked)
  return {
    schema: "kez.mnemonic/1",
    data: { name: record.name, identity: record.identity, backup: checked.backup },
    text: `${record.name}: ${wordsText(checked)}`,
  }
}

function recordToShow(context: Context, wanted: string | undefined): IdentityRecord {
  const name = wanted ?? context.flags.identity ?? findCurrentName(context.paths)
  return name === undefined ? currentRecord(context) : readIdentity(context.paths, name)
}

function reveal({ name, identity, backup }: IdentityRecord, words: readonly string[]): Outcome {
  return {
    schema: "kez.mnemonic/1",
    data: { name, identity, backup, recovery_words: words },
    text: formatWordGrid(words, 4).join("\n"),
    warnings: ["the recovery words are in the output: whoever reads it has this identity"],
  }
}
