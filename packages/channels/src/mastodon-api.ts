/** Mastodon's API with the owner's access token, as other servers offer it too. SPEC §7.6. */
import { KezError } from "@kez/core"
import type { Net } from "./channel.ts"
import type { Method } from "./exchange.ts"
import { integerAt, parseForeign, textAt } from "./foreign-json.ts"
import { RateLimitError } from "./rate-limit.ts"

export interface MastodonApi {
  readonly host: string
  /**
   * Sends a form and returns the JSON of the answer; undefined for a 404. Throws KezError `publish.credentials`,
   * `publish.refused` with the server's reason, `net.*`.
   */
  call(method: Method, path: string, form?: Readonly<Record<string, string>>): Promise<unknown>
}

/** What a server allows; Mastodon's own limits where it does not say. In characters. */
export interface InstanceLimits {
  readonly fields: number
  readonly fieldChars: number
  readonly bioChars: number
  readonly postChars: number
}

const maxReasonChars = 200
const json = ["application/json"]

/** The token goes to this host and nowhere else: a redirect is refused. */
export function createMastodonApi(
  { host, token }: { readonly host: string; readonly token: string },
  net: Net,
  signal: AbortSignal,
): MastodonApi {
  return {
    host,
    async call(method, path, form) {
      const body = form === undefined ? undefined : new TextEncoder().encode(new URLSearchParams(form).toString())
      const answer = await net.fetch(`https://${host}${path}`, {
        signal,
        method,
        accept: json,
        sameHost: true,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
        },
        ...(body === undefined ? {} : { body }),
      })
      const { status } = answer
      if (status === 200) return parseForeign(answer)
      if (status === 404) return undefined
      if (status === 429) throw new RateLimitError(host, answer.retryAfterSeconds ?? 60)
      if (status === 401 || status === 403) {
        throw new KezError("publish.credentials", `Cannot publish at ${host}: it does not accept the token for this`, {
          hint: "The token needs the scopes read:accounts, read:statuses, write:accounts and write:statuses.",
        })
      }
      if (status < 400 || status >= 500) {
        throw new KezError("net.status", `Cannot publish at ${host}: expected an answer, got HTTP ${status}`)
      }
      throw new KezError("publish.refused", `Cannot publish at ${host}: ${readReason(answer, token)}`)
    },
  }
}

/** The limits of the instance, by version 2 of its API or by version 1. Throws as `call`. */
export async function readLimits(api: MastodonApi): Promise<InstanceLimits> {
  const instance = (await api.call("GET", "/api/v2/instance")) ?? (await api.call("GET", "/api/v1/instance"))
  const at = (fallback: number, ...path: readonly string[]) => integerAt(instance, ...path) ?? fallback
  const pleroma = ["pleroma", "metadata", "fields_limits"]
  return {
    fields: at(at(4, ...pleroma, "max_fields"), "configuration", "accounts", "max_profile_fields"),
    fieldChars: at(at(255, ...pleroma, "value_length"), "configuration", "accounts", "profile_field_value_limit"),
    bioChars: at(500, "configuration", "accounts", "max_note_length"),
    postChars: at(at(500, "max_toot_chars"), "configuration", "statuses", "max_characters"),
  }
}

/** The server's own sentence, without the token, should it repeat that. */
function readReason(answer: Awaited<ReturnType<Net["fetch"]>>, token: string): string {
  let reason: string | undefined
  try {
    reason = textAt(parseForeign(answer), "error")
  } catch (error) {
    if (!(error instanceof KezError)) throw error
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  const plain = reason?.replaceAll(token, "…").replaceAll(/[\x00-\x1f\x7f-\x9f]/g, " ")
  return plain === undefined ? `it answered HTTP ${answer.status}` : plain.slice(0, maxReasonChars)
}
