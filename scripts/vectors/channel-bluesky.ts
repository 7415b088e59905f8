/** vectors/channel-bluesky.json: from a handle to an account to its texts. SPEC §7.5. */
import { blueskyIdentityCases } from "./channel-bluesky-identity.ts"
import { account, did, otherDid, postOf, profileOf, proof } from "./channel-bluesky-place.ts"
import { absent, channelCase, found, invalid, unreachable } from "./channel-case.ts"
import type { VectorCase, VectorFile } from "./vector-file.ts"

const profileUrl = `https://bsky.app/profile/${did}`
const key = "3kabcdefghij2"
const postUrl = `${profileUrl}/post/${key}`

export function channelBluesky(): VectorFile {
  return {
    spec: "§7.5",
    about: "What a Bluesky handle, the account that it leads to, and that account's profile and posts come to.",
    cases: [...blueskyIdentityCases(), ...recordCases(), ...closedCases(), ...copyCases()],
  }
}

function recordCases(): readonly VectorCase[] {
  const text = `Chain: example.org/v1/ch...`
  const url = "https://example.org/v1/chains/abcdefghijklmnop"
  const features = [{ $type: "app.bsky.richtext.facet#link", uri: url }]
  const linked = `ü ${proof}\n${text}`
  const byteEnd = Buffer.byteLength(linked)
  const facets = [{ index: { byteStart: byteEnd - 20, byteEnd }, features }]
  const other = (at: number) => postOf("hello", `3kother${at}`)
  return [
    channelCase(
      "profile-and-post",
      "the profile comes first, texts without a proof are left out",
      account({ profile: profileOf(`Hello\n${proof}`), posts: [postOf("hello", "3k2"), postOf(proof, key)] }),
      found(did, [
        [`Hello\n${proof}`, profileUrl],
        [proof, postUrl],
      ]),
    ),
    channelCase("nothing", "no profile, no post", account({}), absent()),
    channelCase("no-proof", "a profile and a post", account({ profile: profileOf("a"), posts: [other(1)] }), absent()),
    channelCase(
      "fiftieth",
      "the last post that is looked at",
      account({ posts: [...Array.from({ length: 49 }, (_, at) => other(at)), postOf(proof, key)] }),
      found(did, [[proof, postUrl]]),
    ),
    channelCase(
      "fifty-first",
      "one more, from a server that gives more than was asked for",
      account({ posts: [...Array.from({ length: 50 }, (_, at) => other(at)), postOf(proof, key)] }),
      absent(),
    ),
    channelCase(
      "hint-link",
      "a link that is all of a hint line is put back whole; it counts bytes",
      account({ posts: [postOf(linked, key, did, { facets })] }),
      found(did, [[`ü ${proof}\nChain: ${url}`, postUrl]], [url]),
    ),
    channelCase(
      "link-elsewhere",
      "any other link stays as it is shown",
      account({
        posts: [
          postOf(`${proof} example.org`, key, did, { facets: [{ index: { byteStart: 72, byteEnd: 83 }, features }] }),
        ],
      }),
      found(did, [[`${proof} example.org`, postUrl]]),
    ),
    channelCase(
      "other-repository",
      "a record of another account",
      account({ posts: [postOf(proof, key, otherDid)] }),
      invalid("account.owner"),
    ),
    channelCase(
      "other-profile",
      "the profile of another account",
      account({ profile: profileOf(proof, otherDid) }),
      invalid("account.owner"),
    ),
    channelCase(
      "other-collection",
      "a record that is no post",
      account({ posts: [{ uri: `at://${did}/app.bsky.feed.like/${key}`, value: { text: proof } }] }),
      invalid("account.owner"),
    ),
    channelCase(
      "own-beside-other",
      "the account's own record counts",
      account({ posts: [postOf(proof, key, otherDid), postOf(proof, key)] }),
      found(did, [[proof, postUrl]]),
    ),
    channelCase(
      "cut",
      "a reference that was cut is found, and broken",
      account({ profile: profileOf(proof.slice(0, 50)) }),
      { ...found(did, [[proof.slice(0, 50), profileUrl]]), notes: ["cut after 50 of 71 characters"] },
    ),
  ]
}

