/** Cases of vectors/channel-github.json about gists that the API confirms, or does not: forks among them. SPEC §7.3 [GH-5]. */
import { absent, channelCase, invalid, unreachable, type WebAnswer } from "./channel-case.ts"
import { api, at, file, gist, inGist, jason, list, noRepo, other, proof, whole } from "./channel-github-answers.ts"
import type { VectorCase } from "./vector-file.ts"

export function confirmedCases(): readonly VectorCase[] {
  const scanned = list(gist("a1", { name: "b.txt" }))
  const fork_of = { id: "f1", owner: other, public: true }
  const answer = (status: number, headers: Readonly<Record<string, string>> = {}): WebAnswer => ({
    url: `${api}/gists/a1`,
    status,
    headers,
    body: { message: "no" },
  })
  const many = ["a1", "a2", "a3", "a4", "a5"]
  return [
    channelCase(
      "fork",
      "P2 a fork that the account itself made, which the list shows as its own",
      at(list(gist("a1")), whole("a1", proof, "kez.md", { fork_of }), noRepo),
      absent("gist a1 is a fork; a fork does not count: make a new gist"),
    ),
    channelCase(
      "fork-other-name",
      "P2 a fork in which the raw host shows a proof",
      at(scanned, file("a1", proof, "b.txt"), whole("a1", proof, "b.txt", { fork_of }), noRepo),
      absent("gist a1 is a fork"),
    ),
    channelCase(
      "fork-beside-own",
      "P2 a fork does not spoil an own proof",
      at(list(gist("a1"), gist("a2")), whole("a1", proof, "kez.md", { fork_of }), whole("a2")),
      inGist("a2"),
    ),
    channelCase(
      "fork-none",
      "an origin that is null is none",
      at(list(gist("a1")), whole("a1", proof, "kez.md", { fork_of: null })),
      inGist("a1"),
    ),
    channelCase(
      "fork-odd",
      "any other value in its place is one",
      at(list(gist("a1")), whole("a1", proof, "kez.md", { fork_of: false }), noRepo),
      absent("gist a1 is a fork"),
    ),
    channelCase(
      "confirm-owner",
      "P1 the gist has to name the owner again, by login and number",
      at(list(gist("a1")), whole("a1", proof, "kez.md", { owner: { ...jason, id: 2 } }), noRepo),
      invalid("account.owner", "gist a1 belongs to another account"),
    ),
    channelCase(
      "confirm-id",
      "an answer about another gist",
      at(list(gist("a1")), whole("a1", proof, "kez.md", { id: "a9" }), noRepo),
      invalid("account.owner"),
    ),
    channelCase(
      "confirm-secret",
      "P2 a gist that the list shows as public and that is not",
      at(list(gist("a1")), whole("a1", proof, "kez.md", { public: false }), noRepo),
      absent("gist a1 is not public"),
    ),
    channelCase(
      "confirm-content",
      "what the API shows counts, not what the raw host showed",
      at(scanned, file("a1", proof, "b.txt"), whole("a1", "nothing", "b.txt"), noRepo),
      absent(),
    ),
    channelCase("confirm-gone", "a gist that is gone", at(list(gist("a1")), answer(404), noRepo), absent()),
    channelCase(
      "confirm-failing",
      "P12 a proof that was seen and not confirmed is neither valid nor absent",
      at(scanned, file("a1", proof, "b.txt"), answer(502), noRepo),
      unreachable("net.status"),
    ),
    channelCase(
      "confirm-limited",
      "P12 nor where the limit came between",
      at(scanned, file("a1", proof, "b.txt"), answer(403, { "retry-after": "9" })),
      { ...unreachable("net.rate_limit"), retry_after_seconds: 9 },
    ),
    channelCase(
      "truncated",
      "a file that the API cuts is read from the raw host, once its gist is confirmed",
      at(list(gist("a1")), whole("a1", "kez", "kez.md", {}, { truncated: true }), file("a1")),
      inGist("a1"),
    ),
    channelCase(
      "binary",
      "content in base64 is no text",
      at(list(gist("a1")), whole("a1", proof, "kez.md", {}, { encoding: "base64" }), noRepo),
      absent(),
    ),
    channelCase(
      "fifth-named",
      "a fifth gist that says kez is read where the first four hold no proof",
      at(
        list(...many.map((id) => gist(id))),
        ...many.slice(0, 4).map((id) => whole(id, "nothing")),
        file("a5"),
        whole("a5"),
      ),
      inGist("a5"),
    ),
    channelCase(
      "too-many",
      "more gists that look like a proof than are asked for",
      at(
        list(...many.map((id) => gist(id, { name: "b.txt" }))),
        ...many.map((id) => file(id, proof, "b.txt")),
        ...many.slice(0, 4).map((id) => whole(id, proof, "b.txt", { fork_of })),
        noRepo,
      ),
      invalid("limit.candidates"),
    ),
  ]
}
