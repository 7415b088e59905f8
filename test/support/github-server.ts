/**
 * A server on loopback that answers as api.github.com and gist.githubusercontent.com do, from recorded shapes.
 * Real HTTP: pagination, ETags, rate limit, redirects of renamed repositories, writes with tokens and scopes.
 */
import { createHash } from "node:crypto"
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http"
import { buffer } from "node:stream/consumers"
import { setTimeout as wait } from "node:timers/promises"
import { gzipSync } from "node:zlib"
import { answerApi } from "./github-routes.ts"
import { type GithubGist, type GithubRepo, type GithubUser, rawPathOf } from "./github-shapes.ts"

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** A JSON value, or bytes that are sent as they are. */
  readonly body?: unknown
}

export interface Asked {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly host: "api" | "raw"
  readonly authorization: string | undefined
}

export interface GithubToken {
  /** Number of the account. */
  readonly user: number
  /** Undefined: a fine-grained token, of which no scopes are told. */
  readonly scopes?: readonly string[]
}

/** What there is; tests change it as people do. */
export interface GithubWorld {
  readonly users: GithubUser[]
  readonly gists: GithubGist[]
  readonly repos: GithubRepo[]
  readonly tokens: Readonly<Record<string, GithubToken>>
}

export interface GithubServerOptions extends Partial<GithubWorld> {
  /** Requests without a token, until `rateLimitReset`. 60 unless given. */
  readonly anonymousLimit?: number
  /** Unix seconds; an hour from the start unless given. */
  readonly rateLimitReset?: number
  /** Waited before every answer. */
  readonly latencyMs?: number
  /** Unix seconds of what is written. */
  readonly now?: () => number
  /** Answers instead of GitHub, for bad days; undefined leaves it to GitHub. */
  readonly instead?: (asked: Asked) => Reply | undefined
}

export interface GithubServer {
  readonly world: GithubWorld
  /** As `createNet` takes them. */
  readonly hosts: Readonly<Record<"api.github.com" | "gist.githubusercontent.com", string>>
  /** Every request so far. */
  readonly asked: readonly Asked[]
  /** Answers of 304 so far. */
  readonly notModified: number
  /** The most requests that were open at once, at either host. */
  readonly mostAtOnce: number
  forgetRequests(): void
  close(): Promise<void>
}

export async function startGithubServer(options: GithubServerOptions = {}): Promise<GithubServer> {
  const { users = [], gists = [], repos = [], tokens = {} } = options
  const world: GithubWorld = { users: [...users], gists: [...gists], repos: [...repos], tokens }
  const asked: Asked[] = []
  const open = { api: 0, raw: 0 }
  let mostAtOnce = 0
  let notModified = 0
  const limit = createLimit(options)

  function listener(host: Asked["host"]): RequestListener {
    return async (request, response) => {
      open[host] += 1
      mostAtOnce = Math.max(mostAtOnce, open[host])
      response.on("close", () => {
        open[host] -= 1
        if (response.statusCode === 304) notModified += 1
      })
      const { method = "GET", url: path = "/", headers } = request
      const one: Asked = { method, path, host, authorization: headers.authorization }
      asked.push(one)
      const body = await buffer(request)
      if (options.latencyMs !== undefined) await wait(options.latencyMs)
      const instead = options.instead?.(one)
      if (instead !== undefined) reply(request, response, instead)
      else if (host === "raw") reply(request, response, answerRaw(world, path))
      else
        reply(
          request,
          response,
          limit(one, world, () => answerApi(world, one, body, options.now)),
        )
    }
  }

  const servers = [createServer(listener("api")), createServer(listener("raw"))] as const
  const [api, raw] = await Promise.all([listen(servers[0]), listen(servers[1])])
  return {
    world,
    hosts: { "api.github.com": api, "gist.githubusercontent.com": raw },
    asked,
    get notModified() {
      return notModified
    },
    get mostAtOnce() {
      return mostAtOnce
    },
    forgetRequests() {
      asked.length = 0
    },
    async close() {
      for (const server of servers) server.closeAllConnections()
      await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))))
    },
  }
}

/** The primary limit: as many as the options say without a token, 5,000 with one; every answer counts. */
function createLimit({ anonymousLimit = 60, rateLimitReset }: GithubServerOptions) {
  const reset = String(rateLimitReset ?? Math.floor(Date.now() / 1000) + 3_600)
  const used = new Map<string, number>()
  return ({ authorization }: Asked, { tokens }: GithubWorld, answer: () => Reply): Reply => {
    const token = authorization?.replace(/^(?:Bearer|token) /i, "")
    const isKnown = token !== undefined && Object.hasOwn(tokens, token)
    if (token !== undefined && !isKnown) return { status: 401, body: { message: "Bad credentials", status: "401" } }
    const most = isKnown ? 5_000 : anonymousLimit
    const before = used.get(token ?? "") ?? 0
    const count = Math.min(before + 1, most)
    used.set(token ?? "", count)
    const headers = {
      "x-ratelimit-limit": String(most),
      "x-ratelimit-remaining": String(most - count),
      "x-ratelimit-used": String(count),
      "x-ratelimit-reset": reset,
      "x-ratelimit-resource": "core",
      ...scopesOf(isKnown ? tokens[token] : undefined),
    }
    if (before >= most) return { status: 403, headers, body: { message: "API rate limit exceeded for 203.0.113.7." } }
    const given = answer()
    return { ...given, headers: { ...headers, ...given.headers } }
  }
}

function scopesOf(token: GithubToken | undefined): Record<string, string> {
  if (token?.scopes === undefined) return {}
  return { "x-oauth-scopes": token.scopes.join(", "), "x-accepted-oauth-scopes": "" }
}

/** One version of one file, as plain text whatever its name. */
function answerRaw({ users, gists }: GithubWorld, path: string): Reply {
  for (const gist of gists) {
    const owner = users.find(({ id }) => id === gist.owner)
    const found = Object.entries(gist.files).find(
      ([name, content]) => owner !== undefined && rawPathOf(owner.login, gist, name, content) === path,
    )
    const headers = { "content-type": "text/plain; charset=utf-8", "cache-control": "max-age=300" }
    if (found !== undefined) return { status: 200, headers, body: Buffer.from(found[1]) }
  }
  return { status: 404, headers: { "content-type": "text/plain; charset=utf-8" }, body: Buffer.from("404: Not Found") }
}

function reply(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Reply): void {
  const isBytes = body instanceof Uint8Array
  const bytes = body === undefined ? Buffer.alloc(0) : isBytes ? Buffer.from(body) : Buffer.from(JSON.stringify(body))
  const etag = `W/"${createHash("sha256").update(bytes).digest("hex")}"`
  response.setHeader("server", "github.com")
  response.setHeader("x-github-media-type", "github.v3; format=json")
  if (!isBytes && body !== undefined) response.setHeader("content-type", "application/json; charset=utf-8")
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value)
  if (status === 200) {
    response.setHeader("etag", etag)
    response.setHeader("vary", "Accept,Authorization,Cookie,X-GitHub-OTP,Accept-Encoding")
    if (request.headers["if-none-match"] === etag) {
      response.writeHead(304).end()
      return
    }
  }
  const isZipped = bytes.length > 1_000 && /\bgzip\b/.test(String(request.headers["accept-encoding"]))
  if (isZipped) response.setHeader("content-encoding", "gzip")
  response.writeHead(status).end(isZipped ? gzipSync(bytes) : bytes)
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
}
