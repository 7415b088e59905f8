/** `kez claim publish` and `unpublish` at a real atproto server, as people run them, and what others then see. SPEC §7.5 */
import assert from "node:assert/strict"
import { join } from "node:path"
import { after, before, suite, type TestContext, test } from "node:test"
import { startHttpServer } from "../../packages/channels/test/support/http-server.ts"
import { type AtprotoNetwork, startAtproto, type TestAccount } from "../support/atproto-pds.ts"
import { makePerson, type Person } from "../support/person.ts"
import { skipWithoutPeer } from "../support/servers.ts"

const wrong = "xxxx-xxxx-xxxx-xxxx"

suite("publishing to Bluesky", { skip: skipWithoutPeer("atproto") }, () => {
  let network: AtprotoNetwork
  let count = 0

  before(async () => {
    network = await startAtproto()
  })
  after(() => network?.stop())

  interface Stage {
    readonly account: TestAccount
    readonly subject: string
    readonly owner: Person
    readonly reader: Person
    readonly password: readonly string[]
    readonly chain: string
    exportChain(): Promise<void>
  }

  async function setUp(t: TestContext): Promise<Stage> {
    count += 1
    const account = await network.createAccount(`person${count}`)
    const hosts = network.hostsOf(account.handle)
    const owner = await makePerson(t, { hosts, holds: "ed25519" })
    const chain = join(owner.dir, "chain.jsonl")
    return {
      account,
      subject: `bluesky:${account.handle}`,
      owner,
      reader: await makePerson(t, { hosts }),
      password: ["--credential-file", owner.file("password", account.appPassword)],
      chain,
      async exportChain() {
        assert.equal((await owner.kez(["sigchain", "export", "--out", chain, "--force"])).code, 0)
      },
    }
  }

  async function descriptionOf({ did }: TestAccount): Promise<string> {
    const query = `com.atproto.repo.getRecord?repo=${did}&collection=app.bsky.actor.profile&rkey=self`
    const { value } = await network.call(query, {})
    return (value as { readonly description?: string }).description ?? ""
  }

  test("a profile: published, proven with the chain, published again for nothing, taken back, and revoked", async (t) => {
    const { account, subject, owner, reader, password, chain, exportChain } = await setUp(t)
    const record = { $type: "app.bsky.actor.profile", displayName: "Me", description: "I write." }
    const body = { repo: account.did, collection: "app.bsky.actor.profile", rkey: "self", record }
    await network.call("com.atproto.repo.putRecord", { body, token: account.token })

    const first = await owner.json(["claim", "publish", subject, ...password])
    assert.equal(first.code, 0, first.error?.message)
    const { place, form, claim, verdict, events } = first.data
    assert.deepEqual([place, form, claim, verdict.status], ["profile", "reference", null, "valid"])
    assert.equal(events.length, 1, "one event, with the permanent number from the start")
    assert.match(await descriptionOf(account), /^I write\.\nkez:r1:[0-9a-f]{64}$/)
    const [entry] = (await owner.json(["sigchain", "show"])).data.subjects
    assert.deepEqual([entry.subject, entry.status, entry.subject_id], [subject, "active", account.did])

    const alone = await reader.json(["verify", "id", subject])
    assert.deepEqual([alone.code, alone.data.reason], [10, "claim.not_in_chain"])
    assert.match((await reader.kez(["verify", "id", subject])).stderr, /^Next: ask the owner for the chain/m)
    await exportChain()
    const seen = await reader.json(["verify", "id", subject, "--chain", chain])
    assert.deepEqual([seen.code, seen.data.status, seen.data.primary], [0, "valid", owner.key])

    const again = await owner.json(["claim", "publish", subject, ...password])
    assert.deepEqual([again.code, again.data.events], [0, []])
    assert.equal(again.data.outcomes[0].note, "it stood there already")

    const gone = await owner.json(["claim", "unpublish", subject, ...password])
    assert.deepEqual([gone.code, gone.data.still_seen], [0, false])
    assert.equal(await descriptionOf(account), "I write.")
    assert.equal((await reader.json(["verify", "id", subject])).code, 14)
    await owner.kez(["sigchain", "revoke", subject])
    await exportChain()
    assert.equal((await reader.json(["verify", "id", subject, "--chain", chain])).code, 11)
  })

  test("a post: published beside the profile, not twice, and both are taken back", async (t) => {
    const { account, subject, owner, password } = await setUp(t)
    const posts = async (): Promise<readonly unknown[]> => {
      const query = `com.atproto.repo.listRecords?repo=${account.did}&collection=app.bsky.feed.post`
      return (await network.call(query, {}))["records"] as readonly unknown[]
    }
    for (const place of ["profile", "post", "post"]) {
      const { code } = await owner.json(["claim", "publish", subject, "--place", place, ...password])
      assert.equal(code, 0, place)
    }
    assert.equal((await posts()).length, 1)
    const { data } = await owner.json(["claim", "unpublish", subject, ...password])
    assert.deepEqual([data.outcomes.length, data.still_seen], [2, false])
    assert.deepEqual(await posts(), [])
  })

  test("with --chain-hint anybody finds the chain, and the line comes and goes with the proof", async (t) => {
    const { account, subject, owner, password } = await setUp(t)
    let chain = ""
    const page = await startHttpServer((_, response) => {
      response.writeHead(chain === "" ? 404 : 200, { "content-type": "application/jsonl" }).end(chain)
    })
    t.after(() => page.close())
    const hint = "https://page.test/chain.jsonl"
    for (const place of ["profile", "profile", "post"]) {
      const args = ["claim", "publish", subject, "--place", place, "--chain-hint", hint, ...password]
      assert.equal((await owner.json(args)).code, 0)
    }
    assert.match(await descriptionOf(account), /^kez:r1:[0-9a-f]{64}\nChain: https:\/\/page\.test\/chain\.jsonl$/)
    chain = (await owner.kez(["sigchain", "export"])).stdout
    const reader = await makePerson(t, { hosts: { ...network.hostsOf(account.handle), "page.test": page.origin } })
    const seen = await reader.json(["verify", "id", subject])
    assert.deepEqual([seen.code, seen.data.status, seen.data.primary], [0, "valid", owner.key])
    const gone = await owner.json(["claim", "unpublish", subject, ...password])
    assert.deepEqual([gone.code, gone.data.outcomes.length, gone.data.still_seen], [0, 2, false])
    assert.equal(await descriptionOf(account), "")
    // What was seen once is expected again: its revocation reaches the reader without any proof.
    await owner.kez(["sigchain", "revoke", subject])
    chain = (await owner.kez(["sigchain", "export"])).stdout
    assert.equal((await reader.json(["verify", "id", subject])).code, 11)
  })

  test("a wrong password, none, and that of somebody else leave no event behind, and are shown nowhere", async (t) => {
    const { account, subject, owner } = await setUp(t)
    const other = await network.createAccount(`other${count}`)
    const env = { KEZ_BSKY_APP_PASSWORD: wrong }
    const attempts = [
      [await owner.json(["claim", "publish", subject]), "input.missing"],
      [await owner.json(["claim", "publish", subject], { env }), "publish.credentials"],
      [
        await owner.json(["claim", "publish", subject, "--credential-file", owner.file("p", other.appPassword)]),
        "publish.credentials",
      ],
    ] as const
    for (const [{ error, stderr }, code] of attempts) {
      assert.equal(error.code, code)
      const said = `${error.message}${error.hint}${stderr}`
      for (const password of [wrong, other.appPassword]) assert.ok(!said.includes(password))
    }
    assert.equal((await owner.json(["sigchain", "show"])).error.code, "chain.unknown")
    const right = { KEZ_BSKY_APP_PASSWORD: account.appPassword }
    assert.equal((await owner.json(["claim", "publish", subject, "--debug"], { env: right })).code, 0)
    assert.equal(owner.keeps(account.appPassword), false)
  })

  test("what the place has no room for is publish.too_long, and the event that was needed for it is told", async (t) => {
    const { account, subject, owner, password } = await setUp(t)
    const record = { $type: "app.bsky.actor.profile", description: "x".repeat(250) }
    const body = { repo: account.did, collection: "app.bsky.actor.profile", rkey: "self", record }
    await network.call("com.atproto.repo.putRecord", { body, token: account.token })
    const { code, error, warnings } = await owner.json(["claim", "publish", subject, ...password])
    assert.deepEqual([code, error.code], [1, "publish.too_long"])
    assert.ok(warnings.some((text) => text.includes("is listed as event 0 of your chain all the same")))
    assert.equal((await descriptionOf(account)).length, 250)
    const post = await owner.json(["claim", "publish", subject, "--place", "post", ...password])
    assert.deepEqual([post.code, post.data.events], [0, []])
  })
})
