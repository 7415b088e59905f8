/** Shared files as lines and as JSON: one's own, and what somebody else shares. */
import type { ShareRow, TheirList } from "@kez/chat"
import type { Digest, SharedFile } from "@kez/core"
import { nameOfChain } from "../chat/chat-json.ts"
import { sizeText } from "../chat/message-text.ts"
import type { OpenChat } from "../chat/open-chat.ts"
import { printable } from "../output.ts"
import { columns, count, durationText, shortKey, timeText } from "../short-text.ts"

export type Names = Pick<OpenChat, "chains" | "account">

export function shownName(chat: Names, chain: Digest): string {
  return printable(nameOfChain(chat, chain), 120)
}

export function audienceText(chat: Names, { audience }: Pick<ShareRow, "audience">): string {
  return audience === "contacts" ? "all contacts" : audience.map((chain) => shownName(chat, chain)).join(", ")
}

export function shareLines(chat: Names, shares: readonly ShareRow[]): string {
  return columns(
    shares.map((share) => [
      printable(share.name, 200),
      share.code === undefined ? `${count(share.files, "file")}, ${sizeText(share.size)}` : `not there [${share.code}]`,
      audienceText(chat, share),
      printable(share.path, 300),
    ]),
  )
}

export function shareJson(chat: Names, { name, path, files, size, audience, addedAt, code }: ShareRow) {
  const people = audience === "contacts" ? [] : audience
  return {
    ...{ name, path, files, size },
    everyone: audience === "contacts",
    with: people.map((chain) => ({ name: shownName(chat, chain), chain })),
    added_at: addedAt,
    code: code ?? null,
  }
}

export function fileLines(files: readonly SharedFile[]): string {
  return columns(
    files.map(({ path, size, media_type }) => [printable(path, 1_100), sizeText(size), printable(media_type, 130)]),
  )
}

/** Who signed it, and how old what we know is. */
export function proofText(list: TheirList, now: number): string {
  const age = `${durationText(Math.max(0, now - list.heardAt))} ago`
  const what = list.seq === undefined ? "never shared anything" : `list ${list.seq}, signed`
  const anchor = list.isAnchored ? ", named in the chain" : ""
  return `device ${shortKey(list.device)}: ${what}${anchor}, told ${age} (${timeText(list.heardAt)})`
}

export function theirJson(list: TheirList) {
  return {
    device: list.device,
    seq: list.seq ?? null,
    digest: list.digest ?? null,
    signed_at: list.createdAt ?? null,
    heard_at: list.heardAt,
    in_chain: list.isAnchored,
  }
}
