/** `kez dm`: one message from a script or a shell, and what became of it; or the last messages of a conversation. */
import { createReadStream } from "node:fs"
import { KezError } from "@kez/core"
import { messageJson, nameOfConversation } from "../chat/chat-json.ts"
import { deliveredText } from "../chat/message-text.ts"
import { waitOnline } from "../chat/open-chat.ts"
import { assertSameHost, findPerson } from "../chat/people.ts"
import { sendAndWait } from "../chat/send.ts"
import { type ChatOptions, withChat } from "../chat/with-chat.ts"
import { exitCodeOf, exitCodes } from "../exit-codes.ts"
import { printable, readingFailure } from "../output.ts"
import type { Handler } from "../run.ts"

const defaultWaitSeconds = 20
const maxWaitSeconds = 3_600
const onlineMs = 8_000
const settleMs = 5_000
/** A message has at most about 60,000 bytes; the engine says so exactly. */
const maxInputBytes = 1_048_576

export interface DmOptions extends ChatOptions {
  readonly tail?: string | true
  readonly follow?: boolean
  readonly wait?: string
  readonly file?: string
}

export const run: Handler<DmOptions> = async (
  context,
  { args: [who = "", ...words], tail, follow, wait, file, ...options },
) => {
  const waitMs = readWait(wait)
  if (tail !== undefined || follow === true) {
    if (words.length > 0 || file !== undefined)
      throw new KezError("usage", "Cannot send and show at once: expected a text or --tail")
    const { showTail } = await import("../chat/tail.ts")
    return showTail(context, options, { who, count: tail === undefined ? 0 : readCount(tail), follow: follow === true })
  }
  const text = await readText(words, file)
  return withChat(context, options, async (chat) => {
    const contact = await findPerson(context, chat, who)
    assertSameHost(chat, contact)
    // A device of either side may be new or revoked since: the conversation is to know before the message goes out.
    await Promise.all([
      chat.chains.look(contact.chain),
      chat.chains.look(chat.engine.chain),
      waitOnline(chat.engine, Math.min(waitMs, onlineMs)),
    ])
    if (chat.engine.connection().kind === "online") await chat.engine.settled(Math.min(waitMs, settleMs))
    const conversation = await chat.engine.openDirect(contact.chain)
    const { message, delivered } = await sendAndWait(chat.engine, conversation.id, { type: "text", text }, waitMs)
    const name = nameOfConversation(chat, conversation)
    const mark = delivered.state === "failed" ? "✕" : delivered.state === "waiting" ? "◌" : "✓"
    return {
      schema: "kez.dm/1",
      data: { to: name, ...messageJson(chat, { ...message, delivered }) },
      text: `${mark} ${printable(name, 120)}  ${deliveredText(delivered)}`,
      exitCode: exitCodeOfState(delivered),
      ...(delivered.state === "waiting"
        ? { next: "it is kept and goes out by itself with the next kez chat or kez dm" }
        : {}),
    }
  })
}

function exitCodeOfState({ state, code }: { readonly state: string; readonly code?: string }): number {
  if (state === "failed") return code === undefined ? exitCodes.failure : exitCodeOf(code)
  return state === "waiting" ? exitCodes.unreachable : exitCodes.ok
}

async function readText(words: readonly string[], file: string | undefined): Promise<string> {
  if (words.length > 0 && file !== undefined)
    throw new KezError("usage", "Cannot send two texts: expected one, or --file")
  if (words.length > 0) return notEmpty(words.join(" "))
  if (file !== undefined && file !== "-") return notEmpty(await readAll(createReadStream(file), file))
  if (process.stdin.isTTY === true) {
    throw new KezError("usage", "Cannot send: expected a text", {
      hint: 'kez dm WHO "text", or pipe it in: … | kez dm WHO\nTo talk: kez chat WHO',
    })
  }
  return notEmpty(await readAll(process.stdin, "stdin"))
}

async function readAll(stream: AsyncIterable<Buffer>, name: string): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of stream) {
      chunks.push(chunk)
      size += chunk.length
      if (size > maxInputBytes)
        throw new KezError("limit.size", `Cannot send the text from ${name}: expected at most 60,000 bytes`)
    }
  } catch (cause) {
    if (cause instanceof KezError) throw cause
    const { code } = cause as NodeJS.ErrnoException
    throw new KezError("input.unreadable", `Cannot read ${name}: ${readingFailure(code)}`, { cause })
  }
  return Buffer.concat(chunks)
    .toString("utf8")
    .replace(/\r?\n$/, "")
}

function notEmpty(text: string): string {
  if (text.trim() !== "") return text
  throw new KezError("usage", "Cannot send: the text is empty")
}

function readWait(text = String(defaultWaitSeconds)): number {
  const seconds = Number(text)
  if (/^[0-9]{1,4}$/.test(text) && seconds <= maxWaitSeconds) return seconds * 1_000
  throw new KezError("usage", `Cannot use --wait: expected 0 to ${maxWaitSeconds} seconds`)
}

function readCount(tail: string | true): number {
  if (tail === true) return 20
  if (/^[1-9][0-9]{0,2}$/.test(tail) && Number(tail) <= 500) return Number(tail)
  throw new KezError("usage", "Cannot use --tail: expected a number from 1 to 500")
}
