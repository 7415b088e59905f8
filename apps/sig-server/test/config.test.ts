/** Settings: one name in three places, and no typing error that goes unnoticed. */
import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import type { Sources } from "@kez/server"
import { parseCommandLine } from "../src/command-line.ts"
import { toConfig } from "../src/config.ts"
import { settings, settingTable } from "../src/settings.ts"

const { names: settingNames, flagOf, formatValues, readValues } = settingTable
const variableOf = (name: string): string => `KEZ_SIG_${name.toUpperCase()}`

const folder = mkdtempSync(join(tmpdir(), "kez-sig-config-"))
after(() => rmSync(folder, { recursive: true, force: true }))
let files = 0

function file(text: string): string {
  files += 1
  const path = join(folder, `${files}`)
  writeFileSync(path, text)
  return path
}

const read = (sources: Partial<Sources>) => readValues({ flags: {}, env: {}, file: undefined, ...sources })
const usage = (hint: RegExp) => (error: { code: string; hint: string; message: string }) =>
  error.code === "usage" && hint.test(`${error.message} ${error.hint}`)

test("with nothing set it is SQLite in ./data on loopback, port 7878, within limits", () => {
  const config = toConfig(read({}))
  assert.deepEqual([config.host, config.port], ["127.0.0.1", 7878])
  assert.deepEqual(config.storage, { dataFolder: "./data", databaseUrl: undefined, quotaBytes: undefined })
  assert.deepEqual(config.http.writes.chain, { burst: 60, perHour: 20 })
  assert.deepEqual(config.metrics, { mode: "separate", host: "127.0.0.1", port: 9464 })
})

test("a flag wins over the environment, that over the file, that over the default", () => {
  const path = file("port = 1\nchain_burst = 1\nip_burst = 1\n")
  const env = { KEZ_SIG_PORT: "2", KEZ_SIG_CHAIN_BURST: "2" }
  const values = read({ flags: { port: "3" }, env, file: path })
  assert.deepEqual(values.port, { text: "3", origin: "flag" })
  assert.deepEqual(values.chain_burst, { text: "2", origin: "environment" })
  assert.deepEqual(values.ip_burst, { text: "1", origin: "file" })
  assert.deepEqual(values.genesis_burst, { text: "20", origin: "default" })
})

test("every default fits its own setting", () => {
  for (const name of settingNames) {
    const { usual, fits } = settings[name]
    if (usual !== undefined) assert.ok(fits(usual) || usual === "", name)
  }
})

test("every setting has one name in three places", () => {
  assert.equal(flagOf("chain_per_hour"), "--chain-per-hour")
  assert.equal(variableOf("chain_per_hour"), "KEZ_SIG_CHAIN_PER_HOUR")
  for (const name of settingNames) {
    const value = { host: "::1", base_url: "https://a.example", database_url: "postgres://a/b" }[name as string]
    const text = value ?? settings[name].usual ?? ""
    if (text === "") continue
    const line = parseCommandLine([`${flagOf(name)}=${text}`])
    assert.equal(read({ flags: line.settings })[name].text, text)
    assert.equal(read({ env: { [variableOf(name)]: text } })[name].text, text)
    assert.equal(read({ file: file(`${name} = ${JSON.stringify(text)}\n`) })[name].text, text)
  }
})

test("the guide for admins names every setting", () => {
  const guide = readFileSync(join(import.meta.dirname, "../../../docs/guides/sig-server.md"), "utf8")
  assert.deepEqual(
    settingNames.filter((name) => !guide.includes(`\`${name}\``)),
    [],
  )
})

test("a name that does not exist is refused, with the nearest one as it would be written there", () => {
  assert.throws(() => read({ env: { KEZ_SIG_PROT: "1" } }), usage(/Did you mean KEZ_SIG_PORT\?/))
  assert.throws(() => read({ file: file("chain_brust = 1") }), usage(/Did you mean chain_burst in/))
  assert.throws(() => parseCommandLine(["--chain-brust", "1"]), usage(/Did you mean --chain-burst\?/))
  assert.throws(() => parseCommandLine(["bakup"]), usage(/Did you mean backup\?/))
  assert.throws(() => read({ env: { KEZ_SIG_PORT_FILE: "/x" } }), usage(/no such setting/))
  assert.doesNotThrow(() => read({ env: { KEZ_HOME: "/x", PORT: "1", KEZ_SIG_CONFIG: "/x" } }))
})

