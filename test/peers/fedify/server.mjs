/**
 * A real ActivityPub server for tests: Fedify serves WebFinger, actors, posts, pinned posts and NodeInfo, a small Mastodon API
 * lets people edit the same profiles. A child process; test/support/fedify-server.ts starts it and talks to it by IPC.
 * It believes in public names (`https://social.test`) while it listens on loopback, one port a name.
 */
import { createServer } from "node:http"
import { createFederation, MemoryKvStore } from "@fedify/fedify"
import {
  Application,
  Endpoints,
  Group,
  Note,
  Organization,
  Person,
  PropertyValue,
  PUBLIC_COLLECTION,
  Service,
  Tombstone,
} from "@fedify/fedify/vocab"
import { formatField, formatText, handleApi } from "./mastodon-api.mjs"

const actorClasses = { Application, Group, Organization, Person, Service }

/** @type {{ handleHost: string, webHost: string, secure: boolean, latencyMs: number, apiVersion: number, apiClosed: boolean, embedPosts: boolean }} */
let setup = {
  handleHost: "social.test",
  webHost: "social.test",
  secure: false,
  latencyMs: 0,
  apiVersion: 2,
  apiClosed: false,
  embedPosts: true,
}
/** Key to account; the key is in the actor's URL and stays when the name changes. */
let accounts = new Map()
/** `host/path` to an answer that stands for a lying or broken server. */
let overrides = {}
let asked = []
let federation

function createActorServer() {
  const { handleHost, webHost } = setup
  const fed = createFederation({ kv: new MemoryKvStore(), origin: { handleHost, webOrigin: `https://${webHost}` } })
  const isAllowed = async (ctx) => !setup.secure || (await ctx.getSignedKeyOwner()) !== null

  fed
    .setActorDispatcher("/users/{identifier}", (ctx, key) => {
      const account = accounts.get(key)
      if (account === undefined) return null
      const id = ctx.getActorUri(key)
      if (account.isGone) return new Tombstone({ id })
      const ActorClass = actorClasses[account.type ?? "Person"]
      return new ActorClass({
        id: account.id === undefined ? id : new URL(account.id),
        preferredUsername: account.username,
        name: account.username,
        summary: account.summary ?? formatText(account.note ?? ""),
        url: new URL(`/@${account.username}`, ctx.origin),
        inbox: ctx.getInboxUri(key),
        endpoints: new Endpoints({ sharedInbox: ctx.getInboxUri() }),
        featured: ctx.getFeaturedUri(key),
        attachments: (account.fields ?? []).map(
          ({ name, value, html }) => new PropertyValue({ name, value: html ?? formatField(value) }),
        ),
        ...(account.movedTo === undefined ? {} : { successor: new URL(account.movedTo) }),
      })
    })
    .mapHandle((_ctx, username) => findKey(username))
    .authorize(isAllowed)
  fed.setInboxListeners("/users/{identifier}/inbox", "/inbox")

  fed
    .setFeaturedDispatcher("/users/{identifier}/collections/featured", (ctx, key) => {
      return { items: pinned(accounts.get(key)).map((post) => createNote(ctx, key, post)) }
    })
    .authorize(isAllowed)
  fed
    .setObjectDispatcher(Note, "/users/{identifier}/statuses/{post}", (ctx, { identifier, post }) => {
      const found = accounts.get(identifier)?.posts?.find(({ id }) => id === post)
      return found === undefined ? null : createNote(ctx, identifier, found)
    })
    .authorize(isAllowed)
  fed.setNodeInfoDispatcher("/nodeinfo/2.1", () => ({
    software: { name: "kez-test-peer", version: "1.0.0" },
    protocols: ["activitypub"],
    usage: { users: { total: accounts.size }, localPosts: 0, localComments: 0 },
  }))
  return fed
}

function createNote(ctx, key, post) {
  return new Note({
    id: ctx.getObjectUri(Note, { identifier: key, post: post.id }),
    attribution: post.by === undefined ? ctx.getActorUri(key) : new URL(post.by),
    content: post.html ?? formatText(post.text ?? ""),
    to: PUBLIC_COLLECTION,
    url: new URL(`/@${accounts.get(key)?.username}/${post.id}`, ctx.origin),
  })
}

const pinned = (account) => (account?.posts ?? []).filter((post) => post.isPinned !== false)

function findKey(username) {
  for (const [key, account] of accounts) if (account.username === username && !account.isUnknown) return key
  return null
}

async function answer(host, request, body) {
  const { pathname, search } = new URL(request.url, `https://${host}`)
  asked.push(`${request.method} https://${host}${pathname}${search}`)
  const override = overrides[`${host}${pathname}${search}`] ?? overrides[`${host}${pathname}`]
  if (override !== undefined) {
    const text = typeof override.body === "string" ? override.body : JSON.stringify(override.body ?? "")
    return new Response(text, { status: override.status ?? 200, headers: override.headers ?? {} })
  }
  if (pathname.startsWith("/api/")) {
    return handleApi(
      { method: request.method, pathname, search, headers: request.headers, body },
      { ...setup, accounts, findKey, pinned },
    )
  }
  const hasBody = request.method !== "GET" && request.method !== "HEAD"
  const headers = new Headers(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
  headers.set("host", host)
  const asking = new Request(`https://${host}${pathname}${search}`, {
    method: request.method,
    headers,
    ...(hasBody ? { body } : {}),
  })
  const given = await federation.fetch(asking, { contextData: undefined })
  return setup.embedPosts || !pathname.endsWith("/featured") ? given : withUrlsOnly(given)
}

/** The featured collection of servers that name posts by their URLs. */
async function withUrlsOnly(response) {
  if (!response.ok) return response
  const collection = await response.json()
  const name = (item) => (typeof item === "string" ? item : item.id)
  const items = [collection.orderedItems ?? []].flat().map(name)
  return new Response(JSON.stringify({ ...collection, orderedItems: items }), { headers: response.headers })
}

async function listen(host) {
  const server = createServer(async (request, response) => {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    if (setup.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, setup.latencyMs))
    try {
      const given = await answer(host, request, Buffer.concat(chunks))
      response.writeHead(given.status, Object.fromEntries(given.headers))
      response.end(Buffer.from(await given.arrayBuffer()))
    } catch (error) {
      response.writeHead(500, { "content-type": "text/plain" }).end(String(error))
    }
  })
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))
  return `http://127.0.0.1:${server.address().port}`
}

const commands = {
  async start(options) {
    setup = { ...setup, ...options }
    federation = createActorServer()
    const hosts = [...new Set([setup.handleHost, setup.webHost])]
    return Object.fromEntries(await Promise.all(hosts.map(async (host) => [host, await listen(host)])))
  },
  set(state) {
    setup = { ...setup, ...state.setup }
    accounts = new Map(Object.entries(state.accounts ?? {}))
    overrides = state.overrides ?? {}
    asked = []
  },
  read: () => ({ accounts: Object.fromEntries(accounts), asked }),
}

process.on("message", async ({ id, command, argument }) => {
  try {
    process.send({ id, result: await commands[command](argument) })
  } catch (error) {
    process.send({ id, error: String(error?.stack ?? error) })
  }
})
process.on("disconnect", () => process.exit())
