/** Files in the conversation that is shown: what is typed about them, and how they are told. */
import { homedir } from "node:os"
import type { EngineEvent, ShownMessage, TransferView } from "@kez/chat"
import { KezError } from "@kez/core"
import { typedPath } from "../files/sendable.ts"
import { noteText, progressText, type TransferNames } from "../files/transfer-text.ts"
import { printable } from "../output.ts"
import type { ChatSession } from "./session.ts"

/** Offers a file or folder to the conversation that is open. */
export async function offerFile(session: ChatSession, typed: string): Promise<void> {
  const current = session.here()
  if (current.state === "request") await session.accept()
  await session.files.offer(current, typedPath(typed, homedir()))
}

/** In the list of what is shared, for who is in the conversation that is open. */
export async function shareFile(session: ChatSession, typed: string): Promise<void> {
  const current = session.here()
  if (current.state === "request") await session.accept()
  await session.files.share(current, typedPath(typed, homedir()))
}

/** By its name in the list, or where it lies. */
export function unshareFile({ files }: ChatSession, typed: string): Promise<void> {
  return files.unshare(typedPath(typed, homedir()))
}

/** Into the usual folder where none was typed. */
export function fetchFile({ files }: ChatSession, offer: ShownMessage, typedFolder: string): Promise<void> {
  return files.fetch(offer, typedFolder.trim() === "" ? undefined : typedPath(typedFolder, homedir()))
}

/** The last offer of another that nothing was decided about. */
export function lastOffer({ messages, files }: ChatSession): ShownMessage {
  const found = messages.findLast(
    (message) => message.fileOffer !== undefined && !message.sender.isSelf && files.stateOf(message) === undefined,
  )
  if (found !== undefined) return found
  throw new KezError("usage", "Cannot do that: there is no offer here that nothing was decided about")
}

/** Who is on the other side of a transfer. */
export function otherSideOf(session: ChatSession, { conversation }: Pick<TransferView, "conversation">): string {
  const found = session.conversations.find(({ id }) => id === conversation)
  return found === undefined ? "the other side" : printable(session.nameOf(found), 120)
}

export function refusedText(session: ChatSession, event: EngineEvent & { readonly kind: "change_refused" }): string {
  return `a change of ${otherSideOf(session, event)} cannot be made: ${event.reason} [${event.code}]`
}

export function namesOf(session: ChatSession, view: TransferView): TransferNames {
  return { who: otherSideOf(session, view), nameOf: (chain) => session.nameOfChain(chain) }
}

/** Below an offer: how far it is, or what can be done. Undefined: nothing to say. */
export function offerLine(session: ChatSession, message: ShownMessage): string | undefined {
  if (message.fileOffer === undefined) return undefined
  const view = session.files.viewOf(message)
  if (view !== undefined) return noteText(view, { kind: "state" }, namesOf(session, view))
  const { isSelf } = message.sender
  switch (session.files.stateOf(message)) {
    case undefined:
      return isSelf ? undefined : "/receive fetches it, /decline says no"
    case "done":
      return isSelf ? undefined : "fetched"
    case "declined":
      return "declined"
    case "failed":
      return "failed: /receive tries again"
    default:
      return isSelf ? "offered, and served while kez chat or kez send is open" : "not all of it is here yet"
  }
}

/** When the chat ends: what is not over. Undefined: nothing. */
export function leftLine({ files }: ChatSession): string | undefined {
  const left = files.views().filter(({ state }) => state === "running" || state === "waiting").length
  if (left === 0) return undefined
  const what = left === 1 ? "A file is not over yet, and goes on" : `${left} files are not over yet, and go on`
  return `${what} with the next kez chat: what is here is kept`
}

/** What is under way anywhere, in one line; undefined: nothing is. */
export function runningLine({ files }: ChatSession): string | undefined {
  const running = files.views().filter(({ state }) => state === "running")
  const [first] = running
  if (first === undefined) return undefined
  const more = running.length === 1 ? "" : `  and ${running.length - 1} more`
  return `${first.direction === "in" ? "↓" : "↑"} ${progressText(first)}${more}`
}
