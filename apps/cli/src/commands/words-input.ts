/** Recovery words for `restore` and `from-mnemonic`: from a flag, or typed on a screen that vanishes. */
import { KezError, parseCanonicalIdentity } from "@kez/core"
import type { Context } from "../context.ts"
import { keySystemOf, tryGivenWords } from "../keys/key-source.ts"
import { identityOf, type KeyMaterial, keyOfWords } from "../keys/key-text.ts"

const tries = 3
const question = { text: "Recovery words", flag: "--mnemonic @FILE, --mnemonic - or --mnemonic-fd N" }

export interface WordsOptions {
  readonly mnemonicFd?: string
  readonly expect?: string
}

export interface GivenWords {
  readonly key: KeyMaterial
  /** Whether somebody typed them, who then has them; a file proves nothing. */
  readonly isTyped: boolean
}

/** The key of the words. Throws `mnemonic.*`, or `key.not_held` where `--expect` names another identity. */
export async function readWords(context: Context, options: WordsOptions): Promise<GivenWords> {
  const expected = options.expect === undefined ? undefined : parseExpected(options.expect)
  const given = await tryGivenWords(context, options)
  const key = given === undefined ? await askWords(context) : keyOfWords(keySystemOf(context), given)
  if (expected !== undefined && identityOf(key) !== expected) {
    // Words that fit together but belong to somebody else: a mistyped word can do that, once in 256 times.
    throw new KezError(
      "key.not_held",
      `Cannot go on: these words are those of ${identityOf(key)}, not of ${expected}`,
      {
        hint: "Nothing was stored. Compare every word with your paper, and check --key-type.",
      },
    )
  }
  return { key, isTyped: given === undefined }
}

function parseExpected(text: string): string {
  const { system, value } = parseCanonicalIdentity(text)
  return `${system}:${value}`
}

async function askWords(context: Context): Promise<KeyMaterial> {
  const { terminal } = context
  for (let attempt = 1; ; attempt++) {
    const typed = await terminal.privately(question, async () => {
      terminal.show(["Type your 12 or 24 recovery words, in order. An empty line ends them.", ""])
      return readUntilEnough(context)
    })
    try {
      return keyOfWords(keySystemOf(context), typed)
    } catch (error) {
      if (!(error instanceof KezError) || attempt === tries) throw error
      terminal.say([error.message, error.hint].filter((part) => part !== undefined).join(". "))
    }
  }
}

async function readUntilEnough({ terminal }: Context): Promise<string> {
  const typed: string[] = []
  for (;;) {
    const line = (await terminal.askLine({ ...question, text: `${typed.length + 1}>` })).trim()
    typed.push(...line.split(/\s+/).filter((word) => word !== ""))
    if (line === "" || typed.length >= 24) return typed.join(" ")
  }
}
