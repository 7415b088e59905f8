/** WebFinger (RFC 7033) and NIP-05: how other software finds an account. */
import { formatHex, KezError, parseKeyIdentity, publicKeyBytes } from "@kez/core"
import { didKeyOf, parseHandle } from "@kez/core/directory"
import { Problem } from "@kez/server"
import type { HandleView } from "../directory/service.ts"
import { strictQuery } from "../query.ts"
import type { Deps, Route } from "../route.ts"
import * as schemas from "../schemas.ts"

interface Link {
  readonly rel: string
  readonly type?: string
  readonly href: string
}

export function webFinger({ directory, domain, baseUrl }: Deps): Route {
  return {
    doc: {
      method: "GET",
      url: "/.well-known/webfinger",
      operation: "webfinger",
      summary: "An account by acct:HANDLE@HOST or by the URL of its page (RFC 7033)",
      query: schemas.object({ resource: { type: "string" }, rel: { type: "string" } }, ["resource"]),
      answers: {
        200: { description: "What is known about it", type: "application/jrd+json", schema: schemas.jrd },
        ...schemas.refusals(404),
      },
    },
    async handle(request, reply) {
      const query = strictQuery(request)
      const [resource, ...more] = query.get("resource") ?? []
      if (resource === undefined || resource === "" || more.length > 0) throw badResource("exactly one resource")
      const handle = handleOf(resource, { domain, baseUrl })
      const view = handle === undefined ? undefined : await directory.find(handle)
      if (view === undefined || view.row.state !== "registered") {
        throw new Problem({ status: 404, code: "store.unknown", detail: "There is no such account here" })
      }
      const wanted = query.get("rel")
      const links = linksOf(view, baseUrl).filter(({ rel }) => wanted === undefined || wanted.includes(rel))
      const jrd = {
        subject: `acct:${view.row.handle}@${domain}`,
        aliases: aliasesOf(view, baseUrl),
        properties: propertiesOf(view),
        links,
      }
      reply.headers({ "content-type": "application/jrd+json", "cache-control": "max-age=60" })
      // As bytes: behind the type of a text the framework would write a charset, which this one does not have.
      return reply.send(Buffer.from(JSON.stringify(jrd)))
    },
  }
}

interface Server {
  readonly domain: string
  readonly baseUrl: string
}

/** Undefined: of another host, or of none that can be here. */
function handleOf(resource: string, { domain, baseUrl }: Server): string | undefined {
  // What is still encoded after decoding once was encoded twice: two programs would read two names. [H8]
  if (/%[0-9a-f]{2}/i.test(resource)) throw badResource("a resource that is encoded once")
  const account = /^acct:([^@]+)@([^@]+)$/i.exec(resource)
  const isPage = resource.startsWith(`${baseUrl}/@`)
  if (account === null && !isPage && !/^[a-z][a-z0-9+.-]*:./i.test(resource))
    throw badResource("a URI, such as acct:alice@host")
  if (account !== null && account[2]?.toLowerCase() !== domain) return undefined
  const typed = account?.[1] ?? (isPage ? resource.slice(baseUrl.length + 2) : undefined)
  return typed === undefined ? undefined : tryHandle(typed)
}

function tryHandle(typed: string): string | undefined {
  try {
    return parseHandle(typed)
  } catch (error) {
    if (error instanceof KezError) return undefined
    throw error
  }
}

function badResource(expected: string): Problem {
  return new Problem({ status: 400, code: "schema.value", detail: `Cannot look that up: expected ${expected}` })
}

function aliasesOf({ row: { handle, primary } }: HandleView, baseUrl: string): readonly string[] {
  return [`${baseUrl}/@${handle}`, didKeyOf(primary)]
}

function propertiesOf({ row: { chain, primary } }: HandleView): Readonly<Record<string, string>> {
  return { "urn:kez:chain": chain, "urn:kez:primary": primary }
}

function linksOf({ row: { handle, chainUrl } }: HandleView, baseUrl: string): readonly Link[] {
  return [
    { rel: "http://webfinger.net/rel/profile-page", type: "text/html", href: `${baseUrl}/@${handle}` },
    { rel: "urn:kez:handle", type: "application/json", href: `${baseUrl}/v1/handles/${handle}` },
    ...(chainUrl === undefined ? [] : [{ rel: "urn:kez:sigchain", type: "application/jsonl", href: chainUrl }]),
  ]
}

/** https://github.com/nostr-protocol/nips/blob/master/05.md */
export function nostrNames({ directory }: Deps): Route {
  return {
    doc: {
      method: "GET",
      url: "/.well-known/nostr.json",
      operation: "nostrNames",
      summary: "The nostr key behind a handle, for those who have one (NIP-05)",
      query: schemas.object({ name: { type: "string" } }),
      answers: {
        200: { description: "The key in hex, or nothing", type: "application/json", schema: schemas.nostrAnswer },
        ...schemas.refusals(),
      },
    },
    async handle(request, reply) {
      const [name, ...more] = strictQuery(request).get("name") ?? []
      if (name === undefined || more.length > 0) throw badResource("exactly one name")
      const handle = tryHandle(name)
      const row = handle === undefined ? undefined : (await directory.find(handle))?.row
      const isNamed = row?.state === "registered" && row.nostr !== undefined
      const names = isNamed ? { [row.handle]: formatHex(publicKeyBytes(parseKeyIdentity(`nostr:${row.nostr}`))) } : {}
      return reply.header("cache-control", "max-age=60").send({ names })
    },
  }
}
