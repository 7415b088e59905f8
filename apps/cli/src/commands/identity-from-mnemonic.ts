/** `kez identity from-mnemonic`: which identity some words stand for. Stores nothing. */
import type { Context } from "../context.ts"
import { identityOf } from "../keys/key-text.ts"
import type { Outcome } from "../run.ts"
import { readWords, type WordsOptions } from "./words-input.ts"

export async function run(context: Context, options: WordsOptions): Promise<Outcome> {
  const { key } = await readWords(context, options)
  const identity = identityOf(key)
  const words = key.entropy?.length === 16 ? 12 : 24
  return { schema: "kez.mnemonic_identity/1", data: { identity, words }, text: identity }
}
