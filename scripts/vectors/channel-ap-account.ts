/** Cases of vectors/channel-ap.json about which account a name means: both ways, secure mode, renamed and taken over. SPEC §7.6. */
import {
  actor,
  actorUrl,
  at,
  featured,
  foundIn,
  foundInProfile,
  type JrdParts,
  jrd,
  proof,
  value,
  webFingerUrl,
  withProof,
} from "./ap-place.ts"
import { absent, type ChannelInput, channelCase, found, invalid, unreachable, type WebAnswer } from "./channel-case.ts"
import type { VectorCase } from "./vector-file.ts"

export function twoWays(): readonly VectorCase[] {
  const webActor = "https://web.example/users/1"
  const there = actor({ id: webActor, summary: proof, featured: undefined }, { url: webActor })
  const foundThere = found(webActor, [[proof, webActor]])
  const back = (parts: JrdParts) => jrd({ host: "web.example", self: webActor, ...parts })
  const split = (...web: readonly WebAnswer[]) => at(jrd({ self: webActor }), there, ...web)
  return [
    channelCase("split", "P7: the actor's own host says the same", split(back({})), foundThere),
    channelCase(
      "split-silent",
      "P7: it knows no such account",
      split({ url: webFingerUrl("web.example", value), status: 404 }),
      invalid("account.one_sided"),
    ),
    channelCase(
      "split-down",
      "P7: it does not answer",
      split({ url: webFingerUrl("web.example", value), status: 500 }),
      unreachable("net.status"),
    ),
    channelCase(
      "split-other",
      "P7: it names another actor",
      split(back({ self: "https://web.example/users/2" })),
      invalid("account.one_sided"),
    ),
    channelCase(
      "split-no-subject",
      "P7: it does not say for whom it answers",
      split(back({ subject: undefined })),
      invalid("account.one_sided"),
    ),
    channelCase(
      "split-redirect",
      "the first answer came from the actor's host already",
      at({ ...jrd({ self: webActor }), finalUrl: webFingerUrl("web.example", value) }, there),
      foundThere,
    ),
    channelCase(
      "subject-other",
      "P7: another subject, whose host and the actor's agree",
      at(
        jrd({ subject: "acct:Alice@Names.example" }),
        withProof,
        jrd({ host: "names.example", account: "alice@names.example", subject: "acct:alice@names.example" }),
      ),
      foundInProfile,
    ),
    channelCase(
      "subject-other-silent",
      "P7: another subject, whose host does not know it",
      at(jrd({ subject: "acct:alice@names.example" }), withProof, {
        url: webFingerUrl("names.example", "alice@names.example"),
        status: 404,
      }),
      invalid("account.one_sided"),
    ),
    channelCase(
      "subject-url",
      "P7: a subject that is some URL",
      at(jrd({ subject: "https://x.example/" }), withProof),
      invalid("account.one_sided"),
    ),
    channelCase(
      "subject-case",
      "letters of a subject in any case",
      at(jrd({ subject: "acct:Alice@Social.Example" }), withProof),
      foundInProfile,
    ),
    channelCase(
      "other-name",
      "P7: the actor calls itself otherwise",
      at(jrd(), actor({ preferredUsername: "mallory", summary: proof })),
      invalid("account.one_sided"),
    ),
    channelCase(
      "id",
      "P7: another id than the URL",
      at(jrd(), actor({ id: "https://social.example/users/2", summary: proof })),
      invalid("account.id"),
    ),
    channelCase(
      "id-fragment",
      "P7: an id with a fragment",
      at(jrd(), actor({ id: `${actorUrl}#me`, summary: proof })),
      invalid("account.id"),
    ),
    channelCase(
      "id-redirect",
      "the id is the URL after redirects",
      at(jrd({ self: "https://social.example/people/alice" }), {
        ...withProof,
        url: "https://social.example/people/alice",
        finalUrl: actorUrl,
      }),
      foundInProfile,
    ),
  ]
}

