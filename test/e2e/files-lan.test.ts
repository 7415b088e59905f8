/** What `kez send` asks of kez-iroh where the account is not of this computer alone: the local network, and the relay that the host names. */
import assert from "node:assert/strict"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import manifest from "../../package.json" with { type: "json" }
import { skipWithoutNats } from "../support/broker.ts"
import { type ChatWorld, startChatWorld } from "../support/chat-world.ts"
import { laterCleaner, makePerson, type Person } from "../support/person.ts"

const domain = "chat.example.org"
const relay = "https://relay.example.org"

describe("ways of an account on a server elsewhere", { skip: skipWithoutNats }, () => {
  const t = laterCleaner(after)
  let world: ChatWorld
  let alice: Person
  let stub = ""
  let asked = ""
  before(async () => {
    world = await startChatWorld(t, { args: ["--domain", domain, "--file-relays", relay] })
    alice = await member("alice")
    await member("bob")
    asked = join(alice.dir, "asked.json")
    // Nothing of a test may be announced to a network.
    stub = alice.file("stub", "")
    const script = `#!/bin/sh
[ "$1" != --version ] || { echo 'kez-iroh ${manifest.version}'; exit; }
read -r line && printf '%s\\n' "$line" >'${asked}'
echo '{"id":1,"error":{"code":"start.bind","message":"Cannot open the endpoint: a stub"}}'\n`
    rmSync(stub)
    writeFileSync(stub, script, { mode: 0o755 })
  })

  async function member(handle: string): Promise<Person> {
    const person = await makePerson(t, { hosts: { [domain]: world.server.url }, stores: [world.store.url] })
    const made = await person.json(["account", "create", `${handle}@${domain}`, "--no-passphrase"])
    assert.equal(made.code, 0, JSON.stringify(made))
    return person
  }

  async function send(...flags: readonly string[]) {
    const path = alice.file("a.txt", "a")
    const { stderr } = await alice.kez(["send", path, `bob@${domain}`, ...flags], { env: { KEZ_IROH: stub } })
    assert.match(stderr, /a stub \[file\.program\]/)
    const { relay, direct, discovery, bind } = JSON.parse(readFileSync(asked, "utf8"))
    return { stderr, start: { relay, direct, discovery, bind } }
  }

  test("directly, unseen and without a relay unless something else is chosen, and who sees what is said before", async () => {
    const { start, stderr } = await send()
    assert.deepEqual(start, { relay: "none", direct: true, discovery: "none", bind: undefined })
    assert.match(stderr, /^kez: direct: whoever you give files to .* sees the network addresses of this computer$/m)
    assert.doesNotMatch((await send()).stderr, /network addresses/)
  })

  test("--lan and file_lan let the local network find it", async () => {
    const { start, stderr } = await send("--lan")
    assert.equal(start.discovery, "lan")
    assert.match(stderr, /^kez: lan: everybody on the local network can see/m)
    const config = join(alice.home, "config.toml")
    writeFileSync(config, `file_lan = true\n${readFileSync(config, "utf8")}`)
    assert.equal((await send()).start.discovery, "lan")
    assert.equal((await send("--no-lan")).start.discovery, "none")
  })

  test("--relay host is what the chat server names, with its URL in the sentence", async () => {
    const { start, stderr } = await send("--relay", "host", "--relay-only")
    assert.deepEqual(start, { relay: [relay], direct: false, discovery: "none", bind: undefined })
    assert.match(stderr, /^kez: the relay https:\/\/relay\.example\.org sees the addresses of both computers/m)
  })
})
