/** Recovery words: BIP-39 English, without PBKDF2. SPEC §9. */
import { entropyToMnemonic } from "@scure/bip39"
import { wordlist } from "@scure/bip39/wordlists/english.js"
import { sha256 } from "./digest.ts"
import { KezError } from "./error.ts"
import { maxWordsBytes } from "./limits.ts"
import { encodeUtf8, isLongerThan } from "./text.ts"

const secretOf12Words = encodeUtf8("kez-bip39-12-v1")
const wordIndex: ReadonlyMap<string, number> = new Map(wordlist.map((word, i) => [word, i]))

export interface RecoverySecret {
  /** 16 bytes for 12 words, 32 for 24: what the words say. */
  readonly entropy: Uint8Array
  /** 32 bytes: the Ed25519 seed, or the nostr secret key. [MNEM-1] [MNEM-2] */
  readonly secret: Uint8Array
}

/** 12 words for 16 bytes of entropy, 24 for 32. Other lengths throw `mnemonic.length`. (BIP-39) */
export function formatWords(entropy: Uint8Array): string {
  if (entropy.length !== 16 && entropy.length !== 32) throw lengthFault()
  return entropyToMnemonic(entropy, wordlist)
}

/** Reads 12 or 24 words as a person types them. Throws `mnemonic.length`, `.word` or `.checksum`; messages name positions, never words. */
export function parseWords(text: string): RecoverySecret {
  if (isLongerThan(text, maxWordsBytes)) throw lengthFault()
  const words = text
    .normalize("NFKD")
    .toLowerCase()
    .split(/[\t-\r ]+/)
    .filter((word) => word !== "")
  if (words.length !== 12 && words.length !== 24) throw lengthFault()
  const entropy = entropyOf(words.map(indexOfWord))
  return { entropy, secret: secretOfEntropy(entropy) }
}

/** The 32-byte secret that 16 or 32 bytes of entropy stand for. */
export function secretOfEntropy(entropy: Uint8Array): Uint8Array {
  if (entropy.length === 32) return entropy
  if (entropy.length !== 16) throw lengthFault()
  const tagged = new Uint8Array(secretOf12Words.length + entropy.length)
  tagged.set(secretOf12Words)
  tagged.set(entropy, secretOf12Words.length)
  return sha256(tagged)
}

function indexOfWord(word: string, position: number): number {
  const index = wordIndex.get(word)
  if (index !== undefined) return index
  throw new KezError("mnemonic.word", `Cannot read the recovery words: word ${position + 1} is not in the list`, {
    hint: "All words are English, from the BIP-39 list. Compare that word with your paper.",
  })
}

/** 11 bits a word: the entropy, then its checksum of one bit for each four bytes. (BIP-39) */
function entropyOf(indexes: readonly number[]): Uint8Array {
  const bits = indexes.map((index) => index.toString(2).padStart(11, "0")).join("")
  const checksumBits = indexes.length / 3
  const entropyBits = bits.length - checksumBits
  const entropy = Uint8Array.from({ length: entropyBits / 8 }, (_, i) =>
    Number.parseInt(bits.slice(8 * i, 8 * i + 8), 2),
  )
  const expected = (sha256(entropy)[0] ?? 0) >> (8 - checksumBits)
  if (Number.parseInt(bits.slice(entropyBits), 2) === expected) return entropy
  throw new KezError("mnemonic.checksum", "Cannot read the recovery words: they do not fit together", {
    hint: "A word is wrong, or two are swapped. Compare each word and its number with your paper.",
  })
}

function lengthFault(): KezError {
  return new KezError("mnemonic.length", "Cannot read the recovery words: expected 12 or 24 words")
}
