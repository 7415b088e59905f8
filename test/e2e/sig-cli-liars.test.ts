/** The kez command and real stores that lost, hide or split a chain: who sees it, and what heals it. SPEC §6, §8 */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { suite, type TestContext, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { encodeProof, envelopeDigest, formatEnvelope } from "../../packages/core/src/index.ts"
import { add, claimOf, headOf, revoke } from "../../packages/core/test/support/chains.ts"
import { keyNamed } from "../../packages/core/test/support/keys.ts"
import { makePerson, type Person } from "../support/person.ts"
import { runSigServer, type SigServer, startSigServer } from "../support/sig-server.ts"

const domain = "dns:mira.dev"

async function ok(person: Person, ...args: readonly string[]) {
  const answer = await person.json(args)
  assert.equal(answer.code, 0, JSON.stringify(answer))
  return answer.data
}

async function verify(reader: Person, claim: string, ...more: readonly string[]) {
  const { code, data } = await reader.json(["verify", "file", claim, "--timeout", "3", ...more])
  return { code, status: data.status, reason: data.reason, flags: data.flags, head: data.chain?.head ?? null }
}

/** An owner with a claim and a chain of one event, in a store. */
async function setUp(t: TestContext) {
  const server = await startSigServer(t)
  const owner = await makePerson(t, { holds: "ed25519", stores: [server.url] })
  const claim = owner.file("claim.md", "")
  await ok(owner, "claim", "create", domain, "--out", claim, "--force")
  await ok(owner, "sigchain", "add", domain)
  await ok(owner, "sigchain", "publish")
  return { server, owner, claim }
}

function post(server: SigServer, path: string, body: string): Promise<Response> {
  return fetch(`${server.url}/v1/chains/${path}`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json" },
  })
}

