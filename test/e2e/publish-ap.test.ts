/** `kez claim publish` and `unpublish` at a server with Mastodon's API, as people run them, and what others then see. SPEC §7.6 */
import assert from "node:assert/strict"
import { join } from "node:path"
import { after, before, suite, type TestContext, test } from "node:test"
import { type FedifyServer, type FediverseAccount, startFedifyServer } from "../support/fedify-server.ts"
import { makePerson, type Person } from "../support/person.ts"
import { skipWithoutPeer } from "../support/servers.ts"

const subject = "ap:alice@social.test"
const secret = "s3cret-token-of-alice"
const actor = "https://social.test/users/a1"
const site = { name: "Site", value: "https://alice.example" }

suite("publishing in the fediverse", { skip: skipWithoutPeer("fedify") }, () => {
  let server: FedifyServer

  before(async () => {
    server = await startFedifyServer()
  })
  after(() => server?.close())

  async function setUp(t: TestContext, account: Partial<FediverseAccount> = {}) {
    const alice = { username: "alice", token: secret, note: "Hello", fields: [site], ...account }
    await server.set({ accounts: { a1: alice, m: { username: "mallory", token: "other-token" } } })
    const { hosts } = server
    const owner = await makePerson(t, { hosts, holds: "ed25519" })
    const token = ["--credential-file", owner.file("token", secret)]
    return {
      owner,
      reader: await makePerson(t, { hosts }),
      token,
      publish: (...more: readonly string[]) => owner.json(["claim", "publish", subject, ...token, ...more]),
    }
  }

  const alice = async () => (await server.accounts())["a1"] as FediverseAccount
  const written = async () => (await server.asked()).filter((line) => !line.startsWith("GET ")).length
  const chainOf = async (owner: Person) => (await owner.json(["sigchain", "show"])).data

  test("a field: published, proven with the chain, published again for nothing, taken back, and revoked", async (t) => {
    const { owner, reader, token, publish } = await setUp(t)
    const first = await publish()
    assert.equal(first.code, 0, first.error?.message)
    const { place, form, verdict, events } = first.data
    assert.deepEqual([place, form, verdict.status, events.length], ["field", "reference", "valid", 1])
    const { fields } = await alice()
    assert.deepEqual([fields?.[0], fields?.[1]?.name], [site, "KEZ"])
    assert.match(fields?.[1]?.value ?? "", /^kez:r1:[0-9a-f]{64}$/)
    const [entry] = (await chainOf(owner)).subjects
    assert.deepEqual([entry.status, entry.subject_id], ["active", actor])

    const chain = join(owner.dir, "chain.jsonl")
    await owner.kez(["sigchain", "export", "--out", chain])
    const seen = await reader.json(["verify", "id", "mastodon:alice@social.test", "--chain", chain])
    assert.deepEqual([seen.code, seen.data.subject, seen.data.primary], [0, subject, owner.key])

    const before = await written()
    const again = await publish()
    assert.deepEqual([again.code, again.data.events, await written()], [0, [], before])

    const gone = await owner.json(["claim", "unpublish", subject, ...token])
    assert.deepEqual([gone.code, gone.data.still_seen], [0, false])
    assert.deepEqual((await alice()).fields, [site])
    assert.equal((await reader.json(["verify", "id", subject])).code, 14)
    await owner.kez(["sigchain", "revoke", subject])
    await owner.kez(["sigchain", "export", "--out", chain, "--force"])
    assert.equal((await reader.json(["verify", "id", subject, "--chain", chain])).code, 11)
  })

  for (const place of ["bio", "post"]) {
    test(`a ${place}: published, published again for nothing, and taken back`, async (t) => {
      const { owner, token, publish } = await setUp(t)
      const hint = place === "bio" ? ["--chain-hint", "https://page.test/chain.jsonl"] : []
      const first = await publish("--place", place, ...hint)
      assert.deepEqual([first.code, first.data.place, first.data.verdict.status], [0, place, "valid"])
      const before = await written()
      if (place === "bio")
        assert.match((await alice()).note ?? "", /^Hello\n\nkez:r1:\w+\nChain: https:\/\/page\.test\S+$/)
      assert.equal((await publish("--place", place, ...hint)).data.outcomes[0].note, "it stood there already")
      assert.equal(await written(), before)
      const gone = await owner.json(["claim", "unpublish", subject, ...token])
      assert.deepEqual([gone.code, gone.data.outcomes.length, gone.data.still_seen], [0, 1, false])
      assert.equal((await alice()).note, "Hello")
    })
  }

  test("a token of somebody else, a wrong one, a misspelt name and a silent host leave no event behind", async (t) => {
    const { owner, token } = await setUp(t)
    const file = (text: string) => ["--credential-file", owner.file(`token-${text.length}`, text)]
    for (const [name, credential, code, exit] of [
      [subject, file("other-token"), "publish.credentials", 4],
      [subject, file("wrong"), "publish.credentials", 4],
      ["ap:alicia@social.test", token, "publish.refused", 1],
      ["ap:alice@nowhere.test", token, "net.refused", 5],
      [subject, [], "input.missing", 2],
    ] as const) {
      const answer = await owner.json(["claim", "publish", name, ...credential, "--timeout", "2"])
      assert.deepEqual([answer.error?.code, answer.code], [code, exit], name)
      assert.ok(!`${answer.error.message}${answer.error.hint}`.includes("token-of"))
    }
    assert.equal((await owner.json(["sigchain", "show"])).error.code, "chain.unknown")
  })

  test("with all fields taken nothing is overwritten: publish.refused names the other places", async (t) => {
    const fields = ["a", "b", "c", "d"].map((name) => ({ name, value: "mine" }))
    const { publish } = await setUp(t, { fields })
    const { code, error } = await publish()
    assert.deepEqual([code, error.code], [1, "publish.refused"])
    assert.match(error.hint ?? "", /bio or post/)
    assert.deepEqual((await alice()).fields, fields)
    assert.equal((await publish("--place", "bio")).code, 0)
  })
})
