/** vectors/channel-ap.json: WebFinger, actors and pinned posts, and what is taken from them. SPEC §7.6. */
import {
  activityType,
  actor,
  actorUrl,
  at,
  featured,
  featuredUrl,
  field,
  foundIn,
  foundInProfile,
  jrd,
  post,
  profiled,
  proof,
  value,
  webFingerUrl,
  withProof,
} from "./ap-place.ts"
import { known, twoWays } from "./channel-ap-account.ts"
import { apHtml } from "./channel-ap-html.ts"
import { secureMode } from "./channel-ap-secure.ts"
import { absent, channelCase, found, unreachable } from "./channel-case.ts"
import type { VectorCase, VectorFile } from "./vector-file.ts"

export function channelAp(): VectorFile {
  return {
    spec: "§7.6",
    about: "What the account alice@social.example comes to. Texts are candidates; the chain of the reference is none.",
    cases: [...profiles(), ...pinnedPosts(), ...apHtml(), ...twoWays(), ...answers(), ...secureMode(), ...known()],
  }
}

function profiles(): readonly VectorCase[] {
  const html = `<p>Hi &amp; welcome<br>Chain: <a href="https://s.example/c"><span class="invisible">https://</span>s.example/c</a></p><p>${proof}</p>`
  const text = `Hi & welcome\nChain: https://s.example/c\n${proof}`
  return [
    channelCase("field", "a field of the profile", at(jrd(), withProof), foundInProfile),
    channelCase(
      "one-field",
      "JSON-LD writes a list of one as the thing itself",
      at(jrd(), actor({ attachment: field(proof) })),
      foundInProfile,
    ),
    channelCase(
      "bio",
      "HTML as a person sees it, and the hint beside the proof",
      at(jrd(), actor({ summary: html })),
      found(actorUrl, [[text, actorUrl]], ["https://s.example/c"]),
    ),
    channelCase(
      "hidden",
      "P13: what is hidden does not count",
      at(jrd(), actor({ summary: `<p hidden>${proof}</p><script>${proof}</script><!-- ${proof} -->` }), featured()),
      absent("hidden or styled"),
    ),
    channelCase(
      "field-32",
      "the last field that is looked at",
      at(jrd(), actor({ attachment: [...fields(31), field(proof)] })),
      foundInProfile,
    ),
    channelCase(
      "field-33",
      "and one more",
      at(jrd(), actor({ attachment: [...fields(32), field(proof)] }), featured()),
      absent(),
    ),
    channelCase(
      "other-attachment",
      "an attachment that is no field",
      at(jrd(), actor({ attachment: [{ type: "Image", name: proof, value: proof }] }), featured()),
      absent(),
    ),
    channelCase("group", "any kind of actor", at(jrd(), actor({ type: "Group", summary: proof })), foundInProfile),
    channelCase("not-an-actor", "but nothing else", at(jrd(), actor({ type: "Note", summary: proof })), absent()),
    channelCase(
      "suspended",
      "the server hides the profile",
      at(jrd(), actor({ suspended: true, summary: "" }), featured()),
      absent("suspended"),
    ),
    channelCase(
      "suspended-posts",
      "and its posts: that they cannot be had says nothing",
      at(jrd(), actor({ suspended: true, summary: "" }), { ...featured(), status: 403 }),
      absent("suspended"),
    ),
    channelCase(
      "without-https",
      "near miss",
      at(jrd(), actor({ attachment: [field("alice.example", "Site")] }), featured()),
      absent("saved without https://"),
    ),
  ]
}

function fields(count: number) {
  return Array.from({ length: count }, () => field("hello", "Site"))
}

