/**
 * As much of Mastodon's API as an app for profiles uses, with the shapes, limits and refusals of Mastodon 4.
 * What it stores is what Fedify serves.
 */
import { Buffer } from "node:buffer"

const limits = { fields: 4, field: 255, note: 500, status: 500, pins: 5 }
let nextId = 114_000_000_000_000_001n

const escapeHtml = (text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;")

/** A link as Mastodon shows it: the scheme and the end stand there, but are not seen. */
function formatLink(url, rel) {
  const [prefix] = /^https?:\/\/(www\.)?/.exec(url)
  const rest = url.slice(prefix.length)
  const cut = rest.length > 30 ? "ellipsis" : ""
  const parts = [prefix, rest.slice(0, 30), rest.slice(30)].map(escapeHtml)
  return `<a href="${escapeHtml(url)}" target="_blank" rel="nofollow noopener noreferrer${rel}" translate="no"><span class="invisible">${parts[0]}</span><span class="${cut}">${parts[1]}</span><span class="invisible">${parts[2]}</span></a>`
}

function formatLine(text, rel = "") {
  return text
    .split(/(https?:\/\/[^\s<>"]+)/)
    .map((part, index) => (index % 2 === 1 ? formatLink(part, rel) : escapeHtml(part)))
    .join("")
}

export const formatField = (value) => formatLine(value, " me")

export function formatText(text) {
  if (text.trim() === "") return ""
  const paragraphs = text.replaceAll("\r\n", "\n").split(/\n\n+/)
  return paragraphs.map((paragraph) => `<p>${paragraph.split("\n").map((line) => formatLine(line)).join("<br />")}</p>`).join("")
}

const json = (body, status = 200) =>
  new Response(JSON.stringify(body), {
    status,
    headers: {
      "content-type": "application/json; charset=utf-8",
      "x-ratelimit-limit": "300",
      "x-ratelimit-remaining": "299",
      "x-ratelimit-reset": "2030-01-01T12:05:00.000000Z",
    },
  })
const refuse = (status, error) => json({ error }, status)

export function handleApi(request, state) {
  const { method, pathname } = request
  const query = new URLSearchParams(request.search)
  if (pathname === "/api/v2/instance") return state.apiVersion >= 2 ? json(instanceV2(state)) : refuse(404, "Not Found")
  if (pathname === "/api/v1/instance") return json(instanceV1(state))
  const me = findMe(request, state)
  if (state.apiClosed && me === undefined) return refuse(401, "This method requires an authenticated user")
  if (pathname === "/api/v1/accounts/lookup") {
    const key = state.findKey(query.get("acct") ?? "")
    return key === null ? refuse(404, "Record not found") : json(account(key, state))
  }
  const statuses = /^\/api\/v1\/accounts\/([^/]+)\/statuses$/.exec(pathname)?.[1]
  if (statuses !== undefined) {
    const key = [...state.accounts.keys()].find((one) => numberOf(one, state) === statuses)
    if (key === undefined) return refuse(404, "Record not found")
    const posts = state.accounts.get(key).posts ?? []
    const wanted = query.get("pinned") === "true" ? state.pinned(state.accounts.get(key)) : posts
    return json(wanted.map((post) => status(key, post, state)))
  }
  if (me === undefined) return refuse(401, "The access token is invalid")
  if (pathname === "/api/v1/accounts/verify_credentials") return json(credentialAccount(me, state))
  if (state.accounts.get(me).isReadOnly) return refuse(403, "This action is outside the authorized scopes")
  if (pathname === "/api/v1/accounts/update_credentials" && method === "PATCH") return update(me, readBody(request), state)
  if (pathname === "/api/v1/statuses" && method === "POST") return post(me, readBody(request), state)
  const one = /^\/api\/v1\/statuses\/([^/]+)(\/pin|\/unpin)?$/.exec(pathname)
  return one === null ? refuse(404, "Record not found") : change(me, { id: one[1], action: one[2] ?? method, request }, state)
}

function findMe({ headers }, { accounts }) {
  const token = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1]
  return token === undefined ? undefined : [...accounts].find(([, { token: own }]) => own === token)?.[0]
}

function update(key, body, state) {
  const own = state.accounts.get(key)
  if (typeof body.note === "string") {
    if ([...body.note].length > limits.note) return refuse(422, `Validation failed: Note is too long (maximum is ${limits.note} characters)`)
    own.note = body.note
  }
  if (body.fields_attributes !== undefined) {
    const fields = Object.values(body.fields_attributes)
      .filter(({ name = "", value = "" }) => name.trim() !== "" || value.trim() !== "")
      .map(({ name = "", value = "" }) => ({ name: cut(name), value: cut(value) }))
    if (fields.length > limits.fields) return refuse(422, "Validation failed: Fields is too long (maximum is 4 characters)")
    own.fields = fields
  }
  return json(credentialAccount(key, state))
}

const cut = (text) => [...text.trim()].slice(0, limits.field).join("")

function post(key, { status: text = "", visibility = "public" }, state) {
  if ([...text].length > limits.status) return refuse(422, "Validation failed: Text character limit of 500 exceeded")
  nextId += 1n
  const created = { id: String(nextId), text, visibility, isPinned: false }
  const own = state.accounts.get(key)
  own.posts = [created, ...(own.posts ?? [])]
  return json(status(key, created, state))
}

function change(key, { id, action, request }, state) {
  const own = state.accounts.get(key)
  const found = own.posts?.find((one) => one.id === id)
  if (found === undefined) return refuse(404, "Record not found")
  if (action === "PUT") found.text = readBody(request).status ?? found.text
  else if (action === "DELETE") own.posts = own.posts.filter((one) => one !== found)
  else if (action === "/unpin") found.isPinned = false
  else if (action === "/pin") {
    if (found.isPinned === false && state.pinned(own).length >= limits.pins) {
      return refuse(422, "Validation failed: You have already pinned the maximum number of posts")
    }
    found.isPinned = true
  }
  return json(status(key, found, state))
}

/** Forms with Rails' brackets, or JSON. */
function readBody({ headers, body }) {
  const text = Buffer.from(body).toString()
  if ((headers["content-type"] ?? "").startsWith("application/json")) return JSON.parse(text)
  const read = {}
  for (const [name, value] of new URLSearchParams(text)) {
    const steps = name.split(/[[\]]+/).filter((step) => step !== "")
    let at = read
    for (const step of steps.slice(0, -1)) at = at[step] ??= {}
    at[steps.at(-1)] = value
  }
  return read
}

const numberOf = (key, { accounts }) => String(109_000_000_000_000_000n + BigInt([...accounts.keys()].indexOf(key)))

function account(key, state) {
  const { username, note = "", summary, fields = [], isGone } = state.accounts.get(key)
  const url = `https://${state.webHost}/@${username}`
  const picture = `https://${state.webHost}/avatars/original/missing.png`
  return {
    id: numberOf(key, state),
    username,
    acct: username,
    display_name: username,
    locked: false,
    bot: false,
    discoverable: true,
    group: false,
    created_at: "2026-01-01T00:00:00.000Z",
    note: summary ?? formatText(note),
    url,
    uri: `https://${state.webHost}/users/${key}`,
    avatar: picture,
    avatar_static: picture,
    header: picture,
    header_static: picture,
    followers_count: 0,
    following_count: 0,
    statuses_count: 0,
    last_status_at: null,
    emojis: [],
    ...(isGone ? { suspended: true } : {}),
    fields: fields.map(({ name, value, html }) => ({ name, value: html ?? formatField(value), verified_at: null })),
  }
}

function credentialAccount(key, state) {
  const { note = "", fields = [] } = state.accounts.get(key)
  const source = {
    privacy: "public",
    sensitive: false,
    language: null,
    note,
    fields: fields.map(({ name, value }) => ({ name, value, verified_at: null })),
    follow_requests_count: 0,
  }
  return { ...account(key, state), source, role: { id: "-99", name: "", permissions: "65536", color: "", highlighted: false } }
}

function status(key, { id, text = "", html, isPinned, visibility = "public" }, state) {
  const owner = account(key, state)
  return {
    id,
    created_at: "2026-01-01T00:00:00.000Z",
    in_reply_to_id: null,
    sensitive: false,
    spoiler_text: "",
    visibility,
    language: "en",
    uri: `https://${state.webHost}/users/${key}/statuses/${id}`,
    url: `${owner.url}/${id}`,
    content: html ?? formatText(text),
    pinned: isPinned !== false,
    reblog: null,
    account: owner,
    media_attachments: [],
    mentions: [],
    tags: [],
    emojis: [],
  }
}

function instanceV2({ webHost }) {
  return {
    domain: webHost,
    title: "Test",
    version: "4.4.0",
    configuration: {
      accounts: { max_featured_tags: 10, max_pinned_statuses: limits.pins, max_profile_fields: limits.fields },
      statuses: { max_characters: limits.status, max_media_attachments: 4, characters_reserved_per_url: 23 },
    },
    api_versions: { mastodon: 6 },
  }
}

function instanceV1({ webHost }) {
  return {
    uri: webHost,
    title: "Test",
    version: "3.5.0",
    configuration: { statuses: { max_characters: limits.status, max_media_attachments: 4, characters_reserved_per_url: 23 } },
  }
}
