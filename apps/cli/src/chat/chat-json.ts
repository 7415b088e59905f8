/** What programs get of contacts, conversations, messages and alarms. docs/json.md has the tables. */
import type { AlarmState, Contact, Conversation, Delivered, ShownMessage } from "@kez/chat"
import { alarmWords } from "./alarm-text.ts"
import { pinnedHandle } from "./names.ts"
import type { OpenChat } from "./open-chat.ts"
import { nameOfContact } from "./people.ts"

export { rememberNames } from "./names.ts"

type Names = Pick<OpenChat, "chains" | "account">

export function contactJson(chat: Names, { chain, handle, standing, devices, stop }: Contact) {
  return {
    account: handle ?? null,
    /** What to show: with `?` where only the chain says so. */
    name: nameOfContact(chat, { chain, ...(handle === undefined ? {} : { handle }) }),
    chain,
    standing,
    devices,
    stop: stop === undefined ? null : { kind: stop.kind, code: stop.code, message: stop.message },
  }
}

export function conversationJson(chat: Names, conversation: Conversation) {
  const { id, kind, name, members, addedBy, contact, state, unread, lastAt, safetyCode } = conversation
  return {
    conversation: id,
    type: kind,
    name: nameOfConversation(chat, conversation),
    title: name ?? null,
    members,
    added_by: addedBy ?? null,
    contact: contact === undefined ? null : contactJson(chat, contact),
    state,
    unread,
    last_at: lastAt ?? null,
    safety_code: safetyCode ?? null,
  }
}

export function nameOfConversation(chat: Names, { name, contact, members }: Conversation): string {
  if (contact !== undefined) return nameOfContact(chat, contact)
  return name ?? `${members.length} people`
}

export function messageJson(chat: Names, message: ShownMessage) {
  const { id, conversation, place, sender, at, type, text, answers, fileOffer, mentions } = message
  return {
    message: id,
    conversation,
    place,
    from: {
      name: sender.isSelf ? `${chat.account.handle}@${chat.account.host}` : senderName(chat, message),
      chain: sender.chain,
      device: sender.device,
      is_self: sender.isSelf,
    },
    at,
    type,
    text: text ?? null,
    answers: answers ?? null,
    file_offer: fileOffer ?? null,
    mentions,
    edited_at: message.editedAt ?? null,
    reactions: message.reactions,
    is_early: message.isEarly,
    delivered: message.delivered === undefined ? null : deliveredJson(message.delivered),
  }
}

/** By the contacts that `rememberNames` was told. */
export function senderName(chat: Names, { sender }: Pick<ShownMessage, "sender">): string {
  const handle = pinnedHandle(chat.account, sender.chain)
  return nameOfContact(chat, { chain: sender.chain, ...(handle === undefined ? {} : { handle }) })
}

export function nameOfChain(chat: Names, chain: string): string {
  return senderName(chat, { sender: { chain, device: "", isSelf: false } })
}

export function deliveredJson({ state, code, reason }: Delivered) {
  return { state, code: code ?? null, reason: reason ?? null }
}

export function alarmJson(chat: Names, state: AlarmState) {
  const { title, details } = alarmWords(state, (chain) =>
    senderName(chat, { sender: { chain, device: "", isSelf: false } }),
  )
  const { id, alarm, at, isStop, isAcceptable } = state
  return { alarm: id, ...alarm, at, is_stop: isStop, is_acceptable: isAcceptable, title, details }
}
