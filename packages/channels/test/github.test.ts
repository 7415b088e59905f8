/** The parts of the github channel that vectors do not show: bounds, headers, sentences. SPEC §7.3. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { apiHeaders, isSameLogin, limitOf, readOwner, shownName } from "../src/github-api.ts"
import { chooseFiles, readGist, sortFiles, sortNamed } from "../src/github-gists.ts"
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

test("sortFiles() and sortNamed() put names before descriptions, and keep the order of equals", () => {
  const files = gistOf({ "a.txt": 1, "Proof-KEZ": 1, "b.txt": 1 })?.files ?? []
  assert.deepEqual(
    sortFiles(files).map(({ name }) => name),
    ["Proof-KEZ", "a.txt", "b.txt"],
  )
  const gists = [gistOf({ "a.txt": 1 }), gistOf({ "a.txt": 1 }, "for kez"), gistOf({ "Proof-KEZ": 1 })].filter(
    (gist) => gist !== undefined,
  )
  assert.deepEqual(sortNamed(gists), [gists[2], gists[1]])
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

const raw = "https://gist.githubusercontent.com/Jason"

function listed(id: string, filename: string): object {
  const files = { [filename]: { filename, size: 15, raw_url: `${raw}/${id}/raw/0/${filename}` } }
  return { id, owner, public: true, updated_at: "2027-01-15T07:57:00Z", files }
}

function whole(id: string, filename: string, content: string): WebAnswer {
  return { url: `${api}/gists/${id}`, body: { ...listed(id, filename), files: { [filename]: { filename, content } } } }
}

function rawFile(id: string, filename: string, body: string): WebAnswer {
  return { url: `${raw}/${id}/raw/0/${filename}`, headers: { "content-type": "text/plain" }, body }
}

test("collect() asks twice for a usual proof, and the raw host nothing", async () => {
  const web = [{ url: list, body: [listed("a1", "kez.md")] }, whole("a1", "kez.md", "kez:z1:KLUv_SAA")]
  const net = createTableNet({ web })
  assert.equal((await github.collect("jason", net, { signal })).status, "found")
  assert.deepEqual(
    net.asked,
    web.map(({ url }) => `GET ${url}`),
  )
})

test("collect() asks the API for four named gists and four that look like a proof, and no more", async () => {
  const named = Array.from({ length: 6 }, (_, i) => `c${i}`)
  const others = Array.from({ length: 20 }, (_, i) => `d${i}`)
  const fork = { fork_of: { id: "f" } }
  const forked = (id: string, name: string) => {
    const { url, body } = whole(id, name, "kez:z1:KLUv_SAA")
    return { url, body: { ...(body as object), ...fork } }
  }
  const web: WebAnswer[] = [
    { url: list, body: [...named.map((id) => listed(id, "kez.md")), ...others.map((id) => listed(id, "b.txt"))] },
    ...named.flatMap((id) => [forked(id, "kez.md"), rawFile(id, "kez.md", "kez:z1:KLUv_SAA")]),
    ...others.flatMap((id) => [forked(id, "b.txt"), rawFile(id, "b.txt", "kez:z1:KLUv_SAA")]),
    { url: `${api}/repos/jason/jason`, status: 404, body: {} },
  ]
  const net = createTableNet({ web })
  const publication = await github.collect("jason", net, { signal })
  assert.equal(publication.status === "invalid" && publication.code, "limit.candidates")
  assert.equal(net.asked.filter((one) => one.startsWith(`GET ${api}/gists/`)).length, 8)
  assert.equal(net.asked.filter((one) => one.startsWith(`GET ${raw}/`)).length, 16)
  assert.equal(net.asked.length, 26)
})

test("collect() says unreachable for a proof that was seen when the limit came before its confirmation", async () => {
  const web = [
    { url: list, body: [listed("a1", "b.txt"), listed("a2", "b.txt")] },
    ...["a1", "a2"].map((id) => rawFile(id, "b.txt", "kez:z1:KLUv_SAA")),
    { url: `${api}/gists/a1`, status: 429, headers: { "retry-after": "9" }, body: {} },
  ]
  const net = createTableNet({ web })
  const publication = await github.collect("jason", net, { signal })
  assert.equal(publication.status === "unreachable" && publication.code, "net.rate_limit")
  assert.equal(net.asked.length, 4, "nothing after the limit")
})

test("collect() with a token says whose limit is used up, and never the token", async () => {
  const table = createTableNet({ web: [{ url: list, status: 429, body: {} }] })
  const net = { ...table, settings: { ...table.settings, githubToken: "secret-token" } }
  const publication = await github.collect("jason", net, { signal })
  assert.match(publication.evidence[0]?.note ?? "", /this token is used up/)
  assert.ok(!JSON.stringify(publication).includes("secret-token"))
})
