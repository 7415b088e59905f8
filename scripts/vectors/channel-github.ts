/** vectors/channel-github.json: what GitHub's API answers about an account, and what is taken from it. SPEC §7.3. */
import { absent, channelCase, found, invalid, unreachable, type WebAnswer } from "./channel-case.ts"
import { accountCases } from "./channel-github-accounts.ts"
import {
  api,
  at,
  file,
  gist,
  inGist,
  inReadme,
  jason,
  list,
  listUrl,
  noRepo,
  now,
  other,
  page,
  proof,
  raw,
  rawUrl,
  readme,
  repo,
  text,
  whole,
} from "./channel-github-answers.ts"
import { confirmedCases } from "./channel-github-confirmed.ts"
import type { VectorFile } from "./vector-file.ts"

function gists() {
  return [
    channelCase("gist", "a file kez.md in a public gist", at(list(gist("a1")), whole("a1")), inGist("a1")),
    channelCase(
      "any-name",
      "a file of any name, though after those that say kez",
      at(
        list(gist("a1", { name: "b.txt" }), gist("a2")),
        file("a1", proof, "b.txt"),
        whole("a1", proof, "b.txt"),
        whole("a2", "nothing"),
      ),
      found("583231", [[proof, `${page}/a1`]]),
    ),
    channelCase(
      "named-first",
      "where a file that says kez holds a proof, others are not read",
      at(list(gist("a1", { name: "b.txt" }), gist("a2")), whole("a2")),
      inGist("a2"),
    ),
    channelCase(
      "described",
      "the description may say kez too",
      at(list(gist("a1", { name: "b.txt" }, { description: "My KEZ proof" })), whole("a1", proof, "b.txt")),
      inGist("a1"),
    ),
    channelCase(
      "foreign-gist",
      "P1 a gist of another account is not read, and said",
      at(list(gist("a1", {}, { owner: other })), noRepo),
      invalid("account.owner", "gist a1 belongs to another account"),
    ),
    channelCase(
      "foreign-beside-own",
      "a foreign gist does not spoil an own proof",
      at(list(gist("a1", {}, { owner: other }), gist("a2")), whole("a2")),
      inGist("a2"),
    ),
    channelCase(
      "other-number",
      "the same login with another number is another account; the first gist tells the number",
      at(list(gist("a1"), gist("a2", {}, { owner: { ...jason, id: 2 } })), whole("a1", "nothing"), noRepo),
      invalid("account.owner"),
    ),
    channelCase(
      "secret",
      "a gist that is not public is not read",
      at(list(gist("a1", {}, { public: false })), noRepo),
      absent(),
    ),
    channelCase("empty-list", "no gists, no repository", at(list(), noRepo), absent("jason has no public gist")),
    channelCase(
      "too-large",
      "a file above 262,144 bytes is not read",
      at(list(gist("a1", { size: 262_145 })), noRepo),
      absent("looked at 0 of 1 files"),
    ),
    channelCase(
      "raw-elsewhere",
      "N10 a raw URL of another host is not fetched: the API is asked",
      at(
        list(gist("a1", { name: "b.txt", raw_url: `${raw}.evil.example/Jason/a1/raw/0/b.txt` })),
        whole("a1", proof, "b.txt"),
      ),
      inGist("a1"),
    ),
    channelCase(
      "raw-of-another",
      "nor one of another login",
      at(
        list(gist("a1", { name: "b.txt", raw_url: `${raw}/mallory/a1/raw/0/b.txt` })),
        whole("a1", "nothing", "b.txt"),
        noRepo,
      ),
      absent(),
    ),
    channelCase(
      "page-two",
      "the next page, by the Link header, on the same host",
      at(
        {
          url: listUrl,
          headers: { link: `<${api}/user/583231/gists?per_page=100&page=2>; rel="next"` },
          body: [gist("a1", { name: "b.txt" })],
        },
        { url: `${api}/user/583231/gists?per_page=100&page=2`, body: [gist("a2")] },
        whole("a2"),
      ),
      inGist("a2"),
    ),
    channelCase(
      "page-elsewhere",
      "a next page on another host is not asked for",
      at({ url: listUrl, headers: { link: `<https://evil.example/gists?page=2>; rel="next"` }, body: [] }, noRepo),
      absent(),
    ),
  ]
}