// Most of the time they wait: for processes, and for a head to be over.
suite("stores that do not tell all", { concurrency: true }, () => {
  test("C8 G10 a store restored from yesterday is noticed by who saw more, and healed by sync", async (t) => {
    const { server, owner, claim } = await setUp(t)
    const { folder } = server
    const file = join(folder, "yesterday")
    const wrote = await runSigServer(["backup", "--to", file, "--data", join(folder, "data")], { folder })
    assert.equal(wrote.code, 0, wrote.stderr)
    await ok(owner, "sigchain", "revoke", domain)
    await ok(owner, "sigchain", "publish")
    const seen = await makePerson(t, { stores: [server.url] })
    assert.equal((await verify(seen, claim)).code, 11)
    assert.equal(await server.end(), 0)
    // C2: who never saw the revocation is not told that all is well.
    const never = () => makePerson(t, { stores: [server.url] })
    const down = await verify(await never(), claim)
    assert.deepEqual([down.code, down.status, down.reason], [5, "unreachable", "chain.unreachable"])
    assert.equal((await verify(seen, claim)).status, "revoked", "a revocation that was seen stays")
    const publish = await owner.json(["sigchain", "publish", "--timeout", "3"])
    assert.deepEqual([publish.code, publish.data.places[0].code], [5, "net.refused"])

    const data = join(folder, "restored")
    assert.equal((await runSigServer(["restore", "--from", file, "--data", data], { folder })).code, 0)
    await startSigServer(t, { folder, args: ["--data", data, "--port", String(server.port)] })
    assert.equal((await verify(await never(), claim)).status, "valid", "the store knows no better")
    const back = await verify(seen, claim)
    assert.deepEqual([back.status, back.flags.includes("rollback")], ["revoked", true])
    const { places } = await ok(owner, "sigchain", "sync")
    assert.deepEqual([places[0].state, places[0].sent], ["whole", 1])
    assert.equal((await verify(await never(), claim)).code, 11)
    assert.equal((await verify(seen, claim)).flags.includes("rollback"), false)
  })

  test("C10 a withheld revocation is stale once the head is over, chain.stale with --fresh, and chain.withheld under a newer head", async (t) => {
    const server = await startSigServer(t)
    const key = keyNamed("withheld")
    const event = add(undefined, domain, key)
    const chain = envelopeDigest(event)
    const revocation = revoke(event, domain, key)
    assert.equal((await post(server, `${chain}/events`, formatEnvelope(event))).status, 201)
    const reader = () => makePerson(t, { stores: [server.url] })
    const claim = (await reader()).file("claim.md", encodeProof(claimOf(domain, key), "markdown"))
    // Long enough for a busy machine to look once before it is over.
    const lasts = 15
    const issued = Math.floor(Date.now() / 1_000) - 1
    const head = headOf(event, { chain, by: key, issued, lasts })
    assert.equal((await post(server, `${chain}/heads`, formatEnvelope(head))).status, 204)
    const fresh = await verify(await reader(), claim, "--fresh")
    assert.deepEqual([fresh.code, fresh.status], [0, "valid"])
    await sleep(Math.max(0, (issued + lasts + 1) * 1_000 - Date.now()))
    const stale = await verify(await reader(), claim)
    assert.deepEqual([stale.code, stale.status, stale.flags.includes("stale")], [0, "valid", true])
    const demanded = await verify(await reader(), claim, "--fresh")
    assert.deepEqual([demanded.code, demanded.reason], [5, "chain.stale"])
    // The store does not know the revocation. Whoever has the owner's newer head knows that there is more.
    const newer = headOf(revocation, { chain, by: key, issued, lasts: 3_600 })
    const warned = await reader()
    await ok(warned, "sigchain", "fetch", chain)
    await ok(warned, "sigchain", "import", warned.file("head.json", formatEnvelope(newer)))
    const withheld = await verify(warned, claim)
    assert.deepEqual([withheld.status, withheld.reason], ["unreachable", "chain.withheld"])
    assert.equal((await post(server, `${chain}/events`, formatEnvelope(revocation))).status, 201)
    assert.equal((await verify(warned, claim)).code, 11)
  })

  test("C7 C9 a fork in two stores is caught by a fetch from the other, and by everybody once one syncs", async (t) => {
    const [left, right] = await Promise.all([startSigServer(t), startSigServer(t)])
    const owner = await makePerson(t, { holds: "ed25519", stores: [left.url] })
    const claim = owner.file("claim.md", "")
    await ok(owner, "claim", "create", domain, "--out", claim, "--force")
    await ok(owner, "sigchain", "add", domain)
    const start = owner.file("start.jsonl", (await ok(owner, "sigchain", "export")).text)
    // A thief of the key goes on from the same event at another store.
    const thief = await makePerson(t)
    const stolen = ["--key-file", thief.file("stolen", readFileSync(join(owner.home, "keys", "me.key"), "utf8"))]
    await ok(thief, "sigchain", "import", start)
    await ok(thief, "sigchain", "add", "github:thief", ...stolen)
    await ok(thief, "sigchain", "publish", "--store", right.url, ...stolen)
    await ok(owner, "sigchain", "add", "github:mira")
    await ok(owner, "sigchain", "publish")
    const [a, b] = [await makePerson(t, { stores: [left.url] }), await makePerson(t, { stores: [right.url] })]
    assert.deepEqual([(await verify(a, claim)).status, (await verify(b, claim)).status], ["valid", "valid"])
    const fetched = await ok(b, "sigchain", "fetch", owner.key, "--from", left.url)
    assert.equal(fetched.chains[0].status, "fork")
    assert.equal((await verify(b, claim)).code, 13)
    assert.equal((await verify(a, claim)).code, 0, "it has not looked there")
    await owner.json(["sigchain", "sync", "--store", left.url, "--store", right.url])
    for (const store of [left, right]) {
      assert.equal((await verify(await makePerson(t, { stores: [store.url] }), claim)).code, 13)
    }
    assert.equal((await verify(a, claim)).code, 13)
  })
})