function closedCases(): readonly VectorCase[] {
  const refused = (error: string) => ({ status: 400, body: { error, message: "no" } })
  const named = ["RepoNotFound", "RepoDeactivated", "RepoTakendown", "RepoSuspended"].map((error) =>
    channelCase(`closed-${error}`, "the account's own server says so", account({ refusal: refused(error) }), absent()),
  )
  const refusal = refused("InvalidRequest")
  return [
    ...named,
    channelCase(
      "closed-status",
      "a plain refusal is explained by the status of the repository",
      account({ refusal, status: { body: { did, active: false, status: "deactivated" } } }),
      absent("deactivated"),
    ),
    channelCase(
      "closed-unknown",
      "the server has no such account",
      account({ refusal, status: refused("RepoNotFound") }),
      absent(),
    ),
    channelCase(
      "closed-not",
      "a plain refusal of an account that is active is no answer",
      account({ refusal, status: { body: { did, active: true } } }),
      unreachable("net.status"),
    ),
    channelCase(
      "closed-other",
      "the status of another account says nothing",
      account({ refusal, status: { body: { did: otherDid, active: false } } }),
      unreachable("net.status"),
    ),
  ]
}

function copyCases(): readonly VectorCase[] {
  const refusal = { status: 503, body: "down" }
  const view = (text: string, author = did) => ({
    post: { uri: `at://${author}/app.bsky.feed.post/${key}`, author: { did: author }, record: { text } },
  })
  const copyOfProfile = { did, description: "hello" }
  return [
    channelCase("down", "neither the own server nor the copy answers", account({ refusal }), unreachable("net.status")),
    channelCase(
      "wait",
      "the own server asks to wait",
      account({ refusal: { status: 429, headers: { "retry-after": "30" }, body: "" } }),
      { ...unreachable("net.rate_limit"), retry_after_seconds: 30 },
    ),
    channelCase(
      "copy-post",
      "the copy shows the proof",
      account({ refusal, copyOfProfile, copyOfPosts: [view("hello"), view(proof)] }),
      found(did, [[proof, postUrl]]),
    ),
    channelCase(
      "copy-profile",
      "or in the profile",
      account({ refusal, copyOfProfile: { did, description: proof }, copyOfPosts: [] }),
      found(did, [[proof, profileUrl]]),
    ),
    channelCase(
      "copy-nothing",
      "the copy cannot show that there is none",
      account({ refusal, copyOfProfile, copyOfPosts: [view("hello")] }),
      unreachable("net.status"),
    ),
    channelCase(
      "copy-repost",
      "another account's post in the feed",
      account({ refusal, copyOfProfile, copyOfPosts: [view(proof, otherDid)] }),
      unreachable("net.status"),
    ),
    channelCase(
      "copy-author",
      "an author who is not that of the record's place",
      account({ refusal, copyOfProfile, copyOfPosts: [{ post: { ...view(proof).post, author: { did: otherDid } } }] }),
      unreachable("net.status"),
    ),
    channelCase(
      "server-redirect",
      "a server that sends elsewhere has not answered",
      account({ refusal: { body: { records: [] }, finalUrl: "https://other.example/xrpc" } }),
      unreachable("net.redirect"),
    ),
    channelCase(
      "server-upload",
      "P7: a text that somebody uploaded is no record",
      account({ refusal: { body: JSON.stringify(profileOf(proof)), headers: { "content-type": "text/plain" } } }),
      unreachable("net.content_type"),
    ),
    channelCase(
      "nested-512",
      "JSON of 512 levels is read",
      account({ refusal: nested(512) }),
      found(did, [[proof, profileUrl]]),
    ),
    channelCase(
      "nested-513",
      "one more is no JSON: no answer",
      account({ refusal: nested(513) }),
      unreachable("net.content_type"),
    ),
    channelCase(
      "copy-other",
      "the copy of another profile",
      account({ refusal, copyOfProfile: { did: otherDid, description: proof }, copyOfPosts: [] }),
      unreachable("net.status"),
    ),
  ]
}

/** A profile with a member that is nested so deep that all of it has this many levels. */
function nested(levels: number) {
  const deep = `${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}`
  const body = `${JSON.stringify(profileOf(proof)).slice(0, -1)},"deep":${deep}}`
  return { body, headers: { "content-type": "application/json" } }
}