function pinnedPosts(): readonly VectorCase[] {
  const postUrl = post(1).id
  const posted = { url: postUrl, headers: activityType }
  const twenty = Array.from({ length: 20 }, (_, n) => post(n + 2, { content: "<p>hello</p>" }))
  return [
    channelCase("pinned", "an embedded post", at(jrd(), actor(), featured(post(1))), foundIn(postUrl)),
    channelCase(
      "pinned-url",
      "a post named by its URL",
      at(jrd(), actor(), featured(postUrl), { ...posted, body: post(1) }),
      foundIn(postUrl),
    ),
    channelCase(
      "pinned-named-elsewhere",
      "an embedded post that names a place on another host was found at the actor",
      at(jrd(), actor(), featured(post(1, { id: "https://other.example/1" }))),
      foundIn(actorUrl),
    ),
    channelCase(
      "pinned-redirect",
      "a collection that leads to another host",
      at(jrd(), actor(), { ...featured(post(1)), finalUrl: "https://other.example/featured" }),
      unreachable("net.redirect"),
    ),
    channelCase(
      "pinned-boost",
      "P2: somebody else's post that the account shared",
      at(
        jrd(),
        actor(),
        featured({
          type: "Announce",
          actor: actorUrl,
          content: proof,
          object: post(1, { attributedTo: "https://social.example/users/2" }),
        }),
      ),
      absent(),
    ),
    channelCase(
      "pinned-elsewhere",
      "a post on another host is not looked at",
      at(jrd(), actor(), featured("https://other.example/1")),
      absent(),
    ),
    channelCase(
      "pinned-other-author",
      "a post by somebody else is skipped",
      at(jrd(), actor(), featured(post(1, { attributedTo: "https://social.example/users/2" }))),
      absent(),
    ),
    channelCase(
      "pinned-other-id",
      "a post that gives another id than its URL is skipped",
      at(jrd(), actor(), featured(postUrl), { ...posted, body: post(2) }),
      absent(),
    ),
    channelCase("pinned-21", "the 21st post", at(jrd(), actor(), featured(...twenty, post(1))), absent()),
    channelCase(
      "pinned-page",
      "the first page of a collection",
      at(
        jrd(),
        actor(),
        { url: featuredUrl, headers: activityType, body: { type: "OrderedCollection", first: `${featuredUrl}?p=1` } },
        {
          url: `${featuredUrl}?p=1`,
          headers: activityType,
          body: { type: "OrderedCollectionPage", orderedItems: [post(1)] },
        },
      ),
      foundIn(postUrl),
    ),
    channelCase(
      "pinned-deleted",
      "a post that is gone",
      at(jrd(), actor(), featured(postUrl), { ...posted, status: 404 }),
      absent(),
    ),
    channelCase(
      "pinned-failed",
      "pinned posts that cannot be read may hold the proof",
      at(jrd(), actor(), { url: featuredUrl, status: 503 }),
      unreachable("net.status"),
    ),
    channelCase(
      "settled",
      "where the profile holds a whole proof, the posts are not asked for",
      at(jrd(), withProof, { url: featuredUrl, status: 503 }),
      foundInProfile,
    ),
  ]
}

function answers(): readonly VectorCase[] {
  const asType = (type: string) => ({ ...withProof, headers: { "content-type": type } })
  const types = ["text/html", "text/plain", "application/json", "application/ld+json"]
  return [
    ...types.map((type) =>
      channelCase(
        `type-${type.split("/")[1]}`,
        `P7: an upload served as ${type}`,
        at(jrd(), asType(type)),
        unreachable("net.content_type"),
      ),
    ),
    channelCase(
      "type-profile",
      "ld+json with the profile of ActivityStreams",
      at(jrd({ type: profiled }), asType(profiled)),
      foundInProfile,
    ),
    channelCase(
      "jrd-json",
      "WebFinger as application/json",
      at({ ...jrd(), headers: { "content-type": "application/json" } }, withProof),
      foundInProfile,
    ),
    channelCase(
      "jrd-html",
      "WebFinger as a page",
      at({ ...jrd(), headers: { "content-type": "text/html" } }),
      unreachable("net.content_type"),
    ),
    channelCase("no-self", "no ActivityPub account", at(jrd({ type: "text/html" })), absent()),
    channelCase("self-http", "an actor without TLS", at(jrd({ self: "http://social.example/users/1" })), absent()),
    channelCase(
      "no-account",
      "the host knows no such account",
      at({ url: webFingerUrl("social.example", value), status: 404 }),
      absent(),
    ),
    channelCase("gone", "a deleted account", at(jrd(), { url: actorUrl, status: 410 }), absent()),
    channelCase(
      "failing",
      "a failing host",
      at({ url: webFingerUrl("social.example", value), status: 502 }),
      unreachable("net.status"),
    ),
    channelCase("no-host", "a host that cannot be reached", at(), unreachable("net.refused")),
    channelCase(
      "busy",
      "a host that asks to wait",
      at(jrd(), { url: actorUrl, status: 429, headers: { "retry-after": "90" } }),
      {
        ...unreachable("net.rate_limit"),
        retry_after_seconds: 90,
      },
    ),
  ]
}
