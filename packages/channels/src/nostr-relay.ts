/** What is said with one relay: a question and its events, or an event and its fate. NIP-01, NIP-42. SPEC §7.4. */
import { KezError, parseForeignJson } from "@kez/core"
import type { MessageSocket, Net } from "./channel.ts"
import { maxRelayEvents, maxRelayRemarks } from "./limits.ts"
import { eventKinds, type NostrEvent } from "./nostr-event.ts"

export interface Filter {
  readonly authors: readonly string[]
  readonly kinds: readonly number[]
  readonly limit: number
  readonly "#d"?: readonly string[]
}

export interface RelayQuestion {
  readonly filters: readonly Filter[]
  /** Called when the connection stands, before anything is asked. */
  onOpen(): void
  /** Called for each event as it comes, unread. */
  onEvent(event: unknown): void
}

/** How the relay ended its answer. */
export interface RelayEnding {
  /** It said that it has no more. */
  readonly isComplete: boolean
  /** Notices, refusals, a wish for a login: short, in printable ASCII. */
  readonly remarks: readonly string[]
}

export interface RelayFate {
  readonly isAccepted: boolean
  /** The relay's own words, short, in printable ASCII; empty where it gave none. */
  readonly reason: string
}

const subscription = "kez"
const maxRemarkLength = 160

/** Asks one relay on a connection of its own. Throws KezError `net.*`, `limit.body`, or the signal's reason. */
export async function askRelay(
  url: string,
  question: RelayQuestion,
  net: Net,
  signal: AbortSignal,
): Promise<RelayEnding> {
  const socket = await net.openSocket(url, { signal })
  try {
    question.onOpen()
    socket.send(JSON.stringify(["REQ", subscription, ...question.filters]))
    return await readAnswer(url, socket, question)
  } finally {
    socket.close()
  }
}

/**
 * Gives one relay events, one after the other, and says what became of each. A relay that wants a login gets none: the
 * challenge is text of its choice, and the key signs only what we wrote. A deletion that comes last may have no answer.
 * Throws like `askRelay`.
 */
export async function giveRelay(
  url: string,
  events: readonly NostrEvent[],
  net: Net,
  signal: AbortSignal,
): Promise<readonly RelayFate[]> {
  const socket = await net.openSocket(url, { signal })
  try {
    const fates: RelayFate[] = []
    const messages = socket.messages()[Symbol.asyncIterator]()
    for (const event of events) {
      const isLastWish = event.kind === eventKinds.deletion && event === events.at(-1) && events.length > 1
      try {
        socket.send(JSON.stringify(["EVENT", event]))
        fates.push(await waitForFate(url, event.id, messages))
      } catch (error) {
        if (!isLastWish || signal.aborted || !(error instanceof KezError)) throw error
        fates.push({ isAccepted: false, reason: error.message })
      }
    }
    return fates
  } finally {
    socket.close()
  }
}

async function readAnswer(url: string, socket: MessageSocket, question: RelayQuestion): Promise<RelayEnding> {
  const remarks: string[] = []
  const remark = (text: string) => {
    if (remarks.length < maxRelayRemarks) remarks.push(text)
  }
  let count = 0
  for await (const text of socket.messages()) {
    const message = parseMessage(url, text)
    const isOurs = message[1] === subscription
    switch (message[0]) {
      case "EVENT":
        if (!isOurs) break
        count += 1
        if (count > maxRelayEvents) throw tooMany(url)
        question.onEvent(message[2])
        break
      case "EOSE":
        if (isOurs) return { isComplete: true, remarks }
        break
      case "CLOSED":
        if (isOurs) return { isComplete: false, remarks: [...remarks, `refused to answer: ${quote(message[2])}`] }
        break
      case "NOTICE":
        remark(`said: ${quote(message[1])}`)
        break
      case "AUTH":
        remark("asks for a login")
        break
    }
  }
  return { isComplete: false, remarks: [...remarks, "closed the connection before its answer was whole"] }
}

async function waitForFate(url: string, id: string, messages: AsyncIterator<string>): Promise<RelayFate> {
  let notice = ""
  for (;;) {
    const next = await messages.next()
    if (next.done) return { isAccepted: false, reason: notice || "closed the connection without an answer" }
    const message = parseMessage(url, next.value)
    if (message[0] === "OK" && message[1] === id) return { isAccepted: message[2] === true, reason: quote(message[3]) }
    if (message[0] === "NOTICE") notice = quote(message[1])
  }
}

function parseMessage(url: string, text: string): readonly unknown[] {
  let message: unknown
  try {
    message = parseForeignJson(text)
  } catch (cause) {
    throw new KezError("net.http", `Cannot read ${url}: expected JSON, got another text`, { cause })
  }
  if (!Array.isArray(message))
    throw new KezError("net.http", `Cannot read ${url}: expected a list, got another JSON value`)
  return message
}

/** A relay's own words go before people's eyes: one short line, nothing that a terminal or a reader could be led by. */
function quote(value: unknown): string {
  const text = typeof value === "string" ? value : ""
  return text.slice(0, maxRemarkLength).replace(/[^ -~]/g, "?")
}

function tooMany(url: string): KezError {
  return new KezError("limit.body", `Cannot read ${url}: expected at most ${maxRelayEvents} events, got more`)
}