for (const [name, value] of [
  ["port", "65536"],
  ["port", "-1"],
  ["port", "80x"],
  ["port", "0x50"],
  ["host", "example.org"],
  ["base_url", "sigs.example.org"],
  ["base_url", "https://a.example/path"],
  ["base_url", "https://user:x@a.example"],
  ["database_url", "mysql://a/b"],
  ["mirror", "sigs.example.org"],
  ["mirror_posts", "yes"],
  ["mirror", "https://a.example,ftp://b.example"],
  ["trust_proxy", "all"],
  ["trust_proxy", "10.0.0.0/33"],
  ["log_requests", "yes"],
  ["log_level", "loud"],
  ["metrics", "on"],
  ["max_connections", "0"],
] as const) {
  test(`the value ${JSON.stringify(value)} of ${name} is refused`, () => {
    assert.throws(() => read({ flags: { [name]: value } }), usage(new RegExp(flagOf(name))))
  })
}

test("a public address needs a base URL", () => {
  for (const host of ["0.0.0.0", "::", "192.0.2.1"]) {
    assert.throws(() => toConfig(read({ flags: { host } })), usage(/KEZ_SIG_BASE_URL/))
  }
  const config = toConfig(read({ flags: { host: "0.0.0.0", base_url: "https://sigs.example.org/" } }))
  assert.equal(config.http.baseUrl, "https://sigs.example.org")
  for (const host of ["127.0.0.1", "::1", "localhost", "127.9.9.9"]) toConfig(read({ flags: { host } }))
})

test("a secret comes from a file that a variable names, and is not printed", () => {
  const url = "postgres://kez:hunter2@db.example/kez"
  const path = file(`${url}\n`)
  for (const env of [
    { KEZ_SIG_DATABASE_URL: url },
    { KEZ_SIG_DATABASE_URL_FILE: path },
    { DATABASE_URL: url },
    { DATABASE_URL_FILE: path },
  ]) {
    const values = read({ env })
    assert.equal(toConfig(values).storage.databaseUrl, url)
    assert.doesNotMatch(formatValues(values), /hunter2/)
    assert.match(formatValues(values), /^database_url = "\[redacted\]" {2}# environment$/m)
  }
  assert.throws(() => read({ env: { DATABASE_URL_FILE: join(folder, "none") } }), { code: "input.unreadable" })
})

test("our own variable wins over DATABASE_URL", () => {
  const values = read({ env: { DATABASE_URL: "postgres://a/a", KEZ_SIG_DATABASE_URL: "postgres://b/b" } })
  assert.equal(values.database_url.text, "postgres://b/b")
})

test("a value of a secret that does not fit is not repeated", () => {
  assert.throws(
    () => read({ env: { DATABASE_URL: "hunter2" } }),
    (error: Error) => !/hunter2/.test(error.message),
  )
})

test("a file that cannot be read or is not TOML is refused", () => {
  assert.throws(() => read({ file: join(folder, "none") }), { code: "input.unreadable" })
  assert.throws(() => read({ file: file("port = = 1") }), { code: "input.unreadable" })
  assert.throws(() => read({ file: file("port = {}") }), { code: "usage" })
  assert.equal(read({ file: file('trust_proxy = ["10.0.0.0/8", "::1"]') }).trust_proxy.text, "10.0.0.0/8,::1")
})

test("what is printed can be read again", () => {
  const values = read({ flags: { port: "0", base_url: "https://a.example", log_requests: "true" } })
  const again = read({ file: file(formatValues(values)) })
  for (const name of settingNames) assert.equal(again[name].text, values[name].text, name)
})

for (const args of [
  ["backup"],
  ["restore"],
  ["serve", "--to", "x"],
  ["backup", "--from", "x"],
  ["migrate"],
  ["migrate", "up"],
  ["serve", "now"],
  ["--port"],
  ["--check-config=1"],
  ["-x"],
]) {
  test(`the command line ${args.join(" ")} is refused`, () => {
    assert.throws(() => parseCommandLine(args), { code: "usage" })
  })
}

test("commands are understood, before or after flags", () => {
  assert.equal(parseCommandLine([]).command, "serve")
  assert.equal(parseCommandLine(["--port", "1", "backup", "--to", "f"]).to, "f")
  assert.equal(parseCommandLine(["migrate", "status"]).command, "migrate")
  assert.equal(parseCommandLine(["--version"]).command, "version")
  assert.equal(parseCommandLine(["serve", "--help"]).command, "help")
})

test("a value that does not fit is named with what it is, unless it may hold a password", () => {
  const message = (flags: Record<string, string>): string => {
    try {
      readValues({ flags, env: {}, file: undefined })
    } catch (error) {
      if (error instanceof Error) return error.message
    }
    return assert.fail("it fits")
  }
  assert.equal(message({ port: "abc" }), 'Cannot use --port: expected a number from 0 to 65535, got "abc"')
  assert.doesNotMatch(message({ mirror: "ftp://me:hush@store.example" }), /hush/)
  assert.doesNotMatch(message({ database_url: "hush" }), /hush/)
})
