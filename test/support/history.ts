/** A person's computers: restored from words, and what is read on them. */
import type { Chatter } from "./chat-people.ts"

export interface Shown {
  readonly message: string
  readonly text: string | null
  readonly at: number
  readonly from: { readonly chain: string; readonly is_self: boolean }
  readonly edited_at: number | null
  readonly reactions: readonly unknown[]
}

/** The recovery words of an identity that is on the person's computer. */
export async function wordsOf(person: Chatter, ...identity: readonly string[]): Promise<string> {
  return (await person.ok("identity", "mnemonic", ...identity, "--reveal-words")).recovery_words.join(" ")
}

/** Of alice@localhost. */
export function restoring(person: Chatter, words: string): readonly string[] {
  return ["account", "restore", "alice@localhost", "--mnemonic", `@${person.file("words", words)}`, "--no-passphrase"]
}

export function restore(person: Chatter, words: string, ...more: readonly string[]) {
  return person.json([...restoring(person, words), ...more], { timeoutMs: 60_000 })
}

/** Without what each computer knows for itself, such as whether it was delivered. */
export async function read(person: Chatter, who: string): Promise<readonly Shown[]> {
  const { messages } = await person.ok("dm", who, "--tail", "100")
  return messages.map(({ message, text, at, from, edited_at, reactions }: Shown) => ({
    ...{ message, text, at, edited_at, reactions },
    from: { chain: from.chain, is_self: from.is_self },
  }))
}
