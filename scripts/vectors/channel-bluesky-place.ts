/** What the places of one Bluesky account answer, for vectors/channel-bluesky.json. SPEC §7.5. */
import type { ChannelInput, WebAnswer } from "./channel-case.ts"

export const handle = "alice.example.com"
export const did = "did:plc:abcdefghijklmnopqrstuvwx"
export const otherDid = "did:plc:wvutsrqponmlkjihgfedcba7"
export const proof = `kez:r1:${"ab".repeat(32)}`
export const pds = "https://pds.example.com"
const wellKnown = `https://${handle}/.well-known/atproto-did`

/** A host that serves no such file. */
export const none: WebAnswer = { url: wellKnown, status: 404, body: "User not found" }

export interface Place {
  readonly txt?: readonly string[]
  readonly host?: WebAnswer
  readonly document?: WebAnswer
  /** The answer to getRecord, or the status and body in its place. */
  readonly profile?: unknown
  readonly posts?: readonly unknown[]
  /** What both reads answer in place of the records. */
  readonly refusal?: Omit<WebAnswer, "url">
  readonly status?: Omit<WebAnswer, "url">
  readonly copyOfProfile?: unknown
  readonly copyOfPosts?: readonly unknown[]
}

/** An account whose sides name each other, with nothing in it but what is given. */
export function account(place: Place): ChannelInput {
  const { txt, host = { url: wellKnown, body: did }, document } = place
  return {
    value: handle,
    ...(txt === undefined ? {} : { txt: { [`_atproto.${handle}`]: txt } }),
    web: [host, document ?? { url: `https://plc.directory/${did}`, body: documentOf() }, ...placeOf(did, place)],
  }
}

export function placeOf(owner: string, place: Place): readonly WebAnswer[] {
  const repo = `repo=${encodeURIComponent(owner)}`
  const missing = { status: 400, body: { error: "RecordNotFound", message: "Could not locate record" } }
  const { profile, posts = [], refusal, status, copyOfProfile, copyOfPosts } = place
  const view = "https://public.api.bsky.app/xrpc"
  const actor = `actor=${encodeURIComponent(owner)}`
  return [
    {
      url: `${pds}/xrpc/com.atproto.repo.getRecord?${repo}&collection=app.bsky.actor.profile&rkey=self`,
      ...(refusal ?? (profile === undefined ? missing : { body: profile })),
    },
    {
      url: `${pds}/xrpc/com.atproto.repo.listRecords?${repo}&collection=app.bsky.feed.post&limit=50`,
      ...(refusal ?? { body: { records: posts, cursor: "3k" } }),
    },
    ...(status === undefined
      ? []
      : [{ url: `${pds}/xrpc/com.atproto.sync.getRepoStatus?did=${encodeURIComponent(owner)}`, ...status }]),
    ...(copyOfProfile === undefined
      ? []
      : [{ url: `${view}/app.bsky.actor.getProfile?${actor}`, body: copyOfProfile }]),
    ...(copyOfPosts === undefined
      ? []
      : [
          {
            url: `${view}/app.bsky.feed.getAuthorFeed?${actor}&limit=50&filter=posts_with_replies`,
            body: { feed: copyOfPosts },
          },
        ]),
  ]
}

export function documentOf(id = did): object {
  return {
    "@context": ["https://www.w3.org/ns/did/v1"],
    id,
    alsoKnownAs: [`at://${handle}`],
    verificationMethod: [],
    service: [{ id: "#atproto_pds", type: "AtprotoPersonalDataServer", serviceEndpoint: pds }],
  }
}

export function profileOf(description: string, owner = did): object {
  const value = { $type: "app.bsky.actor.profile", description }
  return { uri: `at://${owner}/app.bsky.actor.profile/self`, cid: "bafyreia", value }
}

export function postOf(text: string, key: string, owner = did, more: object = {}): object {
  const value = { $type: "app.bsky.feed.post", text, createdAt: "2026-01-02T03:04:05.678Z", ...more }
  return { uri: `at://${owner}/app.bsky.feed.post/${key}`, cid: "bafyreib", value }
}
