/**
 * Publishing to a Mastodon account, or one of other software with the same API: field, bio or pinned post. SPEC §7.6.
 * Every place takes the reference form: a field holds 255 characters, bio and post 500, and a compact claim is longer.
 */
import { KezError } from "@kez/core"
import type { Net } from "./channel.ts"
import { listAt, textAt } from "./foreign-json.ts"
import { readHtml } from "./html-text.ts"
import { createMastodonApi, type InstanceLimits, type MastodonApi, readLimits } from "./mastodon-api.ts"
import { withoutProofs } from "./proof-removal.ts"
import {
  assertKnownAccount,
  type PlaceOutcome,
  type Publisher,
  type PublishRequest,
  type PublishResult,
  type UnpublishRequest,
  unchangedNote,
} from "./publisher.ts"
import { askWebFinger, foldAscii, tryHttpsUrl } from "./webfinger.ts"

export const apPublisher: Publisher = {
  system: "ap",
  credential: "token",
  places: [
    { name: "field", about: "a field named KEZ of the profile", form: "reference" },
    { name: "bio", about: "at the end of the bio", form: "reference", takesHint: true },
    { name: "post", about: "a public post, pinned to the profile", form: "reference" },
  ],
  publish,
  unpublish,
}

const fieldName = "KEZ"
const intro = "My KEZ identity:"
const kezLine = /^kez:(?:z1|r1):[A-Za-z0-9_@.-]+$/i
const ownPost = /^(?:My KEZ identity:\s+)?kez:(?:z1|r1):[A-Za-z0-9_@.-]+$/i

interface Field {
  readonly name: string
  readonly value: string
}

/** The account that a token belongs to, with its texts as they were typed. */
interface OwnAccount {
  readonly api: MastodonApi
  /** URL of the actor. */
  readonly id: string
  /** In the API. */
  readonly number: string
  readonly url: string
  readonly note: string
  readonly fields: readonly Field[]
}

async function publish(request: PublishRequest, net: Net, signal: AbortSignal): Promise<PublishResult> {
  const account = await logIn(request, net, signal)
  const limits = await readLimits(account.api)
  const text = await request.makeText(account.id)
  switch (request.place.name) {
    case "field":
      return { outcomes: [await putField(account, text, limits)] }
    case "bio":
      return { outcomes: [await putBio(account, text, limits)] }
    case "post":
      return { outcomes: [await putPost(account, text, limits)] }
    default:
      throw new KezError("publish.refused", `Cannot publish to ${request.place.name}: expected field, bio or post`)
  }
}

async function unpublish(request: UnpublishRequest, net: Net, signal: AbortSignal): Promise<PublishResult> {
  const account = await logIn(request, net, signal)
  const { api, note, fields, url } = account
  const outcomes: PlaceOutcome[] = []
  const rests = fields.map((field) => withoutProof(field, request.isOurs))
  if (rests.some((rest, at) => rest !== fields[at])) {
    await saveFields(
      api,
      rests.flatMap((rest) => rest ?? []),
    )
    outcomes.push({ url, accepted: true, note: "the field is removed" })
  }
  const rest = withoutProofs(note, request.isOurs)
  if (rest !== note) {
    await save(api, { note: rest })
    outcomes.push({ url, accepted: true, note: "the bio holds it no more" })
  }
  for (const post of await listPinned(account)) {
    if (!request.isOurs(post.text)) continue
    if (!isProofAlone(post.text, request.isOurs)) {
      outcomes.push({ url: post.url, accepted: false, note: mixed })
      continue
    }
    await api.call("DELETE", `/api/v1/statuses/${post.id}`)
    outcomes.push({ url: post.url, accepted: true, note: "the post is deleted" })
  }
  return { outcomes }
}

const mixed = "something else stands in this post too: delete it yourself if you want to"

/** Whether a post is nothing but a proof, and the words that are written before one. */
function isProofAlone(text: string, isOurs: (proof: string) => boolean): boolean {
  return ["", intro].includes(withoutProofs(text, isOurs).trim())
}

