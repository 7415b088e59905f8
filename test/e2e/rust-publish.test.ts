/** `kez-rs claim publish` and `unpublish` at the servers that `kez` is tested with; what it wrote is found by `kez`. SPEC §7.5, §7.6 */
import assert from "node:assert/strict"
import { join } from "node:path"
import { after, before, suite, type TestContext, test } from "node:test"
import { type AtprotoNetwork, startAtproto } from "../support/atproto-pds.ts"
import { type FedifyServer, type FediverseAccount, startFedifyServer } from "../support/fedify-server.ts"
import { type KezRs, openKezRs } from "../support/kez-rs.ts"
import { type NoNames, startNoNames } from "../support/no-names.ts"
import { makePerson } from "../support/person.ts"
import { skipWithoutRust } from "../support/rust.ts"
import { skipWithoutPeer } from "../support/servers.ts"

interface Stage {
  publish(...more: readonly string[]): ReturnType<KezRs>
  unpublish(): ReturnType<KezRs>
  /** What `kez` says of the account, with the chain at hand. */
  verify(): Promise<{ readonly code: number; readonly status: string; readonly reason: string | null }>
}

async function setUp(
  t: TestContext,
  kezRs: KezRs,
  about: { readonly subject: string; readonly secret: string; readonly hosts: Readonly<Record<string, string>> },
): Promise<Stage> {
  const { subject, secret, hosts } = about
  const resolver = names.address
  const owner = await makePerson(t, { hosts, resolver, holds: "ed25519" })
  const reader = await makePerson(t, { hosts, resolver })
  const credentials = ["--credential-file", owner.file("secret", secret), "--wait", "0"]
  const chain = join(owner.dir, "chain.jsonl")
  return {
    publish: (...more) => kezRs(["claim", "publish", subject, ...credentials, ...more], owner.home),
    unpublish: () => kezRs(["claim", "unpublish", subject, ...credentials], owner.home),
    async verify() {
      assert.equal((await kezRs(["sigchain", "export", "--out", chain, "--force"], owner.home)).code, 0)
      const { code, data } = await reader.json(["verify", "id", subject, "--chain", chain])
      return { code, status: data.status, reason: data.reason }
    },
  }
}

let names: NoNames
before(async () => {
  names = await startNoNames()
})
after(() => names?.close())

const valid = { code: 0, status: "valid", reason: null }
const gone = { code: 14, status: "invalid", reason: "proof.not_found" }

suite("kez-rs at an atproto server", { skip: skipWithoutRust() || skipWithoutPeer("atproto") }, () => {
  let network: AtprotoNetwork
  let kezRs: KezRs
  before(async () => {
    kezRs = openKezRs()
    network = await startAtproto()
  })
  after(() => network?.stop())

  test("a post of its own: published, found by kez, not posted twice, replaced, and taken back; other posts stay", async (t) => {
    const account = await network.createAccount("rust")
    const { did, handle, token } = account
    const record = { $type: "app.bsky.feed.post", text: "hello", createdAt: "2026-01-01T00:00:00Z" }
    await network.call("com.atproto.repo.createRecord", {
      body: { repo: did, collection: record.$type, record },
      token,
    })
    const posts = async () => {
      const listed = await network.call(`com.atproto.repo.listRecords?repo=${did}&collection=app.bsky.feed.post`, {})
      return (listed as { records: { value: { text: string } }[] }).records.map(({ value }) => value.text)
    }
    const hosts = network.hostsOf(handle)
    const stage = await setUp(t, kezRs, { subject: `bluesky:${handle}`, secret: account.appPassword, hosts })
    const first = await stage.publish("--place", "post")
    assert.equal(first.code, 0, first.error?.message)
    assert.deepEqual([first.data.place, first.data.verdict.status], ["post", "valid"])
    assert.match(first.data.outcomes[0].url, new RegExp(`^https://bsky.app/profile/${did}/post/`))
    const proof = (await posts()).find((text) => text.startsWith("kez:r1:"))
    assert.ok(proof !== undefined)
    assert.deepEqual(await stage.verify(), valid)
    assert.equal((await stage.publish("--place", "post")).code, 0)
    assert.equal((await posts()).length, 2)
    assert.equal((await stage.publish("--place", "post", "--chain-hint", "https://a.example/c")).code, 0)
    assert.deepEqual((await posts()).toSorted(), ["hello", `${proof}\nChain: https://a.example/c`])
    const taken = await stage.unpublish()
    assert.deepEqual([taken.code, taken.data.still_seen], [0, false])
    assert.deepEqual(await posts(), ["hello"])
    assert.deepEqual(await stage.verify(), gone)
  })
})

