/** Messages as lines for people. All of it came from somebody: nothing that a terminal obeys is left in it. */
import type { ArchiveState, ConnectionState, Delivered, ShownMessage } from "@kez/chat"
import { printable } from "../output.ts"

const maxShownCharacters = 60_000
const maxQuoteCharacters = 40

/** The text of a message, one entry a line. */
export function bodyLines(message: ShownMessage, maxCharacters = maxShownCharacters): readonly string[] {
  switch (message.type) {
    case "deleted":
      return ["(taken back)"]
    case "unknown":
      return ["(made by a newer kez: update to read it)"]
    case "membership":
      return ["(asks to leave the conversation)"]
    case "file_offer": {
      const offer = message.fileOffer
      if (offer === undefined) return ["(offers a file)"]
      return [
        `(offers ${printable(offer.name, 100)}${offer.files === undefined ? "" : `, ${offer.files} ${offer.files === 1 ? "file" : "files"}`}, ${sizeText(offer.size)})`,
      ]
    }
    case "text":
    case "reply":
    case "thread":
      return safeLines(message.text ?? "", maxCharacters)
  }
}

export function safeLines(text: string, maxCharacters = maxShownCharacters): readonly string[] {
  const isCut = text.length > maxCharacters
  const lines = text
    .slice(0, maxCharacters)
    .split(/\r\n|[\n\r\u2028\u2029]/)
    .map((line) => printable(line.replaceAll("\t", "    "), maxCharacters))
  return isCut ? [...lines, `… ${text.length - maxCharacters} more characters`] : lines
}

/** The first words of what a reply answers. */
export function quoteOf(message: ShownMessage | undefined): string {
  if (message === undefined) return "an earlier message"
  const [first = ""] = bodyLines(message, 400)
  const chars = [...first]
  return chars.length > maxQuoteCharacters ? `${chars.slice(0, maxQuoteCharacters - 1).join("")}…` : first
}

/** `edited`, `came late`, `delivered`: what stands behind a message. */
export function notesOf(message: ShownMessage): string {
  const notes = [
    ...(message.editedAt === undefined || message.type === "deleted" ? [] : ["edited"]),
    ...(message.isEarly ? ["one before it is missing: asked for"] : []),
    ...(message.delivered === undefined ? [] : [deliveredText(message.delivered)]),
  ]
  return notes.join(", ")
}

export function deliveredText({ state, code, reason }: Delivered): string {
  if (reason === undefined) return state
  return `${state}: ${printable(reason, 300)}${code === undefined ? "" : ` [${printable(code, 60)}]`}`
}

/** `👍2 ❤`. */
export function reactionText({ reactions }: ShownMessage): string {
  return reactions.map(({ emoji, by }) => `${printable(emoji, 16)}${by.length > 1 ? by.length : ""}`).join(" ")
}

export function connectionText(state: ConnectionState): string {
  switch (state.kind) {
    case "online":
      return "online"
    case "connecting":
      return "connecting"
    case "offline":
      return `offline: ${printable(state.reason, 200)}. It tries again by itself`
    case "revoked":
      return `revoked: ${printable(state.reason, 200)} To write again: kez account restore`
  }
}

/** What somebody has to know of the history; undefined: nothing. */
export function archiveText(state: ArchiveState): string | undefined {
  switch (state.kind) {
    case "waiting":
    case "on":
      return undefined
    case "restoring":
      return `restoring ${state.messages} messages`
    case "off":
      return `your history is on this device alone. ${printable(state.reason, 300)}`
    case "closed":
      return `this device cannot read your history yet. ${printable(state.reason, 300)}`
  }
}

/** Local `14:02`. */
export function clockText(unixSeconds: number): string {
  const time = new Date(unixSeconds * 1_000)
  return `${pad(time.getHours())}:${pad(time.getMinutes())}`
}

/** Local `2026-05-03`. */
export function dayText(unixSeconds: number): string {
  const time = new Date(unixSeconds * 1_000)
  return `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())}`
}

export function sizeText(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"]
  let [value, unit] = [bytes, 0]
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

function pad(number: number): string {
  return String(number).padStart(2, "0")
}
