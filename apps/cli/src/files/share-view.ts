/** Shared files as lines and as JSON: one's own, and what somebody else shares. */
import type { ShareRow, TheirList } from "@kez/chat"
import type { Digest, SharedFile } from "@kez/core"
import { nameOfChain, nameOfConversation } from "../chat/chat-json.ts"
import { sizeText } from "../chat/message-text.ts"
import type { OpenChat } from "../chat/open-chat.ts"
import { printable } from "../output.ts"
import { columns, count, durationText, shortDigest, shortKey, timeText } from "../short-text.ts"

export type Names = Pick<OpenChat, "chains" | "account">

export function shownName(chat: Names, chain: Digest): string {
  return printable(nameOfChain(chat, chain), 120)
}

/** Of groups, as they are called now. */
export type GroupNames = ReadonlyMap<Digest, string>

export async function groupNamesOf(chat: OpenChat, shares: readonly Pick<ShareRow, "groups">[]): Promise<GroupNames> {
  const names = new Map<Digest, string>()
  for (const id of new Set(shares.flatMap(({ groups = [] }) => groups.map((group) => group.id)))) {
    const group = await chat.engine.conversation(id)
    names.set(id, group === undefined ? shortDigest(id) : printable(nameOfConversation(chat, group), 100))
  }
  return names
}

/** Who has it as a member alone stands with the group: when he leaves it, he has it no more. */
export function audienceText(chat: Names, share: Pick<ShareRow, "audience" | "groups">, groups: GroupNames): string {
  if (share.audience === "contacts") return "all contacts"
  const people = share.audience.map((chain) => {
    const through = groupsOf(share, chain).map((id) => groups.get(id) ?? shortDigest(id))
    return `${shownName(chat, chain)}${through.length === 0 ? "" : ` (in ${through.join(", ")})`}`
  })
  return people.join(", ")
}

function groupsOf({ groups = [] }: Pick<ShareRow, "groups">, chain: Digest): readonly Digest[] {
  return groups.filter(({ members }) => members.includes(chain)).map(({ id }) => id)
}

export function shareLines(chat: Names, shares: readonly ShareRow[], groups: GroupNames): string {
  return columns(
    shares.map((share) => [
      printable(share.name, 200),
      share.code === undefined ? `${count(share.files, "file")}, ${sizeText(share.size)}` : `not there [${share.code}]`,
      audienceText(chat, share, groups),
      printable(share.path, 300),
    ]),
  )
}

export function shareJson(chat: Names, share: ShareRow) {
  const { name, path, files, size, audience, addedAt, code } = share
  const people = audience === "contacts" ? [] : audience
  return {
    ...{ name, path, files, size },
    everyone: audience === "contacts",
    with: people.map((chain) => ({ name: shownName(chat, chain), chain, groups: groupsOf(share, chain) })),
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
