/** Publishing to Bluesky: the reference at the end of the profile's description, or a post of its own. SPEC §7.5. */
import { KezError, utf8Length } from "@kez/core"
import { type AtprotoAccount, findAccount } from "./atproto-account.ts"
import { type Session, withSession } from "./atproto-session.ts"
import { callXrpc } from "./atproto-xrpc.ts"
import { countGraphemes, maxPostGraphemes, maxProfileGraphemes } from "./bluesky-near-miss.ts"
import {
  keyOf,
  type Post,
  postCollection,
  profileCall,
  profileCollection,
  readPosts,
  urlOfPost,
  urlOfProfile,
} from "./bluesky-records.ts"
import type { Net } from "./channel.ts"
import { listAt, textAt, valueAt } from "./foreign-json.ts"
import { maxPosts, maxUnpublishPages } from "./limits.ts"
import { isProofOnly, withoutProofs } from "./proof-removal.ts"
import {
  assertKnownAccount,
  type PlaceOutcome,
  type Publisher,
  type PublishPlace,
  type PublishRequest,
  type PublishResult,
  unchangedNote,
} from "./publisher.ts"

const form = { form: "reference", takesHint: true } as const
const profile: PublishPlace = { name: "profile", about: "at the end of the profile's description", ...form }
const post: PublishPlace = { name: "post", about: "as a post of its own", ...form }
const anyProof = () => true
/** A profile that is being edited elsewhere is read again this often. */
const maxSwaps = 3
const pageSize = 100

export const blueskyPublisher: Publisher = {
  system: "bluesky",
  credential: "password",
  places: [profile, post],

  async publish(request, net, signal) {
    const account = await accountOf(request, net, signal)
    return withSession({ account, password: request.credentials.secret, net, signal }, async (session) => {
      const text = await request.makeText(account.did)
      return request.place.name === post.name ? publishPost(session, text) : publishInProfile(session, text)
    })
  },

  async unpublish(request, net, signal) {
    const { credentials, isOurs } = request
    const account = await accountOf(request, net, signal)
    return withSession({ account, password: credentials.secret, net, signal }, async (session) => {
      const changed = await editDescription(session, (text) => withoutProofs(text, isOurs))
      const removed = { url: urlOfProfile(account.did), accepted: true, note: "the description holds it no more" }
      const inProfile = changed ? [removed] : []
      return { outcomes: [...inProfile, ...(await deletePosts(session, isOurs))] }
    })
  },
}

/** The password is of an account, so both sides must name each other, and be the one that is known, before it is sent anywhere. */
async function accountOf(
  request: Pick<PublishRequest, "value" | "knownAccountId">,
  net: Net,
  signal: AbortSignal,
): Promise<AtprotoAccount> {
  const { value } = request
  const finding = await findAccount(value, net, { signal })
  if (finding.status === "found") {
    assertKnownAccount(`bluesky:${value}`, request, finding.account.did)
    return finding.account
  }
  const why = finding.evidence.at(-1)?.note ?? `expected an account, got ${finding.code}`
  const code = finding.status === "unreachable" ? finding.code : "publish.refused"
  throw new KezError(code, `Cannot write as bluesky:${value}: ${why}`)
}

async function publishInProfile(session: Session, text: string): Promise<PublishResult> {
  const url = urlOfProfile(session.account.did)
  const changed = await editDescription(session, (description) => {
    const rest = withoutProofs(description, anyProof)
    const longer = rest === "" ? text : `${rest}\n${text}`
    assertFits(longer, maxProfileGraphemes, `${countGraphemes(rest)} of them stand there already`)
    return longer
  })
  return { outcomes: [{ url, accepted: true, ...(changed ? {} : { note: unchangedNote }) }] }
}

/** False: there was nothing to change. Everything else in the record stays, and an edit made meanwhile is not lost. */
async function editDescription(session: Session, edit: (description: string) => string): Promise<boolean> {
  const { did } = session.account
  for (let attempt = 0; attempt < maxSwaps; attempt += 1) {
    const { cid, value } = await readProfile(session)
    const before = textAt(value, "description") ?? ""
    const description = edit(before)
    if (description === before) return false
    const record = { ...value, $type: profileCollection, description }
    const body = { repo: did, collection: profileCollection, rkey: "self", record, swapRecord: cid }
    const { answer } = await session.send("com.atproto.repo.putRecord", body, ["InvalidSwap"])
    if (answer.status === 200) return true
  }
  throw new KezError(
    "publish.refused",
    `Cannot publish to ${session.account.handle}: its profile is being edited elsewhere`,
  )
}

