/** Settings of the chat server, and what of them does not go together. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { parseCommandLine } from "../src/command-line.ts"
import { toConfig } from "../src/config.ts"
import { settingTable } from "../src/settings.ts"

const read = (flags: Readonly<Record<string, string>> = {}, env: Readonly<Record<string, string>> = {}) =>
  toConfig(settingTable.readValues({ flags, env, file: undefined }))
const usage = { code: "usage" }

test("with nothing set it is SQLite on loopback, by invitation, port 6969, with no admin", () => {
  const config = read()
  assert.deepEqual(
    [config.host, config.port, config.domain, config.registration],
    ["127.0.0.1", 6969, "localhost", "invite"],
  )
  assert.deepEqual([config.admins, config.stores, config.storage.databaseUrl], [[], [], undefined])
})

test("every default fits its own setting", () => {
  for (const name of settingTable.names) {
    const { usual, fits } = settingTable.settingOf(name)
    if (usual !== undefined) assert.ok(fits(usual) || usual === "", name)
  }
})

test("others are listened to only under a domain", () => {
  assert.throws(() => read({ host: "0.0.0.0" }), usage)
  assert.equal(read({ host: "0.0.0.0", domain: "chat.example.org" }).domain, "chat.example.org")
})

test("values that do not fit are refused", () => {
  for (const [name, value] of [
    ["domain", "Chat.Example.org"],
    ["admins", "alice"],
    ["registration", "maybe"],
    ["port", "-1"],
    ["stores", "ftp://x"],
  ]) {
    assert.throws(() => read({ [name ?? ""]: value ?? "" }), usage)
  }
})

test("relays for files are told to clients, with HTTPS alone", () => {
  const relays = "https://a.example.org, https://b.example.org/"
  assert.deepEqual(read({ file_relays: relays }).told.relays, ["https://a.example.org", "https://b.example.org/"])
  assert.deepEqual(read({ file_relays: "" }).told.relays, [])
  for (const wrong of ["a.example.org", "http://a.example.org", "https://u:p@a.example.org", "https://a.example.org/x"])
    assert.throws(() => read({ file_relays: wrong }), usage)
})

test("a password of the database is not shown", () => {
  const values = settingTable.readValues({
    flags: {},
    env: { DATABASE_URL: "postgres://u:secret@db/kez" },
    file: undefined,
  })
  assert.doesNotMatch(settingTable.formatValues(values), /secret/)
})

test("the command line knows its commands and their flags", () => {
  assert.equal(parseCommandLine([]).command, "serve")
  assert.deepEqual(
    [parseCommandLine(["invite", "--uses", "3"]).uses, parseCommandLine(["invite"]).days],
    [3, undefined],
  )
  for (const args of [
    ["invit"],
    ["serve", "--uses", "3"],
    ["invite", "--uses", "0"],
    ["--prot", "1"],
    ["serve", "now"],
  ]) {
    assert.throws(() => parseCommandLine(args), usage)
  }
})

test("a broker needs stores: nobody could be let in", () => {
  assert.equal(read().broker, undefined)
  assert.throws(() => read({ nats_url: "nats://127.0.0.1:4222" }), usage)
  const { broker } = read({ nats_url: "nats://127.0.0.1:4222", stores: "http://127.0.0.1:7878" })
  assert.deepEqual([broker?.url, broker?.keysFolder], ["nats://127.0.0.1:4222", "data/broker/keys"])
  for (const url of ["127.0.0.1:4222", "nats://user:password@x:4222", "tls://x:4222", "nats://x/y"]) {
    assert.throws(() => read({ nats_url: url, stores: "http://127.0.0.1:7878" }), usage, url)
  }
})

test("flags of broker-config belong to it alone", () => {
  assert.throws(() => parseCommandLine(["serve", "--out", "x"]), usage)
  assert.deepEqual([...parseCommandLine(["broker-config", "--out", "x"]).broker], [["out", "x"]])
})
