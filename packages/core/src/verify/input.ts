/** What a verifier is given: everything that was fetched, and the time. It fetches nothing itself. SPEC §6. */
import type { Code } from "../codes.ts"
import type { ChainHead, SigchainEvent } from "../envelope/envelope.ts"
import type { ChainMark, Evidence } from "./verdict.ts"

/** A text from the account's own place. */
export interface Candidate {
  readonly text: string
  readonly foundAt: string
}

/** What the account's own place answered. [VER-12] */
export type Publication =
  | {
      readonly status: "found"
      readonly candidates: readonly Candidate[]
      readonly accountId?: string
      readonly evidence?: readonly Evidence[]
    }
  /** The texts come from elsewhere: the place was not looked at. */
  | { readonly status: "unchecked"; readonly candidates: readonly Candidate[] }
  | { readonly status: "absent"; readonly evidence?: readonly Evidence[] }
  | { readonly status: "refused"; readonly code: Code; readonly evidence?: readonly Evidence[] }
  | {
      readonly status: "unreachable"
      readonly code: Code
      readonly retryAfterSeconds?: number
      readonly evidence?: readonly Evidence[]
    }

/** What one source of chains answered. */
export interface ChainSource {
  readonly name: string
  readonly kind: "local" | "store" | "hint" | "other"
  /** Whether its silence matters. [VER-6] */
  readonly expected: boolean
  readonly outcome: "found" | "absent" | "failed"
  /** Events served, of any chains, before the first fault. */
  readonly events?: readonly SigchainEvent[]
  readonly heads?: readonly ChainHead[]
  /** Why it failed, or why its document was refused. */
  readonly code?: Code
}

/** What the reader saw at the last verification of the account that ended `valid`. [VER-9] */
export interface SeenAccount {
  readonly accountId: string
  /** Key identity of the primary that proved it. */
  readonly primary: string
}

export interface VerifyInput {
  /** The identity that was asked about, as typed; absent for a file, whose claim names its own. */
  readonly subject?: string
  /** The key identity that the reader expects. */
  readonly primary?: string
  readonly publication: Publication
  readonly chains: readonly ChainSource[]
  readonly marks?: readonly ChainMark[]
  readonly seen?: SeenAccount
  /** Unix seconds. */
  readonly now: number
  readonly requireChain?: boolean
  readonly requireFresh?: boolean
}