/** `cid` null: there is no profile yet, and there must be none when ours is written. */
async function readProfile({ account, net, signal }: Session): Promise<{ cid: string | null; value: object }> {
  const { answer, body, error } = await callXrpc(profileCall(account), net, signal)
  if (answer.status === 400 && error === "RecordNotFound") return { cid: null, value: {} }
  const value = valueAt(body, "value")
  const cid = textAt(body, "cid")
  const isOwn = textAt(body, "uri") === `at://${account.did}/${profileCollection}/self`
  if (answer.status === 200 && isOwn && cid !== undefined && typeof value === "object" && value !== null) {
    return { cid, value }
  }
  throw new KezError(
    "net.status",
    `Cannot read the profile of ${account.handle}: expected its record, got HTTP ${answer.status}`,
  )
}

async function publishPost(session: Session, text: string): Promise<PublishResult> {
  const { account, net } = session
  assertFits(text, maxPostGraphemes, "nothing else stands there")
  const { posts } = await listPosts(session, 1)
  // An older one is no longer looked at.
  const same = posts.slice(0, maxPosts).find((one) => one.text === text)
  const earlier = posts.filter((one) => one !== same && isProofOnly(one.text, anyProof))
  const value = { $type: postCollection, text, createdAt: new Date(net.now() * 1000).toISOString() }
  const create =
    same === undefined ? [{ $type: "com.atproto.repo.applyWrites#create", collection: postCollection, value }] : []
  const writes = [...create, ...earlier.map(deletionOf)]
  const body = writes.length === 0 ? undefined : await applyWrites(session, writes)
  if (same !== undefined) return { outcomes: [{ url: same.foundAt, accepted: true, note: unchangedNote }] }
  const key = keyOf(account.did, textAt(body, "results", 0, "uri"))
  return {
    outcomes: [{ url: key === undefined ? urlOfProfile(account.did) : urlOfPost(account.did, key), accepted: true }],
  }
}

async function deletePosts(session: Session, isOurs: (text: string) => boolean): Promise<readonly PlaceOutcome[]> {
  const { posts, isWhole } = await listPosts(session, maxUnpublishPages)
  const ours = posts.filter(({ text }) => withoutProofs(text, isOurs) !== text)
  const alone = ours.filter(({ text }) => isProofOnly(text, isOurs))
  // A server takes a limited number of writes at once.
  for (let at = 0; at < alone.length; at += pageSize) {
    await applyWrites(session, alone.slice(at, at + pageSize).map(deletionOf))
  }
  const mixed = "something else stands in this post too: delete it yourself if you want to"
  const outcomes = ours.map((one) => {
    return alone.includes(one)
      ? { url: one.foundAt, accepted: true, note: "the post is deleted" }
      : { url: one.foundAt, accepted: false, note: mixed }
  })
  if (isWhole) return outcomes
  const note = `only the newest ${posts.length} posts were searched`
  return [...outcomes, { url: urlOfProfile(session.account.did), accepted: false, note }]
}

async function listPosts(
  { account, net, signal }: Session,
  maxPages: number,
): Promise<{ readonly posts: readonly Post[]; readonly isWhole: boolean }> {
  const posts: Post[] = []
  let cursor: string | undefined
  for (let page = 0; page < maxPages; page += 1) {
    const params = {
      repo: account.did,
      collection: postCollection,
      limit: String(pageSize),
      ...(cursor === undefined ? {} : { cursor }),
    }
    const call = { origin: account.pds, method: "com.atproto.repo.listRecords", params }
    const { answer, body } = await callXrpc(call, net, signal)
    if (answer.status !== 200) {
      throw new KezError(
        "net.status",
        `Cannot list the posts of ${account.handle}: expected HTTP 200, got ${answer.status}`,
      )
    }
    const records = listAt(body, "records").slice(0, pageSize)
    posts.push(...readPosts(account.did, records).own)
    const next = textAt(body, "cursor")
    if (records.length < pageSize || next === undefined || next === cursor || next.length > 512)
      return { posts, isWhole: true }
    cursor = next
  }
  return { posts, isWhole: false }
}

function deletionOf({ key }: Post): object {
  return { $type: "com.atproto.repo.applyWrites#delete", collection: postCollection, rkey: key }
}

/** All of the writes, or none. */
async function applyWrites({ account, send }: Session, writes: readonly object[]): Promise<unknown> {
  return (await send("com.atproto.repo.applyWrites", { repo: account.did, writes })).body
}

function assertFits(text: string, maxGraphemes: number, rest: string): void {
  const count = countGraphemes(text)
  // The other bound of both places is ten bytes a character; one emoji may have more.
  if (count <= maxGraphemes && utf8Length(text) <= 10 * maxGraphemes) return
  const message = `Cannot publish: expected at most ${maxGraphemes} characters, got ${count}; ${rest}`
  throw new KezError("publish.too_long", message)
}
