/** What a person has to be told because somebody may be lying: typed, with the evidence, and with what to do. */
import type { Digest } from "@kez/core"

interface AlarmBody {
  /** Why, in the words and with the code of the error. */
  readonly code: string
  readonly message: string
  readonly hint?: string
}

export type Alarm = AlarmBody &
  (
    | { readonly kind: "new_device"; readonly contact: Digest; readonly device: string }
    /** The handle leads to another chain than the one that is pinned. A hard stop. */
    | {
        readonly kind: "chain_changed"
        readonly contact: Digest
        readonly handle: string
        readonly pinned: Digest
        readonly found: Digest
        /** The signed registration of the other chain. */
        readonly evidence: string
      }
    /** Two branches of a contact's chain that no rule decides, or a store that shows an older chain. A hard stop until it is settled. */
    | { readonly kind: "chain_fork"; readonly contact: Digest; readonly evidence: readonly Digest[] }
    /** The contact moved to another handle, by his own signature. Accepting pins the new one. */
    | { readonly kind: "handle_moved"; readonly contact: Digest; readonly handle: string; readonly movedTo: string }
    /** The contact gave the handle up, or his chain does not name it any more. */
    | { readonly kind: "handle_changed"; readonly contact: Digest; readonly handle: string }
    /** Somebody else signed something about our own handle, or the directory denies it. */
    | { readonly kind: "own_handle"; readonly handle: string; readonly evidence: readonly string[] }
    /** A directory contradicts what it said before. */
    | { readonly kind: "directory"; readonly host: string }
    /** The server handed out a key package that is not one of the contact's devices'. It was not used. */
    | { readonly kind: "key_package"; readonly contact: Digest; readonly conversation: Digest }
    /** Members of a conversation have different histories of it. Nothing is sent there. A hard stop. */
    | { readonly kind: "conversation_fork"; readonly conversation: Digest }
    /** A member's device made a commit that the conversation does not allow. It was not applied. */
    | {
        readonly kind: "commit_refused"
        readonly conversation: Digest
        readonly contact?: Digest
        readonly device?: string
      }
    /**
     * The server was told, or says that it was told, other members than the state has: `missing` get nothing of it, `extra` get what they cannot read.
     * Closed by itself with the next commit that tells it right.
     */
    | {
        readonly kind: "members_differ"
        readonly conversation: Digest
        /** Who made the commit; absent: this account, so that it can only be the server. */
        readonly contact?: Digest
        readonly missing: readonly Digest[]
        readonly extra: readonly Digest[]
      }
    /** Dropped or held back: they are asked for again. Closed by itself when they came. */
    | {
        readonly kind: "messages_missing"
        readonly conversation: Digest
        readonly device: string
        readonly from: number
        readonly to: number
      }
    /** Who let this device into a conversation said that another's device had sent something else than it had. The device was believed. */
    | {
        readonly kind: "told_wrong"
        readonly conversation: Digest
        /** Who said it. */
        readonly contact?: Digest
        /** Of whom it was said. */
        readonly device: string
      }
    /** The server delivered something again as if it were new. It was not shown again. */
    | { readonly kind: "message_repeated"; readonly conversation: Digest; readonly seq: number }
    /** Something that no member of the conversation made, or that was altered. It is shown nowhere. */
    | { readonly kind: "message_refused"; readonly conversation: Digest; readonly seq: number }
    /** A device said two things in one place: a restored old copy of it, or somebody with its keys. */
    | { readonly kind: "sender_fork"; readonly conversation: Digest; readonly device: string; readonly counter: number }
    /** Entries that a device wrote to the account's archive are not there. Closed by itself when they came. */
    | { readonly kind: "archive_missing"; readonly device: string; readonly from: number; readonly to: number }
    /** Two entries in one place of a device of ours: a restored old copy of it, or somebody with the archive's keys. The second is not shown. */
    | { readonly kind: "archive_fork"; readonly device: string; readonly number: number }
    /** Something in the archive that no device of ours wrote, that was altered, or that a revoked device wrote. It is not shown. */
    | { readonly kind: "archive_refused"; readonly seq: number }
  )

export type AlarmKind = Alarm["kind"]

export interface AlarmState {
  readonly id: string
  readonly alarm: Alarm
  /** Unix seconds. */
  readonly at: number
  /** Nothing is sent to the contact or conversation while it is open. */
  readonly isStop: boolean
  /** Whether `accept` means something: a device, a moved handle. */
  readonly isAcceptable: boolean
}

const stops: ReadonlySet<AlarmKind> = new Set<AlarmKind>(["chain_changed", "chain_fork", "conversation_fork"])
const acceptable: ReadonlySet<AlarmKind> = new Set<AlarmKind>(["new_device", "handle_moved"])

export function isStop({ kind }: Alarm): boolean {
  return stops.has(kind)
}

export function isAcceptable({ kind }: Alarm): boolean {
  return acceptable.has(kind)
}
