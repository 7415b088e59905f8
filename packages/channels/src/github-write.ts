/** Requests to GitHub's REST API that need a token, and what their refusals mean. SPEC §7.3 [GH-9]. */
import { KezError } from "@kez/core"
import type { Net } from "./channel.ts"
import type { Method } from "./exchange.ts"
import type { FetchAnswer } from "./fetch-answer.ts"
import { parseForeign, textAt } from "./foreign-json.ts"
import { apiHeaders, apiUrl, isSameLogin, limitOf, type Owner, readOwner, shownName } from "./github-api.ts"
import { type Gist, readGist } from "./github-gists.ts"
import { readNext } from "./github-list.ts"
import { githubLimits } from "./limits.ts"
import { RateLimitError } from "./rate-limit.ts"

const scopeHint = "The token needs the scope gist: gh auth refresh -s gist, or make one at github.com/settings/tokens."
const permissionHint = "A fine-grained token needs the account permission Gists: read and write."
/** Tokens are short and plain; anything else was never one, and may be another secret pasted by mistake. */
const tokenForm = /^[\x21-\x7e]{1,255}$/

/** Who asks, and as whom. */
export interface Session {
  readonly net: Net
  readonly token: string
  readonly signal: AbortSignal
}

export interface Sent {
  readonly method?: Method
  readonly body?: unknown
  readonly maxWireBytes?: number
  readonly maxBodyBytes?: number
}

/** Throws `publish.credentials` for no token, or a text that is none. */
export function assertToken(secret: string | undefined): string {
  if (secret !== undefined && tokenForm.test(secret)) return secret
  throw new KezError("publish.credentials", "Cannot write at GitHub: expected a token in plain ASCII")
}

/** Sends one request. Throws `publish.credentials`, `publish.refused`, `net.*`; never with the token in it. */
export async function send({ net, token, signal }: Session, url: string, sent: Sent = {}): Promise<FetchAnswer> {
  const { method = "GET", body, ...limits } = sent
  const bytes = body === undefined ? {} : { body: new TextEncoder().encode(JSON.stringify(body)) }
  const json = body === undefined ? {} : { "content-type": "application/json" }
  const headers = { ...apiHeaders(token), ...json }
  const answer = await net.fetch(url, { signal, method, headers, ...bytes, ...limits, sameHost: true })
  if (answer.status >= 200 && answer.status < 300) return answer
  throw refusalOfWrite(answer)
}

function refusalOfWrite(answer: FetchAnswer): KezError {
  const { status, headers } = answer
  const wait = limitOf(answer)
  if (wait !== undefined) return new RateLimitError("api.github.com", wait)
  const scopes = headers["x-oauth-scopes"]?.split(",").map((scope) => scope.trim())
  if (status === 401) {
    return new KezError("publish.credentials", "Cannot write at GitHub: it does not accept the token (HTTP 401)", {
      hint: "Log in again with gh auth login, or make a new token.",
    })
  }
  // GitHub answers 404, not 403, to an OAuth token without the scope.
  if ((status === 403 || status === 404) && !scopes?.includes("gist")) {
    const hint = scopes === undefined ? permissionHint : scopeHint
    return new KezError(
      "publish.credentials",
      `Cannot write at GitHub: the token may not write gists (HTTP ${status})`,
      {
        hint,
      },
    )
  }
  if (status >= 500) return new KezError("net.status", `Cannot write at GitHub: it answered HTTP ${status}`)
  return new KezError("publish.refused", `Cannot write at GitHub: it answered HTTP ${status}${messageOf(answer)}`)
}

function messageOf(answer: FetchAnswer): string {
  try {
    const message = textAt(parseForeign(answer), "message")
    return message === undefined ? "" : `, “${shownName(message)}”`
  } catch {
    return ""
  }
}

/** The account of the token. Throws `publish.credentials` unless it is the login's. */
export async function signIn(session: Session, login: string): Promise<Owner> {
  const owner = readOwner(parseForeign(await send(session, `${apiUrl}/user`)))
  if (owner !== undefined && isSameLogin(owner.login, login)) return owner
  const got = owner === undefined ? "none" : owner.login
  throw new KezError("publish.credentials", `Cannot write as github:${login}: the token is that of ${got}`, {
    hint: `Log in as ${login}: gh auth switch, or give a token of that account.`,
  })
}

/** Gists of the token's account, secret ones too, newest first. */
export async function listOwnGists(session: Session, owner: Owner): Promise<readonly Gist[]> {
  const gists: Gist[] = []
  let url: string | undefined = `${apiUrl}/gists?per_page=100`
  for (let page = 0; page < githubLimits.maxPages && url !== undefined; page += 1) {
    const { maxListWireBytes: maxWireBytes, maxListBodyBytes: maxBodyBytes } = githubLimits
    const answer: FetchAnswer = await send(session, url, { maxWireBytes, maxBodyBytes })
    const value = parseForeign(answer)
    for (const one of Array.isArray(value) ? value : []) {
      const gist = readGist(one)
      if (gist !== undefined && gist.owner.id === owner.id) gists.push(gist)
    }
    url = readNext(answer.headers["link"])
  }
  return gists.toSorted((a, b) => b.updatedAt - a.updatedAt)
}