/** The very field where it holds no proof; undefined where nothing else stands in it. What stands beside one stays. [NET-6] */
function withoutProof(field: Field, isOurs: (proof: string) => boolean): Field | undefined {
  const [name, value] = [withoutProofs(field.name, isOurs), withoutProofs(field.value, isOurs)]
  if (name === field.name && value === field.value) return field
  return value.trim() === "" ? undefined : { name, value }
}

/** Finds the server of the account, and makes sure that the token is of this very account. */
async function logIn(
  request: Pick<PublishRequest, "value" | "credentials" | "knownAccountId">,
  net: Net,
  signal: AbortSignal,
): Promise<OwnAccount> {
  const { value, credentials } = request
  const [user = "", host = ""] = value.split("@")
  const token = credentials.secret
  if (token === undefined || !/^[!-~]+$/.test(token)) {
    throw new KezError("publish.credentials", `Cannot write as ap:${value}: expected an access token of its server`)
  }
  const look = await askWebFinger({ host, account: value }, net, signal)
  if (look.seen === undefined) {
    const { code, evidence } = look.failure
    const note = evidence.at(-1)?.note ?? `${host} does not answer`
    throw new KezError(code === "proof.not_found" ? "publish.refused" : code, `Cannot write as ap:${value}: ${note}`)
  }
  const { self, pages } = look.links
  if (self === undefined) {
    throw new KezError("publish.refused", `Cannot write as ap:${value}: WebFinger names no ActivityPub account`)
  }
  assertKnownAccount(`ap:${value}`, request, self)
  // With a handle of another domain, the API is where the actor is.
  const api = createMastodonApi({ host: new URL(self).host, token }, net, signal)
  const own = await api.call("GET", "/api/v1/accounts/verify_credentials")
  const number = textAt(own, "id") ?? ""
  const uri = textAt(own, "uri")
  const url = tryHttpsUrl(textAt(own, "url"))
  const isSame = uri === undefined ? url !== undefined && [self, ...pages].includes(url) : tryHttpsUrl(uri) === self
  if (!isSame || foldAscii(textAt(own, "username") ?? "") !== user || !/^[A-Za-z0-9_-]{1,64}$/.test(number)) {
    throw new KezError("publish.credentials", `Cannot write as ap:${value}: the token is of another account`)
  }
  return {
    api,
    id: self,
    number,
    url: url ?? self,
    note: (textAt(own, "source", "note") ?? "").replaceAll("\r\n", "\n"),
    fields: readFields(own),
  }
}

/** Replaces an earlier field of ours, takes an empty row, or adds one; all others stay as they are. */
async function putField({ api, fields, url }: OwnAccount, text: string, limits: InstanceLimits): Promise<PlaceOutcome> {
  assertFits(text, limits.fieldChars, "a field")
  const isOld = ({ name, value }: Field) => foldAscii(name.trim()) === "kez" && kezLine.test(value.trim())
  const others = fields.filter((field) => !isOld(field) && `${field.name}${field.value}`.trim() !== "")
  if (others.length >= limits.fields) {
    throw new KezError("publish.refused", `Cannot add a field: all ${limits.fields} are taken`, {
      hint: "Empty one of them, or publish in another place: bio or post.",
    })
  }
  const old = fields.filter(isOld)
  if (old.length === 1 && old[0]?.value.trim() === text) return { url, accepted: true, note: unchangedNote }
  const position = fields.findIndex(isOld)
  const at = position === -1 ? others.length : Math.min(position, others.length)
  const saved = await saveFields(api, others.toSpliced(at, 0, { name: fieldName, value: text }))
  assertKept(
    readFields(saved).some(({ value }) => value.trim() === text),
    api.host,
  )
  return { url, accepted: true }
}

