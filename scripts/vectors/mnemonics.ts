/** vectors/mnemonics.json: recovery words. SPEC §9. */
import { keyOfSecret } from "@kez/core"
import { parseWords } from "@kez/core/mnemonic"
import { hex, type VectorCase, type VectorFile } from "./vector-file.ts"

const art = `${"abandon ".repeat(23)}art`
const about = `${"abandon ".repeat(11)}about`
const legal = "legal winner thank year wave sausage worth useful legal winner thank yellow"

// The secrets are those of v0.2, written here and not computed.
const accepted: readonly [id: string, why: string, words: string, secret: string][] = [
  ["24-zero", "24 words are the seed itself", art, "00".repeat(32)],
  [
    "12-zero",
    "12 words are hashed with a label",
    about,
    "09451c0f06588db78205e32a793536e15ae263c8f9ee6d14f5c6fd82b8bd20da",
  ],
  ["12-legal", "another 12", legal, "9df434a2bd5dc767ee949d8ab95ca09c4ebbb88cefc3d0b1523f6b2a744ca824"],
  [
    "space",
    "upper case, line feeds and runs of spaces, as people type",
    ` ${about.toUpperCase().replaceAll(" ", "  ")}\n`,
    "09451c0f06588db78205e32a793536e15ae263c8f9ee6d14f5c6fd82b8bd20da",
  ],
  [
    "full-width",
    "full-width letters are those letters after NFKD",
    about.replace("about", "ａｂｏｕｔ"),
    "09451c0f06588db78205e32a793536e15ae263c8f9ee6d14f5c6fd82b8bd20da",
  ],
]

const refused: readonly [id: string, why: string, words: string, code: string][] = [
  ["empty", "no words", "", "mnemonic.length"],
  ["23", "one word is missing", art.slice(0, -4), "mnemonic.length"],
  ["15", "BIP-39 knows 15 words, KEZ does not", `${"abandon ".repeat(14)}address`, "mnemonic.length"],
  ["word", "a word that is not in the list", about.replace("about", "abouts"), "mnemonic.word"],
  ["checksum", "a wrong last word", about.replace("about", "abandon"), "mnemonic.checksum"],
  ["swapped", "two words swapped", legal.replace("legal winner", "winner legal"), "mnemonic.checksum"],
]

export function mnemonics(): VectorFile {
  const cases: VectorCase[] = [
    ...accepted.map(([id, why, words, secret]) => {
      if (hex(parseWords(words).secret) !== secret) throw new Error(`mnemonic ${id} gives another secret`)
      const key = keyOfSecret("ed25519", Buffer.from(secret, "hex"))
      return { id: `words-${id}`, why, words, expect: secret, ed25519: key }
    }),
    ...refused.map(([id, why, words, code]) => ({ id: `words-${id}`, why, words, code })),
  ]
  return { spec: "§9", about: "Recovery words to the 32-byte secret (hex), or the code.", cases }
}
