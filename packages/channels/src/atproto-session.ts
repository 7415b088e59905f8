/**
 * A session at the server of an atproto account: opened with a password, closed afterwards whatever happens. SPEC §7.5.
 * The password goes to the server that the account's own document names, and nowhere else.
 */
import { KezError } from "@kez/core"
import type { AtprotoAccount } from "./atproto-account.ts"
import { callXrpc, type XrpcAnswer } from "./atproto-xrpc.ts"
import type { Net } from "./channel.ts"
import { textAt, valueAt } from "./foreign-json.ts"
import { RateLimitError } from "./rate-limit.ts"

export interface Session {
  readonly account: AtprotoAccount
  readonly net: Net
  readonly signal: AbortSignal
  /** Calls a procedure. Throws `publish.refused` or `net.*`; the refusals named in `allowed` are returned. */
  send(method: string, body: unknown, allowed?: readonly string[]): Promise<XrpcAnswer>
}

export interface SessionRequest {
  readonly account: AtprotoAccount
  readonly password: string | undefined
  readonly net: Net
  readonly signal: AbortSignal
}

interface Tokens {
  readonly access: string
  readonly refresh: string
}

/** Runs a task in a session. Throws `publish.credentials`, `publish.refused`, `net.*`, and what the task throws. */
export async function withSession<T>(request: SessionRequest, run: (session: Session) => Promise<T>): Promise<T> {
  const { account, net, signal } = request
  const { access, refresh } = await openSession(request)
  const send: Session["send"] = async (method, body, allowed = []) => {
    const got = await callXrpc({ origin: account.pds, method, body, token: access }, net, signal)
    if (got.answer.status !== 200 && !allowed.includes(got.error ?? "")) throw refusalOf(got, account)
    return got
  }
  try {
    return await run({ account, net, signal, send })
  } finally {
    await closeSession(account.pds, refresh, net)
  }
}

async function openSession({ account, password, net, signal }: SessionRequest): Promise<Tokens> {
  const { did, handle, pds } = account
  if (password === undefined || password === "") throw credentials(`expected an app password of ${handle}, got none`)
  const body = { identifier: did, password }
  const got = await callXrpc({ origin: pds, method: "com.atproto.server.createSession", body }, net, signal)
  if (got.answer.status === 401) {
    const isFactor = got.error === "AuthFactorTokenRequired"
    throw isFactor
      ? credentials(`expected an app password, got the main password, which needs a code by mail`)
      : got.error === "AccountTakedown"
        ? refusalOf(got, account)
        : credentials(`expected an app password of ${handle} at ${new URL(pds).host}, got another`)
  }
  if (got.answer.status !== 200) throw refusalOf(got, account)
  const tokens = readTokens(got.body)
  if (tokens === undefined)
    throw new KezError("publish.refused", `Cannot sign in at ${new URL(pds).host}: expected a session`)
  if (textAt(got.body, "did") === did && valueAt(got.body, "active") !== false) return tokens
  await closeSession(pds, tokens.refresh, net)
  if (textAt(got.body, "did") !== did) throw credentials(`expected a session of ${did}, got one of another account`)
  throw new KezError("publish.refused", `Cannot publish to ${handle}: expected an active account`)
}

/** Header values only: a token with a line break in it could add headers. */
function readTokens(body: unknown): Tokens | undefined {
  const access = textAt(body, "accessJwt") ?? ""
  const refresh = textAt(body, "refreshJwt") ?? ""
  const isToken = (text: string) => /^[\x21-\x7e]{1,8192}$/.test(text)
  return isToken(access) && isToken(refresh) ? { access, refresh } : undefined
}

/** Also after the caller gave up: a session that nobody needs must not stay open. Its failure changes nothing. */
async function closeSession(pds: string, token: string, net: Net): Promise<void> {
  try {
    await callXrpc({ origin: pds, method: "com.atproto.server.deleteSession", token }, net)
  } catch (error) {
    if (!(error instanceof KezError)) throw error
  }
}

/** What a refused call means. The server's own sentence is left out: it could hold what was sent. */
export function refusalOf({ answer, error }: XrpcAnswer, { pds, handle }: AtprotoAccount): KezError {
  const { host } = new URL(pds)
  const { status, retryAfterSeconds } = answer
  if (status === 429) {
    if (retryAfterSeconds !== undefined) return new RateLimitError(host, retryAfterSeconds)
    return new KezError("net.rate_limit", `Cannot write to ${host}: it asked to wait`)
  }
  if (status >= 500) return new KezError("net.status", `Cannot write to ${host}: expected HTTP 200, got ${status}`)
  const name = error !== undefined && /^[A-Za-z]{1,40}$/.test(error) ? ` ${error}` : ""
  return new KezError("publish.refused", `Cannot publish to ${handle}: ${host} refused with HTTP ${status}${name}`)
}

function credentials(got: string): KezError {
  return new KezError("publish.credentials", `Cannot sign in: ${got}`, {
    hint: "Make an app password in the settings of Bluesky, under privacy and security.",
  })
}