function readmes() {
  return [
    channelCase("readme", "the profile README, after the gists", at(list(), repo(), readme(proof)), inReadme),
    channelCase(
      "no-readme",
      "a repository without README",
      at(list(), repo(), { url: `${noRepo.url}/readme`, status: 404 }),
      absent(),
    ),
    channelCase(
      "given-away",
      "a redirect to a repository of another account",
      at(list(), repo({ owner: other }, `${api}/repositories/9`)),
      invalid("account.owner", "belongs to mallory now"),
    ),
    channelCase(
      "repo-renamed",
      "a redirect to a repository of another name",
      at(list(), repo({ name: "old" }, `${api}/repositories/9`)),
      absent("is named old now"),
    ),
    channelCase(
      "organisation",
      "P2 the README of an organisation",
      at(list(), repo({ owner: { ...jason, type: "Organization" } })),
      absent(),
    ),
    channelCase(
      "private-repo",
      "a private repository, seen with the owner's token",
      at(list(), repo({ private: true })),
      absent(),
    ),
    channelCase("copied-repo", "P2 a copy of another's repository", at(list(), repo({ fork: true })), absent()),
  ]
}

function troubles() {
  const refuse = (status: number, headers: Readonly<Record<string, string>> = {}, message = "no"): WebAnswer => ({
    url: listUrl,
    status,
    headers,
    body: { message },
  })
  const scanned = list(gist("a1", { name: "b.txt" }))
  const limited = (seconds: number) => ({ ...unreachable("net.rate_limit"), retry_after_seconds: seconds })
  return [
    channelCase(
      "limit",
      "P12 the hourly limit, with the time of its end",
      at(refuse(403, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(now + 1_920) })),
      { ...limited(1_920), notes: ["again at 08:32 UTC"] },
    ),
    channelCase(
      "limit-429",
      "Retry-After counts before the other headers",
      at(refuse(429, { "retry-after": "90", "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(now + 5) })),
      limited(90),
    ),
    channelCase(
      "limit-secondary",
      "a refusal that only its message explains",
      at(refuse(403, {}, "You have exceeded a secondary rate limit.")),
      limited(60),
    ),
    channelCase(
      "limit-past",
      "an end that has passed",
      at(refuse(403, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(now - 5) })),
      limited(0),
    ),
    channelCase("forbidden", "P12 403 without a limit", at(refuse(403)), unreachable("net.status")),
    channelCase("failing", "P12 500", at(refuse(500)), unreachable("net.status")),
    channelCase("410", "P12 410", at(refuse(410)), absent()),
    channelCase(
      "file-down",
      "a file that did not answer might have been the proof",
      at(scanned, { url: rawUrl("a1", "b.txt"), status: 503, headers: text }, noRepo),
      unreachable("net.status"),
    ),
    channelCase(
      "file-gone",
      "a file that is gone is none",
      at(scanned, { url: rawUrl("a1", "b.txt"), status: 404, headers: text }, noRepo),
      absent(),
    ),
    channelCase(
      "file-page",
      "N16 a web page in the place of a file",
      at(scanned, { url: rawUrl("a1", "b.txt"), headers: { "content-type": "text/html" }, body: proof }, noRepo),
      unreachable("net.content_type"),
    ),
    channelCase(
      "readme-limited",
      "the limit met after the gists",
      at(list(), { ...refuse(429, { "retry-after": "7" }), url: noRepo.url }),
      limited(7),
    ),
  ]
}

function misses() {
  const claimed_at = now - 60
  return [
    channelCase(
      "age",
      "what was looked at, and how old it is",
      at(list(gist("a1"), gist("a2", { name: "b.txt" })), whole("a1", "x"), file("a2", "y", "b.txt"), noRepo),
      absent("looked at 2 public gists of jason, newest 3 min old, none has a KEZ block", "its name says kez"),
    ),
    channelCase(
      "secret-guess",
      "nothing is newer than the claim",
      { ...at(list(gist("a1")), whole("a1", "x"), noRepo), claimed_at },
      absent("no public gist is newer than this claim: is it secret?"),
    ),
    channelCase(
      "cut",
      "a block that ends too early is a broken proof, with a note",
      at(list(gist("a1")), whole("a1", '```kez\n{"kez":"claim",')),
      { ...inGist("a1", '```kez\n{"kez":"claim",'), notes: ["block found but cut after 15 characters"] },
    ),
  ]
}

export function channelGithub(): VectorFile {
  return {
    spec: "§7.3",
    about:
      "What the places of github:jason come to. Texts are candidates: none of these is a right proof. Now is 1800000000, no token is set; what is not listed refuses the connection.",
    cases: [...gists(), ...confirmedCases(), ...readmes(), ...accountCases(), ...troubles(), ...misses()],
  }
}
