/** Cases of vectors/channel-ap.json about which account a name means: both ways, renamed and taken over. SPEC §7.6. */
import {
  actor,
  actorUrl,
  at,
  featured,
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
  const longActor = (length: number) =>
    at(jrd({ self: longUrl(length) }), actor({ id: longUrl(length), summary: proof }, { url: longUrl(length) }))
  const others = Array.from({ length: 64 }, () => ({ rel: "other", href: actorUrl }))
  const selfLink = [{ rel: "self", type: "application/activity+json", href: actorUrl }]
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
      "subject-redirect",
      "P7: an answer from the actor's host, but about another name than the one asked for",
      at(
        { ...jrd({ self: webActor, subject: "acct:alice@web.example" }), finalUrl: webFingerUrl("web.example", value) },
        there,
        back({ account: "alice@web.example", subject: "acct:alice@web.example" }),
        { url: webFingerUrl("web.example", value), status: 404 },
      ),
      invalid("account.one_sided"),
    ),
    channelCase(
      "subject-no-domain",
      "P7: a subject at an address",
      at(jrd({ subject: "acct:alice@127.0.0.1" }), withProof, jrd({ host: "127.0.0.1", account: "alice@127.0.0.1" })),
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
      "self-512",
      "an actor URL of 512 characters",
      longActor(512),
      found(longUrl(512), [[proof, longUrl(512)]]),
    ),
    channelCase("self-513", "and of one more", longActor(513), absent()),
    channelCase(
      "id-513",
      "or one that a redirect leads to",
      at(jrd(), { ...actor({ id: longUrl(513), summary: proof }), finalUrl: longUrl(513) }),
      invalid("account.id"),
    ),
    channelCase(
      "self-fragment",
      "an actor URL with a fragment is none",
      at(jrd({ self: `${actorUrl}#` }), withProof),
      absent(),
    ),
    channelCase(
      "self-65",
      "only the first 64 links count",
      at({ ...jrd(), body: { subject: `acct:${value}`, links: [...others, ...selfLink] } }, withProof),
      absent(),
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

function longUrl(length: number): string {
  return `${actorUrl}?`.padEnd(length, "a")
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
      "suspended-other",
      "suspended, and another account than the known one",
      knowing("https://social.example/users/0", jrd(), actor({ suspended: true }), featured()),
      invalid("account.changed"),
    ),
    channelCase(
      "suspended-moved",
      "suspended, and it has moved",
      knowing(actorUrl, jrd(), actor({ suspended: true, movedTo: "https://new.example/users/1" }), featured()),
      invalid("account.renamed"),
    ),
    channelCase(
      "known-other",
      "at the place of the known account stands another one now",
      knowing(actorUrl, gone, {
        ...actor({ id: "https://social.example/users/9", preferredUsername: "mallory" }),
        finalUrl: "https://social.example/users/9",
      }),
      absent(),
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
