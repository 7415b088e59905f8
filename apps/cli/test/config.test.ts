/** Settings: who wins, and that a typing error is told. */
import assert from "node:assert/strict"
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { loadSettings, readEnv, type SettingFlags } from "../src/config.ts"

const dir = mkdtempSync(join(tmpdir(), "kez-config-"))
after(() => rmSync(dir, { recursive: true }))

let count = 0
function load(toml: string | undefined, env: NodeJS.ProcessEnv = {}, flags: SettingFlags = {}) {
  const path = join(dir, `${count++}.toml`)
  if (toml !== undefined) writeFileSync(path, toml)
  return loadSettings(path, readEnv(env), flags)
}

const everywhere = `color = "never"\nprofile = "work"\n[profiles.work]\ncolor = "always"\n[profiles.home]\n`

test("loadSettings() takes the flag before all others", async () => {
  const { color } = await load(everywhere, { NO_COLOR: "1" }, { color: "auto" })
  assert.deepEqual(color, { value: "auto", origin: "flag" })
})

test("loadSettings() takes the environment before the profile", async () => {
  const { color } = await load(everywhere, { NO_COLOR: "1" })
  assert.deepEqual(color, { value: "never", origin: "environment" })
})

test("loadSettings() takes the profile before config.toml, and config.toml before the default", async () => {
  assert.deepEqual((await load(everywhere)).color, { value: "always", origin: "profile" })
  assert.deepEqual((await load(everywhere, {}, { profile: "home" })).color, { value: "never", origin: "config.toml" })
  assert.deepEqual((await load("")).color, { value: "auto", origin: "default" })
})

test("loadSettings() takes the profile's name from flag, environment, config.toml", async () => {
  assert.equal((await load(everywhere, { KEZ_PROFILE: "env" }, { profile: "flag" })).profile.value, "flag")
  assert.equal((await load(everywhere, { KEZ_PROFILE: "env" })).profile.value, "env")
  assert.equal((await load(everywhere)).profile.value, "work")
})

test("loadSettings() is all defaults without a file", async () => {
  const settings = await load(undefined)
  assert.deepEqual(new Set(Object.values(settings).map(({ origin }) => origin)), new Set(["default"]))
})

test("loadSettings() reads a list of resolvers", async () => {
  assert.deepEqual((await load("", { KEZ_RESOLVER: "1.2.3.4, [::1]:53" })).resolver.value, ["1.2.3.4", "[::1]:53"])
  assert.deepEqual((await load('resolver = ["9.9.9.9"]')).resolver.value, ["9.9.9.9"])
})

test("loadSettings() reads servers that stand for hosts, relays and public resolvers, of the profile first", async () => {
  const resolvers = ["127.0.0.1:5353", "9.9.9.9", "2620:fe::fe", "[::1]:53"]
  const toml = `relays = ["wss://a.example"]\npublic_resolvers = ${JSON.stringify(resolvers)}
[hosts]\nlocalhost = "http://127.0.0.1:7878"\n"git.example:8443" = "https://10.0.0.1/api/"
[profiles.work]\nrelays = ["ws://b.example/x?y"]\n[profiles.work.hosts]\n`
  const settings = await load(toml)
  assert.deepEqual(
    { ...settings.hosts.value },
    {
      localhost: "http://127.0.0.1:7878",
      "git.example:8443": "https://10.0.0.1/api/",
    },
  )
  assert.deepEqual(settings.relays, { value: ["wss://a.example"], origin: "config.toml" })
  assert.deepEqual(settings.publicResolvers.value, resolvers)
  const work = await load(toml, { KEZ_PROFILE: "work" })
  assert.deepEqual([{ ...work.hosts.value }, work.relays.value], [{}, ["ws://b.example/x?y"]])
  const other = await load(toml, { KEZ_RELAYS: "wss://c.example, wss://d.example" })
  assert.deepEqual(other.relays, { value: ["wss://c.example", "wss://d.example"], origin: "environment" })
})

test("loadSettings() takes a GitHub token from the environment alone, in the order of gh", async () => {
  const { githubToken } = await load("", { GITHUB_TOKEN: "b", GH_TOKEN: "a" })
  assert.deepEqual(githubToken, { value: "a", origin: "environment" })
  assert.equal((await load("", { GITHUB_TOKEN: "b", GH_TOKEN: "" })).githubToken.value, "b")
  await assert.rejects(load('github_token = "a"'), { code: "usage" })
})

test("loadSettings() refuses KEZ_RELAYS that are no WebSocket URLs", async () => {
  for (const relays of ["https://a.example", "a.example", "wss://a.example,,", "wss://u:p@a.example"]) {
    await assert.rejects(load("", { KEZ_RELAYS: relays }), { code: "usage" }, relays)
  }
})

