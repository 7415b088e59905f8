/**
 * What a publisher is: the way a proof gets to the place that its channel looks at, and away from there again. SPEC §7.
 * It writes with the owner's own credentials, which it never puts into a message, an evidence or an error.
 */
import { KezError } from "@kez/core"
import type { Net } from "./channel.ts"

/** What the place asks of the owner. `key`: the signer of a nostr identity. */
export type CredentialKind = "token" | "password" | "key"

export interface Credentials {
  /** An access token, or an app password. */
  readonly secret?: string
  /** Signs as the account itself, where the account is a key. Returns 64 bytes over SHA-256 of the bytes (BIP-340). */
  readonly sign?: (bytes: Uint8Array) => Promise<Uint8Array>
}

/** The forms of one proof that a place may take. */
export type PublishForm = "markdown" | "compact" | "reference"

/** A place of an account in which a proof can stand. */
export interface PublishPlace {
  /** As typed: `gist`, `profile`, `post`, `field`. */
  readonly name: string
  /** One line for help. */
  readonly about: string
  /** Which text goes there. A reference needs the account in the chain. */
  readonly form: PublishForm
  /** Whether a line `Chain: https://…` below the proof has room there; Markdown always holds it within. */
  readonly takesHint?: boolean
}

/** What both requests say about the account. */
interface AccountRequest {
  /** The canonical identity value. */
  readonly value: string
  /** The permanent number that the owner's chain names. Where the name leads to another account now, no secret is sent there. */
  readonly knownAccountId?: string | undefined
}

export interface PublishRequest extends AccountRequest {
  readonly place: PublishPlace
  readonly credentials: Credentials
  /**
   * The proof in the form of the place, with a hint below it where that was asked for. Called once, after the credentials proved to be the account's and before anything is
   * written: a wrong password must leave no claim and no event behind. `accountId` is the permanent number, as the channel names it.
   */
  makeText(accountId: string): Promise<string>
}

export interface UnpublishRequest extends AccountRequest {
  readonly credentials: Credentials
  /** Whether a text holds a proof of the owner's: nothing else is touched. */
  isOurs(text: string): boolean
}

/** Throws `account.changed` where the name leads to another account than the owner's chain says: whoever took it over would get the secret. */
export function assertKnownAccount(
  subject: string,
  { knownAccountId }: Pick<AccountRequest, "knownAccountId">,
  accountId: string,
): void {
  if (knownAccountId === undefined || knownAccountId === accountId) return
  throw new KezError(
    "account.changed",
    `Cannot write as ${subject}: your chain names the account ${knownAccountId}, and the name leads to ${accountId}`,
    { hint: `If the new account is yours too: --accept-new-account\nIf it is not: kez sigchain revoke ${subject}` },
  )
}

/** What one place said: of several relays each says its own. */
export interface PlaceOutcome {
  /** A URL that a person can look at. */
  readonly url: string
  readonly accepted: boolean
  /** One sentence, such as the reason of a refusal. */
  readonly note?: string
  /** Whether it had the very same before. */
  readonly had?: boolean
}

/** The note of a place that needed no change. */
export const unchangedNote = "it stood there already"

export interface PublishResult {
  /** At least one; for `publish` at least one accepted, else it throws. */
  readonly outcomes: readonly PlaceOutcome[]
}

export interface Publisher {
  readonly system: string
  readonly credential: CredentialKind
  /** The first is the usual one. */
  readonly places: readonly PublishPlace[]
  /**
   * Writes or replaces the proof. Throws KezError `account.changed` (before any secret is sent), `publish.credentials` (wrong, or of another account),
   * `publish.refused` (the place said no, and why), `publish.too_long`, or `net.*`.
   */
  publish(request: PublishRequest, net: Net, signal: AbortSignal): Promise<PublishResult>
  /** Removes every proof of the owner's from all its places; no outcomes where there was none. Throws as `publish`. */
  unpublish(request: UnpublishRequest, net: Net, signal: AbortSignal): Promise<PublishResult>
}
