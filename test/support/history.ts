/** What was said before: of a person whose computer is restored from words, and as the chat server keeps it. */
import type { Chatter } from "./chat-people.ts"
import type { RawClient } from "./chat-world.ts"

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

/** The messages of a conversation as they lie at the chat server. */
export async function historyOf(client: RawClient, conversation: string): Promise<readonly string[]> {
  const texts: string[] = []
  for (let from = 0, isEnd = false; !isEnd; ) {
    const { header, parts } = await client.ask("history", { conversation, kind: "messages", from, limit: 256 })
    texts.push(...parts.map((part) => Buffer.from(part).toString()))
    from = (header.places.at(-1) ?? from) + 1
    isEnd = header.is_end
  }
  return texts
}