test("loadSettings() reads the ways that files may take", async () => {
  const toml = `file_relays = ["https://a.example", "http://127.0.0.1:3340"]\nfile_direct = false
[profiles.work]\nfile_relays = ["host"]\nfile_lan = true\n`
  const { fileRelays, fileDirect, fileLan } = await load(toml)
  assert.deepEqual(fileRelays, { value: ["https://a.example", "http://127.0.0.1:3340"], origin: "config.toml" })
  assert.deepEqual([fileDirect.value, fileLan], [false, { value: false, origin: "default" }])
  const work = await load(toml, { KEZ_PROFILE: "work" })
  assert.deepEqual([work.fileRelays.value, work.fileDirect.value, work.fileLan.value], [["host"], false, true])
  const given = await load(toml, { KEZ_FILE_RELAYS: "https://b.example, https://c.example" })
  assert.deepEqual(given.fileRelays, { value: ["https://b.example", "https://c.example"], origin: "environment" })
  await assert.rejects(load("", { KEZ_FILE_RELAYS: "b.example" }), { code: "usage" })
})

const refused: ReadonlyArray<readonly [toml: string, code: string, hint: RegExp | undefined]> = [
  ['colour = "never"', "usage", /Did you mean color\?/],
  ["unlock_four = 1", "usage", /unlock_for/],
  ["[profiles.work]\nresolvers = []", "usage", /resolver/],
  ["zzzzzzzzz = 1", "usage", /config show/],
  ['color = "sometimes"', "usage", undefined],
  ["plain = 1", "usage", undefined],
  ['unlock_for = "soon"', "usage", undefined],
  ["[profiles.'a/b']", "usage", undefined],
  ['profile = "../x"', "usage", undefined],
  ["profiles = 3", "usage", undefined],
  ["host = 1", "usage", /Did you mean hosts\?/],
  ["relay = []", "usage", /Did you mean relays\?/],
  ['hosts = "http://127.0.0.1"', "usage", undefined],
  ["[hosts]\nlocalhost = 7878", "usage", undefined],
  ['[hosts]\nlocalhost = "127.0.0.1:7878"', "usage", undefined],
  ['[hosts]\nlocalhost = "ftp://127.0.0.1"', "usage", undefined],
  ['[hosts]\nlocalhost = "http://u:p@127.0.0.1"', "usage", undefined],
  ['[hosts]\nlocalhost = "http://127.0.0.1/?a"', "usage", undefined],
  ['[hosts]\n"https://localhost" = "http://127.0.0.1"', "usage", undefined],
  ['[hosts]\n"" = "http://127.0.0.1"', "usage", undefined],
  ['relays = "wss://a.example"', "usage", undefined],
  ['relays = ["https://a.example"]', "usage", undefined],
  ['relays = ["wss://u:p@a.example"]', "usage", undefined],
  [`relays = [${'"wss://a.example",'.repeat(17)}]`, "usage", undefined],
  ["public_resolvers = [1]", "usage", undefined],
  ['public_resolvers = [""]', "usage", undefined],
  ['public_resolvers = ["dns.example"]', "usage", undefined],
  ['public_resolvers = ["https://1.1.1.1/dns-query"]', "usage", undefined],
  ['public_resolvers = ["1.1.1.1:0"]', "usage", undefined],
  ['public_resolvers = ["[1.1.1.1]:53"]', "usage", undefined],
  ['file_relays = "https://a.example"', "usage", undefined],
  ['file_relays = ["http://a.example"]', "usage", undefined],
  ['file_relays = ["public", "host"]', "usage", undefined],
  ['file_direct = "no"', "usage", undefined],
  ['file_relay = ["https://a.example"]', "usage", /Did you mean file_relays\?/],
  ["color = ", "input.unreadable", undefined],
  ['__proto__ = "x"', "usage", undefined],
]

for (const [toml, code, hint] of refused) {
  test(`loadSettings() refuses ${JSON.stringify(toml)}`, async () => {
    await assert.rejects(load(toml), (error: { code?: string; hint?: string }) => {
      assert.equal(error.code, code)
      if (hint !== undefined) assert.match(error.hint ?? "", hint)
      return true
    })
  })
}

test("readEnv() counts an empty variable as not set, and CI=false as off", () => {
  assert.equal(readEnv({ KEZ_HOME: "" }).kezHome, undefined)
  assert.equal(readEnv({ CI: "false" }).ci, false)
  assert.equal(readEnv({ CI: "1" }).ci, true)
  assert.equal(readEnv({ FORCE_COLOR: "0" }).noColor, true)
})

test("only config.ts reads the environment", () => {
  const src = join(import.meta.dirname, "../src")
  const readers = globSync("**/*.ts", { cwd: src }).filter((path) =>
    readFileSync(join(src, path), "utf8").includes("process.env"),
  )
  assert.deepEqual(readers, ["config.ts"])
})
