/** `kez claim publish` and `unpublish` on real relays, and `kez import nip39` from one, as people run them. SPEC §7.4 */
import assert from "node:assert/strict"
import { join } from "node:path"
import { after, before, suite, type TestContext, test } from "node:test"
import { createNet } from "../../packages/channels/src/index.ts"
import { giveRelay } from "../../packages/channels/src/nostr-relay.ts"
import { createAccount, type ScriptedRelay, startScriptedRelay } from "../support/nostr-client.ts"
import { type NostrRelays, relaysMissing, startNostrRelays } from "../support/nostr-relay.ts"
import { makePerson } from "../support/person.ts"

/** Of the secrets 5a5a… and 5b5b…. */
const nsec = "nsec1tfd95kj6tfd95kj6tfd95kj6tfd95kj6tfd95kj6tfd95kj6tfdqtnl8g2"
const otherNsec = "nsec1tdd4kk6mtdd4kk6mtdd4kk6mtdd4kk6mtdd4kk6mtdd4kk6mtddswpxa7g"

suite("publishing on nostr", { skip: relaysMissing }, () => {
  let relays: NostrRelays
  let refusing: ScriptedRelay

  before(async () => {
    relays = await startNostrRelays(2)
    refusing = await startScriptedRelay({ fate: [false, "blocked: \u001b[2Jpay first"] })
  })
  after(async () => {
    await relays?.close()
    await refusing?.close()
  })

  const all = () => [...relays.urls, refusing.url]
  const acceptedOf = (outcomes: readonly { readonly accepted: boolean }[]) => outcomes.map(({ accepted }) => accepted)

  async function setUp(t: TestContext) {
    const owner = await makePerson(t, { relays: all(), holds: "nostr" })
    const publish = (...more: readonly string[]) => owner.json(["claim", "publish", owner.key, ...more])
    return { owner, reader: await makePerson(t, { relays: all() }), publish }
  }

  test("application data: each relay says its own; proven, published again as it is, taken back, and revoked", async (t) => {
    const { owner, reader, publish } = await setUp(t)
    const first = await publish()
    assert.equal(first.code, 0, first.error?.message)
    const { place, form, outcomes, verdict, claim } = first.data
    assert.deepEqual([place, form, verdict.status], ["app-data", "compact", "valid"])
    assert.deepEqual(acceptedOf(outcomes), [true, true, false])
    assert.deepEqual(outcomes[2].url, refusing.url)
    assert.match(outcomes[2].note, /refused: blocked: \?\[2Jpay first/)
    const [entry] = (await owner.json(["sigchain", "show"])).data.subjects
    assert.deepEqual([entry.status, entry.subject_id, entry.proof], ["active", owner.key.slice(6), claim])

    const seen = await reader.json(["verify", "id", owner.key])
    assert.deepEqual([seen.code, seen.data.status, seen.data.primary], [0, "valid", owner.key])
    const given = refusing.given.length
    const again = await publish()
    assert.deepEqual([again.code, again.data.claim, again.data.events], [0, claim, []])
    assert.deepEqual(refusing.given.slice(given), refusing.given.slice(given - 1, given), "the same event again")

    const gone = await owner.json(["claim", "unpublish", owner.key])
    assert.deepEqual([gone.code, gone.data.still_seen, acceptedOf(gone.data.outcomes)], [0, false, [true, true, false]])
    assert.equal((await reader.json(["verify", "id", owner.key])).code, 14)
    const chain = join(owner.dir, "chain.jsonl")
    await owner.kez(["sigchain", "revoke", owner.key])
    await owner.kez(["sigchain", "export", "--out", chain])
    assert.equal((await reader.json(["verify", "id", owner.key, "--chain", chain])).code, 11)
  })

  test("while the key is unlocked the passphrase is needed still, and nothing is sent without it", async (t) => {
    const owner = await makePerson(t, { relays: all() })
    const passphrase = { env: { KEZ_PASSPHRASE: "right" } }
    const made = await owner.json(["identity", "new", "me", "--key-type", "nostr"], passphrase)
    assert.equal((await owner.json(["identity", "unlock"], passphrase)).code, 0)
    const given = refusing.given.length
    try {
      const refused = await owner.json(["claim", "publish", made.data.identity])
      assert.deepEqual([refused.code, refused.error.code], [4, "key.locked"])
      assert.match(refused.error.message, /its passphrase is needed, also while it is kept unlocked/)
      assert.equal(refusing.given.length, given)
      const { code, data } = await owner.json(["claim", "publish", made.data.identity], passphrase)
      assert.deepEqual([code, data.verdict.status], [0, "valid"])
    } finally {
      await owner.json(["identity", "lock"])
    }
  })

  test("a note is published once, however often, and the text says which relay refused", async (t) => {
    const { owner, reader } = await setUp(t)
    const args = ["claim", "publish", owner.key, "--place", "note"]
    const first = await owner.kez(args)
    const second = await owner.kez(args)
    assert.deepEqual([first.code, second.code], [0, 0])
    assert.match(first.stdout, /^✓ ws:\S+ {2}accepted\n✓ ws:\S+ {2}accepted\n✕ ws:\S+ {2}the note refused: blocked/)
    const { data } = await reader.json(["verify", "id", owner.key])
    const proofs = data.evidence.filter(({ kind }: { kind: string }) => kind === "candidate")
    assert.deepEqual([data.status, proofs.length], ["valid", 1])
  })

  test("the key comes from a file where the identity is another one; without it nothing is signed", async (t) => {
    const account = createAccount(0x5a)
    const subject = `nostr:${account.npub}`
    const other = await makePerson(t, { relays: all(), holds: "ed25519" })
    const missing = await other.json(["claim", "publish", subject])
    assert.deepEqual([missing.code, missing.error.code], [4, "key.not_held"])
    assert.equal((await other.json(["claim", "list"])).data.claims.length, 0)
    const wrong = ["--credential-file", other.file("wrong", otherNsec)]
    assert.equal((await other.json(["claim", "publish", subject, ...wrong])).error.code, "key.not_held")
    const right = ["--credential-file", other.file("right", nsec)]
    const { code, data } = await other.json(["claim", "publish", subject, ...right])
    assert.deepEqual([code, data.verdict.primary], [0, other.key])
    assert.equal(other.keeps(nsec), false)
  })

  test("where no relay takes it, or none answers, the reason of each is told and nothing is listed", async (t) => {
    const { owner, publish } = await setUp(t)
    const refused = await owner.json(["claim", "publish", owner.key], { env: { KEZ_RELAYS: refusing.url } })
    assert.deepEqual([refused.code, refused.error.code], [1, "publish.refused"])
    assert.match(refused.error.message, /pay first/)
    const dead = await owner.json(["claim", "publish", owner.key], { env: { KEZ_RELAYS: "ws://127.0.0.1:1" } })
    assert.deepEqual([dead.code, dead.error.code], [5, "net.refused"])
    assert.equal((await owner.json(["sigchain", "show"])).error.code, "chain.unknown")
    const profile = await publish("--place", "profile")
    assert.deepEqual([profile.code, profile.error.code], [1, "publish.refused"])
    assert.match(profile.error.hint ?? "", /app-data/)
  })

  test("with a single relay that took it there is a warning", async (t) => {
    const { owner } = await setUp(t)
    const env = { KEZ_RELAYS: [relays.urls[0], refusing.url].join(",") }
    const { code, warnings } = await owner.json(["claim", "publish", owner.key], { env })
    assert.equal(code, 0)
    assert.ok(warnings.some((text) => text.includes("only one")))
  })

  test("kez import nip39 names the accounts of a profile as suggestions, and proves none", async (t) => {
    const { reader } = await setUp(t)
    const account = createAccount(0x61)
    const tags = [
      ["i", "github:semisol", "9721ce4ee4fceb91c9711ca2a6c9a5ab"],
      ["i", "mastodon:bitcoinhackers.org/@semisol", "108556931283463154"],
      ["i", "twitter:semisol_public", "1619358434134196225"],
    ]
    const event = await account.event({ kind: 0, tags, content: "{}", created_at: Math.floor(Date.now() / 1000) - 9 })
    const [url = ""] = relays.urls
    await giveRelay(url, [event], createNet({ settings: { relays: [url] } }), AbortSignal.timeout(5_000))
    const { code, schema, data } = await reader.json(["import", "nip39", account.npub])
    assert.deepEqual([code, schema, data.source], [0, "kez.suggestions/1", `nostr:${account.npub}`])
    const found = data.suggestions.map((one: { subject: string; supported: boolean }) => [one.subject, one.supported])
    assert.deepEqual(found, [
      ["github:semisol", true],
      ["ap:semisol@bitcoinhackers.org", true],
      ["twitter:semisol_public", false],
    ])
    const text = await reader.kez(["import", "nip39", `nostr:${account.npub}`])
    assert.match(text.stdout, /names 3 accounts\. These are suggestions: nothing here is proven\./)
    assert.match(text.stderr, /^Next: check them: kez verify id github:semisol ap:semisol@bitcoinhackers\.org; if/m)
    const nobody = await reader.kez(["import", "nip39", createAccount(0x62).npub])
    assert.deepEqual([nobody.code, /names no account\.\n$/.test(nobody.stdout)], [0, true])
    const env = { KEZ_RELAYS: "ws://127.0.0.1:1" }
    assert.equal((await reader.json(["import", "nip39", account.npub], { env })).code, 5)
  })
})
