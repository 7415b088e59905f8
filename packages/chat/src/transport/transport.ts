/** The way to the chat server over its broker. NATS in the product; a model in tests. */
import type { BrokerDevice } from "@kez/core"
import type { CommandAnswers, Operation } from "../wire/commands.ts"

export interface TransportEvents {
  /** Connected, or connected anew: a session is to be opened. */
  readonly online: () => void
  /** It tries again by itself. `isRefused`: the broker said *Authorization Violation*, which means try again, never revoked. */
  readonly offline: (reason: string, isRefused: boolean) => void
  /** Something came on `live`: kept nowhere, believed in nothing. */
  readonly live: (topic: string, bytes: Uint8Array) => void
}

export interface StartTransport {
  readonly device: BrokerDevice
  /** Makes the token of one connection from the broker's nonce. Synchronous. Throws `auth.missing`. */
  readonly token: (nonce: string | undefined) => string
  readonly on: TransportEvents
}

/** One message of the mailbox. */
export interface MailboxItem {
  /** Place in the mailbox: the cursor after it. */
  readonly seq: number
  readonly bytes: Uint8Array
}

export interface Transport {
  /** Begins to connect, and goes on until `close`. Resolves at once. */
  start(options: StartTransport): Promise<void>
  /** Throws `net.timeout`, `broker.refused` or `net.refused` where nothing answers. */
  request(operation: Operation, request: Uint8Array): Promise<Uint8Array>
  /** What is in the mailbox after the cursor of the session, then what comes. Ends when the connection or the reader is gone. */
  mailbox(session: CommandAnswers["session"]): AsyncIterable<MailboxItem>
  close(): Promise<void>
}
