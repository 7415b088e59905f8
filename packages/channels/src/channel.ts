/**
 * What a channel is: a place of an account's own, from which proofs are collected. SPEC §7.
 * A channel finds candidates and says what it saw; one verifier, in core, decides.
 */
import type { Code } from "@kez/core"
import type { FetchOptions } from "./fetch.ts"
import type { FetchAnswer } from "./fetch-answer.ts"
import type { TxtAnswer } from "./resolver.ts"

/** A text that may be a proof, as it stood in the account's own place. */
export interface Candidate {
  readonly text: string
  /** A URL or DNS name that a person can look at. */
  readonly foundAt: string
}

/** One look at one place. */
export interface Evidence {
  /** A web URL, or the RFC 4501 URI of a DNS look-up: `dns:_kez.example.com?type=TXT`. */
  readonly url: string
  /** Unix seconds. */
  readonly fetchedAt: number
  /** The HTTP status, where there was one. */
  readonly status?: number
  /** Lower-case hex over the bytes found. */
  readonly sha256?: string
  /** One sentence for the owner: the nearest thing found, or what looks wrong. */
  readonly note?: string
  readonly code?: Code
  readonly retryAfterSeconds?: number
}

/**
 * What a look at the account's place gave. `absent` and `invalid` are answers; `unreachable` is none,
 * and must never turn a person red. Evidence stands in the order of the looks.
 */
export type Publication =
  | {
      readonly status: "found"
      /** At least one. */
      readonly candidates: readonly Candidate[]
      /** `https:` URLs of sigchains that stand beside the proofs. */
      readonly chainHints: readonly string[]
      /** The account's permanent number, where the channel has one. */
      readonly accountId?: string
      readonly evidence: readonly Evidence[]
    }
  | { readonly status: "absent"; readonly code: "proof.not_found"; readonly evidence: readonly Evidence[] }
  | { readonly status: "invalid"; readonly code: Code; readonly evidence: readonly Evidence[] }
  | {
      readonly status: "unreachable"
      readonly code: Code
      readonly evidence: readonly Evidence[]
      readonly retryAfterSeconds?: number
    }

/** Places that a reader may choose. Base URLs of platforms are chosen by `hosts`, DNS servers by the resolver. */
export interface ChannelSettings {
  /** `wss:` URLs of nostr relays. */
  readonly relays: readonly string[]
  /** Sent to api.github.com alone, and never needed. */
  readonly githubToken?: string
}

export interface SocketOptions {
  readonly signal: AbortSignal
}

/** A WebSocket of text messages. */
export interface MessageSocket {
  /** Throws KezError `net.refused` when it is closed. */
  send(text: string): void
  /** What arrives, in order; ends when the other side closes. Throws KezError `net.*`, `limit.body`, or the signal's reason. */
  messages(): AsyncIterable<string>
  /** Ends the connection at once. */
  close(): void
}

export interface StreamOptions {
  /** Ends the stream at any time. */
  readonly signal: AbortSignal
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>
  /** Media types without parameters; a 2xx answer of another type is refused. */
  readonly accept?: readonly string[]
  /** As for a fetch. */
  readonly isChosen?: boolean
}

/** A text that comes line by line for as long as somebody reads it. */
export interface LineStream {
  readonly status: number
  /** How long the place asks to wait, where it does. */
  readonly retryAfterSeconds?: number
  /**
   * Lines without their ends (LF or CR LF), in order; none where the status is not 200. Ends when the other side does.
   * Throws KezError `net.*`, `limit.body`, `text.utf8`, or the signal's reason.
   */
  lines(): AsyncIterable<string>
  /** Ends the connection at once. */
  close(): void
}

/** The network as a channel sees it. `createNet` makes the guarded one; tests hand in their own. */
export interface Net {
  /** Throws KezError `net.dns`, `net.timeout` or `net.refused` when no server gave an answer. */
  resolveTxt(name: string, signal: AbortSignal): Promise<TxtAnswer>
  /** Throws KezError `net.*`, `limit.body` when there is no answer that may be used. */
  fetch(url: string, options: FetchOptions): Promise<FetchAnswer>
  /** Opens a WebSocket to a `wss:` URL under the same guard as `fetch`. Throws KezError `net.*`. */
  openSocket(url: string, options: SocketOptions): Promise<MessageSocket>
  /** Follows a text under the same guard as `fetch`, without an end to its time. Throws KezError `net.*`. */
  openStream(url: string, options: StreamOptions): Promise<LineStream>
  /** Unix seconds. */
  now(): number
  readonly settings: ChannelSettings
}

/** What the asker knows already. None of it decides: it finds renamed accounts and explains missing proofs. */
export interface LookOptions {
  readonly signal: AbortSignal
  /** The permanent number at the last verification, or in the account's chain. */
  readonly knownAccountId?: string | undefined
  /** When the owner, on this computer, made the newest claim for the account. Unix seconds. */
  readonly claimedAt?: number | undefined
}

/** Whether a platform works, told by something that is always there. */
export interface Health {
  readonly ok: boolean
  readonly evidence: Evidence
}

/** The thing that is always there: when even that is missing, nobody's missing proof means anything. */
export interface Canary {
  /** What is looked at for accounts like this one, as people would name it. Equal texts are one canary. */
  nameFor(value: string, net: Net): string
  /** Throws only the signal's reason. */
  check(name: string, net: Net, signal: AbortSignal): Promise<Health>
}

export interface Channel {
  /** The part of an identity before the colon. */
  readonly system: string
  /**
   * Looks at the place of the canonical identity value.
   * Throws only the signal's reason, when the caller gave up.
   */
  collect(value: string, net: Net, options: LookOptions): Promise<Publication>
  readonly canary: Canary
}