async function putBio({ api, note, url }: OwnAccount, text: string, limits: InstanceLimits): Promise<PlaceOutcome> {
  // A proof within somebody's sentence is no earlier one of ours.
  const isAlone = (proof: string) => note.split("\n").some((line) => line.trim() === proof)
  const rest = withoutProofs(note, isAlone)
  const bio = rest === "" ? text : `${rest}\n\n${text}`
  assertFits(bio, limits.bioChars, "the bio")
  if (bio === note) return { url, accepted: true, note: unchangedNote }
  const saved = await save(api, { note: bio })
  assertKept(textAt(saved, "source", "note")?.includes(text) !== false, api.host)
  return { url, accepted: true }
}

/** An earlier proof is edited where it is pinned; a new one is posted and pinned, or taken back where that fails. */
async function putPost(account: OwnAccount, text: string, limits: InstanceLimits): Promise<PlaceOutcome> {
  const { api } = account
  const status = `${intro} ${text}`
  assertFits(status, limits.postChars, "a post")
  const old = (await listPinned(account)).find((post) => ownPost.test(post.text))
  if (old?.text === status) return { url: old.url, accepted: true, note: unchangedNote }
  if (old !== undefined) {
    const edited = await api.call("PUT", `/api/v1/statuses/${old.id}`, { status })
    assertKept(edited !== undefined, api.host)
    return { url: old.url, accepted: true }
  }
  const posted = readPost(await api.call("POST", "/api/v1/statuses", { status, visibility: "public" }))
  if (posted === undefined) throw new KezError("publish.refused", `Cannot publish at ${api.host}: it names no post`)
  try {
    const pinned = await api.call("POST", `/api/v1/statuses/${posted.id}/pin`)
    if (pinned === undefined) throw new KezError("publish.refused", `Cannot publish at ${api.host}: it pins no posts`)
  } catch (error) {
    // Without the pin nobody would find it.
    await api.call("DELETE", `/api/v1/statuses/${posted.id}`)
    throw error
  }
  return { url: posted.url, accepted: true }
}

interface OwnPost {
  readonly id: string
  readonly url: string
  readonly text: string
}

async function listPinned({ api, number }: OwnAccount): Promise<readonly OwnPost[]> {
  const posts = listAt(await api.call("GET", `/api/v1/accounts/${number}/statuses?pinned=true`))
  return posts.flatMap((post) => (textAt(post, "account", "id") === number ? (readPost(post) ?? []) : []))
}

function readPost(post: unknown): OwnPost | undefined {
  const id = textAt(post, "id")
  const url = tryHttpsUrl(textAt(post, "url"))
  if (id === undefined || url === undefined || !/^[A-Za-z0-9_-]{1,64}$/.test(id)) return undefined
  return { id, url, text: readHtml(textAt(post, "content") ?? "").text }
}

function readFields(account: unknown): readonly Field[] {
  return listAt(account, "source", "fields").map((field) => ({
    name: textAt(field, "name") ?? "",
    value: textAt(field, "value") ?? "",
  }))
}

/** All fields go at once; without any, an empty row says so. */
async function saveFields(api: MastodonApi, fields: readonly Field[]): Promise<unknown> {
  const rows = fields.length === 0 ? [{ name: "", value: "" }] : fields
  const form = rows.flatMap(({ name, value }, row) => [
    [`fields_attributes[${row}][name]`, name],
    [`fields_attributes[${row}][value]`, value],
  ])
  return save(api, Object.fromEntries(form))
}

async function save(api: MastodonApi, form: Readonly<Record<string, string>>): Promise<unknown> {
  const saved = await api.call("PATCH", "/api/v1/accounts/update_credentials", form)
  if (saved !== undefined) return saved
  throw new KezError("publish.refused", `Cannot publish at ${api.host}: it has no API for profiles`)
}

function assertFits(text: string, maxChars: number, where: string): void {
  const count = [...text].length
  if (count <= maxChars) return
  throw new KezError("publish.too_long", `Cannot write ${where}: expected at most ${maxChars} characters, got ${count}`)
}

function assertKept(isKept: boolean, host: string): void {
  if (isKept) return
  throw new KezError("publish.refused", `Cannot publish: ${host} took the text but did not keep it as it was`)
}
