/** The directory's HTTP side by adversarial.md C.7, against a real process: names, WebFinger, NIP-05, pages, tiles. SPEC §7.8 */
import assert from "node:assert/strict"
import { chmodSync, existsSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { after, before, suite, test } from "node:test"
import { judgeLookUp, rememberDirectory, watchOwnHandle } from "../../packages/core/src/directory/index.ts"
import { encodeChain, formatEnvelope } from "../../packages/core/src/index.ts"
import {
  bundlesOf,
  decodeBundle,
  emptyFrontier,
  formatTilePath,
  isConsistent,
  openCheckpoint,
  parseNoteKey,
} from "../../packages/core/src/tlog/index.ts"
import {
  ask,
  nowSeconds,
  personWith,
  postJson,
  register,
  runChatServer,
  signerOf,
  startChatServer,
  stated,
} from "../support/chat-server.ts"
import type { ServerProcess } from "../support/server-process.ts"

const cleaners: (() => Promise<void> | void)[] = []
const alice = signerOf(1)
const nora = signerOf(2, "nostr")

suite("handles over HTTP", () => {
  let server: ServerProcess
  before(async () => {
    server = await startChatServer({ after: (clean) => void cleaners.push(clean) })
    const person = await personWith(
      alice,
      "kez:alice@localhost",
      "github:alice",
      "ap:alice@example.social",
      "dns:alice.example.org",
    )
    assert.equal((await register(server, person, "alice")).status, 201)
    assert.equal((await register(server, await personWith(nora, "kez:nora@localhost"), "nora")).status, 201)
  })
  after(async () => {
    for (const clean of cleaners) await clean()
  })
  const get = (path: string, init: RequestInit = {}) => ask(`${server.url}${path}`, init)

  const badNames = [
    ["H1", "\u212Aez", "identity.charset"],
    ["H1", "d\u0131ck", "identity.charset"],
    ["H1", "bo\u017Fs", "identity.charset"],
    ["H1", "\uFF41lice", "identity.charset"],
    ["H1", "al\u200Bice", "identity.charset"],
    ["H1", "al\u202Eice", "identity.charset"],
    ["H1", "e\u0301ve", "identity.charset"],
    ["H2", "al", "identity.syntax"],
    ["H2", "a".repeat(31), "identity.syntax"],
    ["H2", "-ali", "identity.syntax"],
    ["H2", "ali-", "identity.syntax"],
    ["H2", "a--b", "identity.syntax"],
    ["H2", "a_-b", "identity.syntax"],
    ["H2", "1ab", "identity.syntax"],
    ["H2", "x".repeat(10_000), "limit.size"],
  ] as const
  for (const [id, name, code] of badNames) {
    test(`${id} the handle ${JSON.stringify(name.slice(0, 20))} is refused with ${code}, looked up and registered`, async () => {
      const found = await get(`/v1/handles/${encodeURIComponent(name)}`)
      assert.deepEqual([found.status, found.body.code], [400, code])
      const person = await personWith(signerOf(3), "kez:somebody@localhost")
      const registration = JSON.parse(formatEnvelope(await stated("handle_registration", person, "somebody")))
      registration.payload.handle = name
      const posted = await postJson(`${server.url}/v1/register`, {
        registration,
        chain: encodeChain(person.chain.path),
      })
      assert.deepEqual([posted.status, posted.body.code], [422, code])
    })
  }

  test("H1 Alice is alice", async () => {
    assert.equal((await get("/v1/handles/Alice")).body.handle, "alice")
    assert.equal((await get("/v1/handles/@ALICE")).body.handle, "alice")
  })

  test("H9 naughty strings as names are a typed refusal, never a 500", async (t) => {
    const path = join(
      process.env["KEZ_PUBLIC_VECTORS"] ?? join(import.meta.dirname, "../../../shared/vectors"),
      "naughty-strings/blns.json",
    )
    if (!existsSync(path))
      return t.skip("missing public vectors: naughty-strings (KEZ_PUBLIC_VECTORS names their folder)")
    const strings: readonly string[] = JSON.parse(readFileSync(path, "utf8"))
    assert.ok(strings.length > 500)
    const places = [
      "/v1/handles/",
      "/v1/by-primary/",
      "/@",
      "/.well-known/webfinger?resource=acct:",
      "/.well-known/nostr.json?name=",
    ]
    for (const text of strings) {
      for (const place of places) {
        const { status } = await get(`${place}${encodeURIComponent(text.toWellFormed())}`)
        assert.ok([200, 400, 404].includes(status), `${status} ${place}${text}`)
      }
    }
  })

  const webFinger = "/.well-known/webfinger"
  const refused = [
    ["no resource", "", 400],
    ["an empty one", "?resource=", 400],
    ["two", "?resource=acct:alice@localhost&resource=acct:alice@localhost", 400],
    ["a line break", "?resource=acct:alice@localhost%0d%0aX:1", 400],
    ["what is encoded twice", "?resource=acct%253Aalice%2540localhost", 400],
    ["8 KB", `?resource=acct:${"a".repeat(8_192)}@localhost`, 400],
    ["half an encoding", "?resource=acct:alice%4", 400],
    ["no URI", "?resource=alice", 400],
    ["nobody", "?resource=acct:bob@localhost", 404],
    ["another host", "?resource=acct:alice@example.org", 404],
    ["a page of another host", "?resource=https://example.org/@alice", 404],
  ] as const
  for (const [what, query, status] of refused) {
    test(`H8 WebFinger with ${what} is ${status}`, async () =>
      assert.equal((await get(webFinger + query)).status, status))
  }

  test("H8 WebFinger knows alice in any case and order of parameters, filtered by rel, for every origin", async () => {
    const found = await get(`${webFinger}?resource=acct:ALICE@localhost`)
    assert.deepEqual([found.status, found.body.subject], [200, "acct:alice@localhost"])
    assert.equal(found.headers.get("content-type"), "application/jrd+json")
    assert.equal(found.headers.get("access-control-allow-origin"), "*")
    assert.ok(
      found.body.links.length >= 2 && found.body.aliases.some((alias: string) => alias.startsWith("did:key:z6Mk")),
    )
    const rel = "http://webfinger.net/rel/profile-page"
    const one = await get(`${webFinger}?rel=${encodeURIComponent(rel)}&resource=acct%3Aalice%40localhost`)
    assert.deepEqual(
      one.body.links.map((link: { rel: string }) => link.rel),
      [rel],
    )
    assert.deepEqual((await get(`${webFinger}?resource=acct:alice@localhost&rel=none`)).body.links, [])
  })

  test("NIP-05 names the key of who has one, and nobody else", async () => {
    const found = await get("/.well-known/nostr.json?name=nora")
    assert.match(found.body.names.nora, /^[0-9a-f]{64}$/)
    assert.equal(found.headers.get("access-control-allow-origin"), "*")
    for (const name of ["alice", "bob", "_", "Nora%00"]) {
      assert.ok([200, 400].includes((await get(`/.well-known/nostr.json?name=${name}`)).status))
    }
    assert.deepEqual((await get("/.well-known/nostr.json?name=alice")).body, { names: {} })
    assert.equal((await get("/.well-known/nostr.json")).status, 400)
  })

  test("by-primary finds handles by key and by chain", async () => {
    const { chain } = (await get("/v1/handles/alice")).body
    for (const id of [alice.key, chain])
      assert.equal((await get(`/v1/by-primary/${id}`)).body.handles[0].handle, "alice")
    assert.equal((await get(`/v1/by-primary/${signerOf(77).key}`)).status, 404)
    assert.equal((await get("/v1/by-primary/dns:example.org")).status, 400)
  })

  test("the page of a handle is plain HTML that runs nothing", async () => {
    const page = await get("/@alice")
    assert.equal(page.status, 200)
    assert.match(page.headers.get("content-security-policy") ?? "", /^default-src 'none'; style-src 'sha256-/)
    assert.doesNotMatch(page.text, /<script|onload=|javascript:|style="/)
    assert.equal((await get("/@nobody")).status, 404)
    assert.equal((await get("/@%3Cscript%3E")).status, 404)
  })

  test("a reader checks look-ups against the log, and the owner all of it, by tiles", async () => {
    const key = (await get("/v1/log/key")).text.trim()
    const first = (await get("/v1/log/checkpoint")).text
    const memory = rememberDirectory("localhost", key, first)
    await register(server, await personWith(signerOf(4), "kez:carol@localhost"), "carol")
    const second = (await get("/v1/log/checkpoint")).text
    const [old, grown] = [first, second].map((note) => openCheckpoint(note, parseNoteKey(key)))
    assert.ok(old !== undefined && grown !== undefined)
    const { proof } = (await get(`/v1/log/consistency?first=${old.size}&second=${grown.size}`)).body
    const consistency = proof.map((hash: string) => new Uint8Array(Buffer.from(hash, "base64")))
    assert.ok(isConsistent({ first: old, second: grown, path: consistency }))
    const body = (await get("/v1/handles/carol")).text
    const seen = judgeLookUp({ body, handle: "carol", memory, consistency, now: nowSeconds() })
    assert.equal(seen.state, "registered")
    const leaves: Uint8Array[] = []
    for (const bundle of bundlesOf({ start: 0, end: grown.size }, grown.size)) {
      const answer = await fetch(`${server.url}/v1/log/${formatTilePath(bundle)}`)
      leaves.push(...decodeBundle(new Uint8Array(await answer.arrayBuffer()), bundle.width))
    }
    const watch = watchOwnHandle({
      memory,
      frontier: emptyFrontier,
      leaves,
      checkpoint: second,
      handle: "alice",
      known: new Set(),
    })
    assert.equal(watch.own.length, 1)
    const hashes = await fetch(`${server.url}/v1/log/tile/0/000.p/${grown.size}`)
    assert.equal((await hashes.arrayBuffer()).byteLength, 32 * grown.size)
    for (const [path, status] of [
      ["0/000", 404],
      ["0/0", 400],
      ["entries/..%2f..", 400],
      ["9/000", 404],
    ] as const) {
      assert.equal((await get(`/v1/log/tile/${path}`)).status, status)
    }
  })

  const badBodies = [
    ["no JSON", "{", 422, "json.syntax"],
    ["a member twice", '{"registration":1,"registration":2}', 422, "json.duplicate"],
    ["another member", '{"registration":{},"x":1}', 422, "schema.unknown_member"],
    ["nothing", "{}", 422, "schema.missing_member"],
    ["depth", `{"registration":${"[".repeat(200_000)}}`, 422, "limit.depth"],
    ["another kind", '{"registration":{"kez":"claim","payload":{},"signature":{}}}', 422, "envelope.kind"],
    ["2 MB", `{"registration":"${"x".repeat(2_000_000)}"}`, 413, "limit.size"],
  ] as const
  for (const [what, text, status, code] of badBodies) {
    test(`a body with ${what} is ${status} ${code}`, async () => {
      const headers = { "content-type": "application/json" }
      const answer = await get("/v1/register", { method: "POST", headers, body: text })
      assert.deepEqual([answer.status, answer.body.code], [status, code])
    })
  }

  test("other methods, types and paths are told apart", async () => {
    assert.equal((await get("/v1/register")).status, 405)
    assert.equal(
      (await get("/v1/register", { method: "POST", headers: { "content-type": "text/plain" }, body: "{}" })).status,
      415,
    )
    assert.equal((await get("/v1/nothing")).status, 404)
    assert.deepEqual(
      [(await get("/livez")).body.status, (await get("/readyz")).body.status, (await get("/version")).body.name],
      ["ok", "ok", "kez-chat-server"],
    )
    const { paths } = (await get("/openapi.json")).body
    assert.ok(
      ["/v1/register", "/v1/handles/{handle}", "/.well-known/webfinger", "/v1/log/checkpoint"].every(
        (path) => path in paths,
      ),
    )
    assert.match((await ask(`${server.metricsUrl}/metrics`)).text, /kez_chat_directory_handles [2-9]/)
  })

  test("an invitation of the command lets one in, where the server asks for one", async (t) => {
    const closed = await startChatServer(t, { args: ["--registration", "invite"] })
    const person = await personWith(signerOf(9), "kez:dora@localhost")
    assert.deepEqual([(await register(closed, person, "dora")).status], [403])
    const made = await runChatServer(["invite", "--data", join(closed.folder, "data")])
    assert.equal(made.code, 0, made.stderr)
    assert.equal((await register(closed, person, "dora", { invitation: made.stdout.trim() })).status, 201)
    assert.ok(!closed.log().join("\n").includes(made.stdout.trim()))
  })
})

test("an address that posts or asks too much is told when to come back, and health is free", async (t) => {
  const server = await startChatServer(t, {
    args: ["--write-burst", "2", "--write-per-hour", "60", "--read-burst", "3"],
  })
  const statuses = []
  for (let at = 0; at < 3; at++) statuses.push((await postJson(`${server.url}/v1/register`, {})).status)
  assert.deepEqual(statuses, [422, 422, 429])
  for (let at = 0; at < 3; at++) assert.equal((await ask(`${server.url}/v1/handles/alice`)).status, 404)
  const refused = await ask(`${server.url}/v1/handles/alice`)
  assert.deepEqual([refused.status, refused.body.code], [429, "net.rate_limit"])
  assert.ok(Number(refused.headers.get("retry-after")) >= 1)
  assert.equal((await ask(`${server.url}/readyz`)).status, 200)
})

test("a server that lost the key of its log does not start with a new one, nor with one that others may read", async (t) => {
  const server = await startChatServer(t)
  await server.end()
  const data = join(server.folder, "data")
  const key = join(data, "directory.key")
  chmodSync(key, 0o644)
  const run = () => runChatServer(["--data", data, "--port", "0", "--metrics", "off"])
  assert.match((await run()).stderr, /store\.permissions/)
  rmSync(key)
  assert.match((await run()).stderr, /directory\.key/)
  assert.ok(!existsSync(key))
})

test("no server listens for others with handles of localhost", async () => {
  const { code, stderr } = await runChatServer(["--host", "0.0.0.0", "--port", "0"])
  assert.deepEqual([code, stderr.includes("KEZ_CHAT_DOMAIN")], [2, true])
})