export function secureMode(): readonly VectorCase[] {
  const refused = { url: actorUrl, status: 401 }
  const lookupUrl = "https://social.example/api/v1/accounts/lookup?acct=alice"
  const pinnedUrl = "https://social.example/api/v1/accounts/7/statuses?pinned=true"
  const account = {
    id: "7",
    username: "alice",
    url: "https://social.example/@alice",
    uri: actorUrl,
    note: "",
    fields: [],
  }
  const lookup = (members: Readonly<Record<string, unknown>>) => ({ url: lookupUrl, body: { ...account, ...members } })
  const pinned = (...posts: readonly unknown[]) => ({ url: pinnedUrl, body: posts })
  const own = { id: "1", uri: `${actorUrl}/statuses/1`, account: { id: "7" }, content: `<p>${proof}</p>` }
  const proofField = { fields: [{ name: "KEZ", value: proof }] }
  return [
    channelCase(
      "secure-field",
      "the API of the same server",
      at(jrd(), refused, lookup(proofField), pinned()),
      foundInProfile,
    ),
    channelCase(
      "secure-url",
      "without uri, by the profile page",
      at(jrd(), refused, lookup({ ...proofField, uri: undefined }), pinned()),
      foundInProfile,
    ),
    channelCase(
      "secure-pinned",
      "a pinned post by the API",
      at(jrd(), refused, lookup({}), pinned(own)),
      foundIn(own.uri),
    ),
    channelCase("secure-absent", "nothing in it", at(jrd(), refused, lookup({}), pinned()), absent()),
    channelCase(
      "secure-unlisted",
      "pinned posts are not listed",
      at(jrd(), refused, lookup({}), { url: pinnedUrl, status: 401 }),
      unreachable("net.status"),
    ),
    channelCase(
      "secure-other",
      "an answer about another actor",
      at(jrd(), refused, lookup({ ...proofField, uri: "https://social.example/users/2" })),
      unreachable("net.status", "only answers signed requests"),
    ),
    channelCase(
      "secure-closed",
      "no public API",
      at(jrd(), { url: actorUrl, status: 403 }, { url: lookupUrl, status: 401 }),
      unreachable("net.status", "only answers signed requests"),
    ),
  ]
}

export function known(): readonly VectorCase[] {
  const gone = { url: webFingerUrl("social.example", value), status: 404 }
  const knowing = (id: string, ...web: readonly WebAnswer[]): ChannelInput => ({ ...at(...web), known_account_id: id })
  return [
    channelCase(
      "taken-over",
      "the name is another account, with a proof: the id says so",
      knowing("https://social.example/users/0", jrd(), withProof),
      foundInProfile,
    ),
    channelCase(
      "taken-over-bare",
      "the name is another account, without a proof",
      knowing("https://social.example/users/0", jrd(), actor(), featured()),
      invalid("account.changed"),
    ),
    channelCase(
      "renamed",
      "the account has another name",
      knowing(actorUrl, gone, actor({ preferredUsername: "alicia" })),
      invalid("account.renamed", "alicia"),
    ),
    channelCase(
      "moved",
      "the account has moved",
      knowing(actorUrl, gone, actor({ movedTo: "https://new.example/users/1" })),
      invalid("account.renamed", "https://new.example/users/1"),
    ),
    channelCase(
      "moved-named",
      "it has moved, and the name still leads there",
      knowing(actorUrl, jrd(), actor({ movedTo: "https://new.example/users/1" }), featured()),
      invalid("account.renamed"),
    ),
    channelCase(
      "known-gone",
      "neither the name nor the account is there",
      knowing(actorUrl, gone, { url: actorUrl, status: 410 }),
      absent(),
    ),
    channelCase(
      "known-same",
      "the account is there under the same name, WebFinger is not",
      knowing(actorUrl, gone, withProof),
      absent(),
    ),
  ]
}
