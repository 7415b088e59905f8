/** The parts of the github channel that vectors do not show: bounds, headers, sentences. SPEC §7.3. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { apiHeaders, isSameLogin, limitOf, readOwner, shownName } from "../src/github-api.ts"
import { chooseFiles, readGist, sortNamed } from "../src/github-gists.ts"
import { readNext } from "../src/github-list.ts"
import { github, type Net } from "../src/index.ts"
import { createTableNet, type WebAnswer } from "./support/table-net.ts"

const api = "https://api.github.com"
const list = `${api}/users/jason/gists?per_page=100`
const owner = { login: "Jason", id: 5, type: "User" }
const signal = new AbortController().signal

function gistOf(names: Readonly<Record<string, number>>, description = "") {
  const files = Object.entries(names).map(([filename, size]) => [filename, { filename, size, raw_url: "no" }])
  return readGist({ id: "a1", owner, public: true, description, files: Object.fromEntries(files) })
}

test("apiHeaders() names a token only where there is one", () => {
  assert.equal(Object.hasOwn(apiHeaders(undefined), "authorization"), false)
  assert.equal(apiHeaders("t")["authorization"], "Bearer t")
})

test("readNext() takes the next page of the API and nothing else", () => {
  const at = (url: string, rel = "next") => readNext(`<${api}/first>; rel="prev", <${url}>; rel="${rel}"`)
  assert.equal(at(`${api}/user/5/gists?page=2`), `${api}/user/5/gists?page=2`)
  for (const url of [
    "https://api.github.com.evil.example/",
    "http://api.github.com/x",
    "https://api.github.com@evil.example/",
  ]) {
    assert.equal(at(url), undefined, url)
  }
  for (const url of ["https://u:p@api.github.com/x", "https://api.github.com:8080/", "/gists?page=2", "no"]) {
    assert.equal(at(url), undefined, url)
  }
  assert.equal(at(`${api}/x`, "last"), undefined)
  assert.equal(readNext(undefined), undefined)
})

test("readOwner() wants a plain login and a positive number", () => {
  assert.deepEqual(readOwner(owner), { login: "Jason", id: "5", type: "User" })
  for (const wrong of [
    { ...owner, id: "5" },
    { ...owner, id: 0 },
    { ...owner, id: 1.5 },
    { ...owner, login: "ja\u212aon" },
    null,
  ]) {
    assert.equal(readOwner(wrong), undefined)
  }
  assert.equal(isSameLogin("Jason", "jason"), true)
  assert.equal(isSameLogin("jason", "jason2"), false)
})

test("chooseFiles() keeps to the number and to the bytes, and passes over what is too large", () => {
  const files = gistOf({ "a.txt": 0, "b.txt": 262_145, "c.txt": 262_144, "d.txt": 100, "e.txt": 1 })?.files ?? []
  const names = (maxFiles: number, maxBytes: number) => chooseFiles(files, maxFiles, maxBytes).map(({ name }) => name)
  assert.deepEqual(names(16, 1_048_576), ["c.txt", "d.txt", "e.txt"])
  assert.deepEqual(names(2, 1_048_576), ["c.txt", "d.txt"])
  assert.deepEqual(names(16, 100), ["d.txt"])
})

test("sortNamed() puts names before descriptions", () => {
  const names = (description: string) => sortNamed(gistOf({ "a.txt": 1, "Proof-KEZ": 1 }, description)?.files ?? [])
  assert.deepEqual(
    names("").map(({ name }) => name),
    ["Proof-KEZ"],
  )
  assert.deepEqual(
    names("for kez").map(({ name }) => name),
    ["Proof-KEZ", "a.txt"],
  )
})

test("readGist() survives anything in the place of a gist", () => {
  for (const value of [null, 1, "x", [], {}, { id: "../x", owner }, { id: "a1" }, { id: 5, owner }]) {
    assert.equal(readGist(value), undefined)
  }
  for (const files of [
    null,
    [],
    "kez.md",
    { a: null },
    { a: { filename: 1, size: 1 } },
    { a: { filename: "a", size: -1 } },
  ]) {
    assert.deepEqual(readGist({ id: "a1", owner, files })?.files, [])
  }
})

test("limitOf() reads a wait only from refusals", () => {
  const seen = { url: api, body: new Uint8Array(), sha256: "", fetchedAt: 1_000 }
  const headers = { "x-ratelimit-remaining": "0" }
  const message = new TextEncoder().encode("You have exceeded a secondary rate limit.")
  assert.equal(limitOf({ ...seen, status: 403, headers, retryAfterSeconds: 7 }), 7)
  assert.equal(limitOf({ ...seen, status: 403, headers }), 60)
  assert.equal(limitOf({ ...seen, status: 403, headers: {}, body: message }), 60)
  assert.equal(limitOf({ ...seen, status: 403, headers: {} }), undefined)
  assert.equal(limitOf({ ...seen, status: 200, headers }), undefined)
  assert.equal(limitOf({ ...seen, status: 503, headers, retryAfterSeconds: 7 }), undefined)
})

test("shownName() leaves nothing that a terminal obeys", () => {
  assert.equal(shownName("a\u001b[31m\n\u202eb"), "a?[31m??b")
  assert.equal(shownName("n".repeat(100)).length, 61)
})

test("collect() throws the reason of a caller who gave up, at any of its looks", async () => {
  const reason = new Error("gave up")
  const table = createTableNet({ web: [{ url: list, body: [] }] })
  for (const allowed of [0, 1]) {
    let count = 0
    const net: Net = {
      ...table,
      fetch: (url, options) => (count++ < allowed ? table.fetch(url, options) : Promise.reject(reason)),
    }
    await assert.rejects(github.collect("jason", net, { signal }), (error) => error === reason)
  }
})

test("collect() asks nothing more of one who asked to wait", async () => {
  const web: readonly WebAnswer[] = [
    { url: list, headers: { link: `<${api}/user/5/gists?page=2>; rel="next"` }, body: [] },
    { url: `${api}/user/5/gists?page=2`, status: 429, headers: { "retry-after": "9" }, body: {} },
  ]
  const net = createTableNet({ web })
  const publication = await github.collect("jason", net, { signal, knownAccountId: "5" })
  assert.equal(publication.status === "unreachable" && publication.retryAfterSeconds, 9)
  assert.deepEqual(
    net.asked,
    web.map(({ url }) => `GET ${url}`),
  )
})

test("collect() with a token says whose limit is used up, and never the token", async () => {
  const table = createTableNet({ web: [{ url: list, status: 429, body: {} }] })
  const net = { ...table, settings: { ...table.settings, githubToken: "secret-token" } }
  const publication = await github.collect("jason", net, { signal })
  assert.match(publication.evidence[0]?.note ?? "", /this token is used up/)
  assert.ok(!JSON.stringify(publication).includes("secret-token"))
})