suite("kez-rs at a fediverse server", { skip: skipWithoutRust() || skipWithoutPeer("fedify") }, () => {
  const token = "s3cret-token-of-alice"
  const alice: FediverseAccount = { username: "alice", token, note: "Hello <world> & all", fields: [] }
  let server: FedifyServer
  let kezRs: KezRs
  before(async () => {
    kezRs = openKezRs()
    server = await startFedifyServer({ handleHost: "social.test", webHost: "web.test" })
  })
  after(() => server?.close())

  const own = async () => (await server.accounts())["a1"] as FediverseAccount
  const setUpAlice = async (t: TestContext, account: Partial<FediverseAccount> = {}) => {
    await server.set({ accounts: { a1: { ...alice, ...account }, m: { username: "mallory", token: "other" } } })
    return setUp(t, kezRs, { subject: "ap:alice@social.test", secret: token, hosts: server.hosts })
  }

  test("the bio: a line at its end, found by kez, written once, and taken back", async (t) => {
    const stage = await setUpAlice(t)
    const first = await stage.publish("--place", "bio")
    assert.equal(first.code, 0, first.error?.message)
    assert.deepEqual([first.data.place, first.data.verdict.status], ["bio", "valid"])
    const { note = "" } = await own()
    assert.match(note, /^Hello <world> & all\n+kez:r1:[0-9a-f]{64}$/)
    assert.deepEqual(await stage.verify(), valid)
    assert.equal((await stage.publish("--place", "bio")).code, 0)
    assert.equal((await own()).note, note)
    assert.equal((await stage.unpublish()).data.still_seen, false)
    assert.equal((await own()).note, alice.note)
    assert.deepEqual(await stage.verify(), gone)
  })

  test("a pinned post: found by kez, edited in place, and deleted; one that cannot be pinned is not left behind", async (t) => {
    const stage = await setUpAlice(t)
    assert.equal((await stage.publish("--place", "post")).code, 0)
    assert.deepEqual(await stage.verify(), valid)
    assert.equal((await stage.publish("--place", "post", "--chain-hint", "https://a.example/c")).code, 0)
    assert.equal((await own()).posts?.length, 1)
    assert.equal((await stage.unpublish()).data.still_seen, false)
    assert.deepEqual((await own()).posts, [])
    const posts = Array.from({ length: 5 }, (_, n) => ({ id: String(n), text: "hello" }))
    const full = await setUpAlice(t, { posts })
    assert.equal((await full.publish("--place", "post")).error.code, "publish.refused")
    assert.deepEqual((await own()).posts, posts)
  })

  test("what kez wrote, it takes back", async (t) => {
    const hosts = server.hosts
    await server.set({ accounts: { a1: alice } })
    const owner = await makePerson(t, { hosts, resolver: names.address, holds: "ed25519" })
    const credentials = ["--credential-file", owner.file("secret", token), "--wait", "0"]
    const subject = "ap:alice@social.test"
    for (const place of ["field", "bio", "post"]) {
      const published = await owner.json(["claim", "publish", subject, "--place", place, ...credentials])
      assert.equal(published.code, 0, published.error?.message)
    }
    const taken = await kezRs(["claim", "unpublish", subject, ...credentials], owner.home)
    assert.deepEqual([taken.code, taken.data.outcomes.length], [0, 3])
    const { fields, note, posts } = await own()
    assert.deepEqual([fields, note, posts], [[], alice.note, []])
  })

  test("the token of somebody else is not used", async (t) => {
    await server.set({ accounts: { a1: alice, m: { username: "mallory", token: "other" } } })
    const stage = await setUp(t, kezRs, { subject: "ap:alice@social.test", secret: "other", hosts: server.hosts })
    const refused = await stage.publish("--place", "bio")
    assert.deepEqual([refused.code, refused.error.code], [4, "publish.credentials"])
    assert.ok((await server.asked()).every((line) => line.startsWith("GET ")))
  })
})
