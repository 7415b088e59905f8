/** Which ways files may take, and that who sees what on them is said once. */
import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { loadSettings, readEnv } from "../src/config.ts"
import { readWays, tellWays, type WayOptions, type Ways } from "../src/files/ways.ts"

const base = mkdtempSync(join(tmpdir(), "kez-ways-"))
after(() => rmSync(base, { recursive: true, force: true }))

const url = "https://relay.example.org"
const none: WayOptions = {}

async function ways(options: WayOptions, { host = "chat.example.org", relays = "", env = {} } = {}): Promise<Ways> {
  const settings = await loadSettings(join(base, "none.toml"), readEnv(env), {})
  return readWays({ settings }, { host, relays: () => Promise.resolve(relays === "" ? [] : [relays]) }, options)
}

test("readWays() is direct, without a relay and unseen on the network, unless something else is chosen", async () => {
  assert.deepEqual(await ways(none), { relay: "none", direct: true, discovery: "none" })
})

test("readWays() keeps a trial on this computer", async () => {
  assert.deepEqual(await ways(none, { host: "localhost" }), {
    ...{ relay: "none", direct: true, discovery: "none", bind: ["127.0.0.1:0"] },
  })
  await assert.rejects(ways({ lan: true }, { host: "localhost" }), { code: "usage" })
})

test("readWays() takes flags before settings", async () => {
  const env = { KEZ_FILE_RELAYS: url }
  assert.deepEqual((await ways(none, { env })).relay, [url])
  assert.deepEqual((await ways({ relay: ["https://other.example.org"] }, { env })).relay, ["https://other.example.org"])
  assert.equal((await ways({ relay: ["none"] }, { env })).relay, "none")
  assert.equal((await ways({ relay: ["public"] }, { env })).relay, "public")
  assert.equal((await ways({ lan: true })).discovery, "lan")
})

test("readWays() asks the host for its relay only where that is chosen", async () => {
  assert.deepEqual((await ways({ relay: ["host"] }, { relays: url })).relay, [url])
  await assert.rejects(ways({ relay: ["host"] }), { code: "usage", message: /chat\.example\.org: it names none/ })
  assert.equal((await ways(none, { relays: url })).relay, "none")
})

test("readWays() refuses what does not go together", async () => {
  await assert.rejects(ways({ relayOnly: true }), { code: "usage", message: /expected a relay/ })
  await assert.rejects(ways({ relayOnly: true, relay: ["none"] }, { env: { KEZ_FILE_RELAYS: url } }), { code: "usage" })
  await assert.rejects(ways({ relayOnly: true, relay: [url], lan: true }), { code: "usage" })
})

test("readWays() refuses relays that are none, that have a password, or that all on the way could watch", async () => {
  for (const relay of [
    "relay.example.org",
    "http://relay.example.org",
    "wss://relay.example.org",
    "https://u:p@relay.example.org",
    "https://relay.example.org/?a",
  ]) {
    await assert.rejects(ways({ relay: [relay] }), { code: "usage" }, relay)
  }
  await assert.rejects(ways({ relay: [url, "public"] }), { code: "usage" })
  await assert.rejects(ways({ relay: [url, url, url, url, url] }), { code: "usage" })
  assert.deepEqual((await ways({ relay: ["http://127.0.0.1:3340"] })).relay, ["http://127.0.0.1:3340"])
})

interface Flags {
  readonly json?: boolean
  readonly quiet?: boolean
}

async function told(
  folder: string,
  options: WayOptions,
  { json = false, quiet = false }: Flags = {},
  host = "chat.example.org",
) {
  const said: string[] = []
  const warned: string[] = []
  // Of the flags only these two are read.
  const context = {
    flags: { json, quiet } as Parameters<typeof tellWays>[0]["flags"],
    warn: (text: string) => void warned.push(text),
  }
  tellWays(context, folder, {
    ways: await ways(options, { host }),
    ...(json ? {} : { say: (text: string) => void said.push(text) }),
  })
  return { said, warned }
}

test("tellWays() says who sees what when a way is used that was not used before, and not again", async () => {
  const folder = mkdtempSync(join(base, "told-"))
  const first = await told(folder, none)
  assert.deepEqual(first.said.length, 1)
  assert.match(first.said[0] ?? "", /^direct: .* sees the network addresses of this computer/)
  assert.deepEqual(await told(folder, none), { said: [], warned: [] })
  const more = await told(folder, { relay: [url], lan: true })
  assert.match(
    more.said.join("\n"),
    /the relay https:\/\/relay\.example\.org sees .*; lan: everybody on the local network/,
  )
  assert.deepEqual((await told(folder, { relay: [url], lan: true })).said, [])
  const other = await told(folder, { relay: ["https://other.example.org"] })
  assert.match(other.said.join(), /^the relay https:\/\/other\.example\.org sees/)
  assert.match(
    (await told(folder, { relay: ["public"] })).said.join(),
    /^the public relays of iroh, which a company runs, see/,
  )
  assert.match((await told(folder, { relay: [url], relayOnly: true })).said.join(), /^relay only: .*; the relay https/)
  assert.match((await told(folder, none)).said.join(), /^direct/, "it was switched on again")
})

test("tellWays() warns where the output is JSON, and tells later what it could not say", async () => {
  const folder = mkdtempSync(join(base, "told-"))
  assert.deepEqual(await told(folder, none, { quiet: true }), { said: [], warned: [] })
  const { said, warned } = await told(folder, none, { json: true })
  assert.deepEqual([said.length, warned.length], [0, 1])
  assert.deepEqual(await told(folder, none), { said: [], warned: [] })
})

test("tellWays() has nothing to say of a trial", async () => {
  const folder = mkdtempSync(join(base, "told-"))
  assert.deepEqual(await told(folder, none, {}, "localhost"), { said: [], warned: [] })
})
