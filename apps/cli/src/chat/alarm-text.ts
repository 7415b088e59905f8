/** Alarms in human words: what happened, why it matters, what to do. Loud ones say that nothing is sent until they are settled. */
import type { Alarm, AlarmState, Contact } from "@kez/chat"
import type { Digest } from "@kez/core"
import { printable } from "../output.ts"
import { shortDigest, shortKey } from "../short-text.ts"

/** How a chain is called. */
export type NameOf = (chain: Digest) => string

export interface AlarmWords {
  readonly isLoud: boolean
  /** One sentence. */
  readonly title: string
  /** What to do, and the evidence. */
  readonly details: readonly string[]
}

export function alarmWords({ alarm, isStop, isAcceptable }: AlarmState, nameOf: NameOf): AlarmWords {
  const details = [
    ...(alarm.hint === undefined ? [] : alarm.hint.split("\n")),
    ...evidenceOf(alarm),
    ...(isStop ? ["Nothing is sent there until this is settled."] : []),
    ...(isAcceptable ? ["If the person told you so by another way, accept it."] : []),
  ].map((line) => printable(line, 400))
  return { isLoud: isStop || loud.has(alarm.kind), title: printable(titleOf(alarm, nameOf), 300), details }
}

const loud: ReadonlySet<Alarm["kind"]> = new Set<Alarm["kind"]>([
  "own_handle",
  "directory",
  "key_package",
  "sender_fork",
  "archive_fork",
  "commit_refused",
  "members_differ",
  "told_wrong",
])

function titleOf(alarm: Alarm, nameOf: NameOf): string {
  switch (alarm.kind) {
    case "new_device":
      return `${nameOf(alarm.contact)} added a device, signed by the identity: ${shortKey(alarm.device)}`
    case "chain_changed":
      return `${alarm.handle} leads to another identity than before. This may be somebody else`
    case "chain_fork":
      return `${nameOf(alarm.contact)} has two conflicting histories`
    case "handle_moved":
      return `${nameOf(alarm.contact)} moved from ${alarm.handle} to ${alarm.movedTo}, by own signature`
    case "handle_changed":
      return `${nameOf(alarm.contact)} gave up ${alarm.handle}, or the chain does not name it any more`
    case "own_handle":
      return `Somebody signed something about your handle ${alarm.handle}, or the server denies it`
    case "directory":
      return `The server ${alarm.host} contradicts what it said before about handles`
    case "key_package":
      return `The server handed out a key for ${nameOf(alarm.contact)} that is none of the person's devices. It was not used`
    case "conversation_fork":
      return "The members of a conversation have different histories of it"
    case "commit_refused":
      return `A change of a conversation was refused${alarm.contact === undefined ? "" : `: ${nameOf(alarm.contact)} was not allowed to make it`}`
    case "members_differ": {
      const names = (chains: readonly Digest[]): string => chains.map(nameOf).join(", ")
      const missing = alarm.missing.length === 0 ? "" : ` Nothing is delivered to ${names(alarm.missing)}.`
      const extra = alarm.extra.length === 0 ? "" : ` Ciphertext goes to ${names(alarm.extra)}.`
      const by = alarm.contact === undefined ? "" : ` by ${nameOf(alarm.contact)}, or says that it was`
      return `The server was told other members of a group than it has${by}.${missing}${extra}`
    }
    case "messages_missing":
      return `${alarm.to - alarm.from + 1} messages of a device did not come. They are asked for again`
    case "told_wrong":
      return `${alarm.contact === undefined ? "Who" : `${nameOf(alarm.contact)}, who`} let this device into a conversation said something wrong about what another device had sent (${shortKey(alarm.device)}). The device was believed`
    case "message_repeated":
      return "The server delivered a message again as if it were new. It is not shown again"
    case "message_refused":
      return "Something came that no member wrote, or that was altered. It is not shown"
    case "sender_fork":
      return `A device said two things in one place: an old copy of it, or somebody with its keys (${shortKey(alarm.device)})`
    case "archive_missing":
      return `${alarm.to - alarm.from + 1} entries of a device of yours are not in your archive (${shortKey(alarm.device)})`
    case "archive_fork":
      return `A device of yours wrote two things in one place of your archive: an old copy of it, or somebody with its keys (${shortKey(alarm.device)})`
    case "archive_refused":
      return "Something stands in your archive that no device of yours wrote, or that was altered. It is not shown"
  }
}

function evidenceOf(alarm: Alarm): readonly string[] {
  switch (alarm.kind) {
    case "chain_changed":
      return [`pinned ${shortDigest(alarm.pinned)}, found ${shortDigest(alarm.found)} [${alarm.code}]`]
    case "chain_fork":
      return [`events ${alarm.evidence.map(shortDigest).join(", ")} [${alarm.code}]`]
    default:
      return [`${alarm.message} [${alarm.code}]`]
  }
}

/** The contact that an alarm is about, where it is about one. */
export function contactOfAlarm(alarm: Alarm): Contact["chain"] | undefined {
  return "contact" in alarm ? alarm.contact : undefined
}
