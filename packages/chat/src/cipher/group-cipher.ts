/** What the engine asks of a conversation's encryption. Behind it stands MLS; another implementation could stand there. */
import type { Digest, KezError } from "@kez/core"
import type { DeviceStanding, NamedHead } from "../chains.ts"
import type { StateBody, StateChange } from "../conversation/state-body.ts"
import type { DeviceCredential } from "../credential/device-credential.ts"

/** A device in a conversation. */
export interface GroupDevice {
  readonly leaf: number
  readonly chain: Digest
  readonly device: string
  readonly credential: DeviceCredential
  /** By everything known now. `revoked` and `suspended` ones are to be removed. */
  readonly standing: DeviceStanding
  readonly isSelf: boolean
}

export interface CommitRequest {
  /** Key packages as the server handed them out. */
  readonly add?: readonly Uint8Array[]
  /** Devices. */
  readonly remove?: readonly string[]
  readonly change?: StateChange
  /** A new credential for this device: the old one expires. */
  readonly renew?: DeviceCredential
  /** For those who are added, beside the Welcome: the engine's own. */
  readonly extra?: Uint8Array
}

/** A commit of our own: saved, and not applied before `accept`. */
export interface PreparedCommit {
  /** The epoch that it ends. */
  readonly epoch: number
  readonly digest: Digest
  /** Published to the conversation's commits, by compare-and-set. */
  readonly message: Uint8Array
  /** Chains of everybody who is a member after it. */
  readonly members: readonly Digest[]
  /** Sent to each device that is added, after the commit was accepted. */
  readonly welcome?: Uint8Array
}

export interface AppliedCommit {
  readonly kind: "applied"
  /** The epoch in force now. */
  readonly epoch: number
  readonly by: DeviceCredential
  readonly added: readonly DeviceCredential[]
  readonly removed: readonly DeviceCredential[]
  /** Where the state changed. */
  readonly state?: StateBody
  /** Chains that the state names and did not name before. */
  readonly newcomers: readonly Digest[]
  /** This device is not in the conversation any more. */
  readonly isRemoved: boolean
}

export type CommitOutcome =
  | AppliedCommit
  /** Applied before, or our own that waits: call `accept` for that one. */
  | { readonly kind: "repeat"; readonly isPending: boolean }
  /** Commits between ours and this one are missing. */
  | { readonly kind: "ahead"; readonly epoch: number }
  /** It names chain events that are not known here: fetch those chains, then call again. */
  | { readonly kind: "needs_chains"; readonly heads: readonly NamedHead[] }
  /** The epoch stays. `chat.fork`: the conversation has two histories. */
  | { readonly kind: "refused"; readonly fault: KezError; readonly by?: DeviceCredential }

export interface OpenedMessage {
  readonly kind: "message"
  readonly epoch: number
  readonly generation: number
  readonly sender: GroupDevice
  readonly content: Uint8Array
  /** Unix seconds, as the sender's clock had it. */
  readonly at: number
  /** The sender's chain as he knew it; known here, or to be fetched. */
  readonly head: NamedHead
  readonly isHeadKnown: boolean
}

export type MessageOutcome =
  | OpenedMessage
  /** Sent by this device: its content is in the outbox. */
  | { readonly kind: "own" }
  | { readonly kind: "ahead"; readonly epoch: number }
  /** `chat.repeat`, `chat.gap`, `chat.epoch`, `chat.fork`, `chat.decrypt`, `chat.state`, or how it could not be read. */
  | {
      readonly kind: "refused"
      readonly fault: KezError
      /** Of `chat.gap`: whose message it says it is, and how many keys before it were not used. Any member could have written that. */
      readonly far?: FarAhead
    }

export interface FarAhead {
  readonly device: string
  readonly ahead: number
}

export interface GroupCipher {
  readonly group: Digest
  readonly epoch: number
  readonly state: StateBody
  readonly stateDigest: Digest
  readonly isRemoved: boolean
  readonly pending: PreparedCommit | undefined
  members(): readonly GroupDevice[]
  /** Who made the version of the state that brought a member in. */
  broughtInBy(chain: Digest): Digest | undefined
  /** Who made the version of the state that last changed the name. */
  namedBy(): Digest | undefined
  /** Devices that are to be removed before anything is sent. */
  overdue(): readonly GroupDevice[]

  commit(request: CommitRequest): Promise<PreparedCommit>
  add(keyPackages: readonly Uint8Array[], change?: StateChange): Promise<PreparedCommit>
  remove(devices: readonly string[], change?: StateChange): Promise<PreparedCommit>
  /** New keys for this device: what was stolen of it opens nothing that comes after. */
  update(renew?: DeviceCredential): Promise<PreparedCommit>
  /** The server put our commit in its place. */
  accept(): Promise<AppliedCommit>
  /** The server put another one there, or refused ours. */
  discard(): Promise<void>
  process(commit: Uint8Array): Promise<CommitOutcome>

  encrypt(content: Uint8Array): Promise<Uint8Array>
  decrypt(message: Uint8Array): Promise<MessageOutcome>
  exportKey(label: string, context: Uint8Array, length: number): Promise<Uint8Array>
  /** The same for all members of the epoch, for nobody else: compared by people, it shows a fork. 64 hex. */
  safetyCode(): string
  /** What a device of a member needs to join by itself. Encrypted by the engine, for members alone. */
  groupInfo(): Promise<Uint8Array>
  /** The whole record as bytes: what `load` takes. */
  save(): Uint8Array
}

/** Where a conversation is kept. Each call returns when a power cut cannot take back what it wrote. */
export interface CipherStore {
  /** Replaces the record of a conversation and empties its journal, in one step. */
  saveRecord(group: Digest, record: Uint8Array): Promise<void>
  /** Adds one entry to the journal of a conversation. */
  appendJournal(group: Digest, entry: Uint8Array): Promise<void>
}

export interface StoredGroup {
  readonly record: Uint8Array
  /** Oldest first. */
  readonly journal: readonly Uint8Array[]
}
