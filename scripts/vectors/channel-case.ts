/** One case of vectors/channel-*.json: what the account's place answers, and what a channel makes of it. SPEC §7. */
import type { VectorCase } from "./vector-file.ts"

/** What stands at a URL; a JSON value as body is sent as application/json. Members as in packages/channels/test/support/table-net.ts. */
export interface WebAnswer {
  readonly url: string
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly finalUrl?: string
}

export interface ChannelInput {
  readonly value: string
  readonly known_account_id?: string
  /** Unix seconds. */
  readonly claimed_at?: number
  readonly web?: readonly WebAnswer[]
  /** Names that are not there do not exist. */
  readonly txt?: Readonly<Record<string, readonly string[]>>
  readonly relays?: ReadonlyArray<{
    readonly url: string
    readonly events?: readonly unknown[]
    readonly ends?: string
  }>
}

export interface ChannelExpect {
  readonly status: "found" | "absent" | "invalid" | "unreachable"
  readonly code: string | null
  readonly account_id?: string
  readonly retry_after_seconds?: number
  readonly candidates?: ReadonlyArray<{ readonly text: string; readonly found_at: string }>
  readonly chain_hints?: readonly string[]
  readonly notes?: readonly string[]
}

export function channelCase(id: string, why: string, input: ChannelInput, expect: ChannelExpect): VectorCase {
  return { id, why, input, expect }
}

/** What is found, with its place. */
export function found(
  account_id: string | undefined,
  candidates: ReadonlyArray<readonly [text: string, found_at: string]>,
  chain_hints: readonly string[] = [],
): ChannelExpect {
  return {
    status: "found",
    code: null,
    ...(account_id === undefined ? {} : { account_id }),
    candidates: candidates.map(([text, found_at]) => ({ text, found_at })),
    chain_hints,
  }
}

/** Nothing there, by answer of the place. */
export function absent(...notes: readonly string[]): ChannelExpect {
  return { status: "absent", code: "proof.not_found", ...(notes.length === 0 ? {} : { notes }) }
}

export function invalid(code: string, ...notes: readonly string[]): ChannelExpect {
  return { status: "invalid", code, ...(notes.length === 0 ? {} : { notes }) }
}

export function unreachable(code: string, ...notes: readonly string[]): ChannelExpect {
  return { status: "unreachable", code, ...(notes.length === 0 ? {} : { notes }) }
}
