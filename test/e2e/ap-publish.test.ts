/** Publishing through Mastodon's API and finding it again in what Fedify serves of the same account. SPEC §7.6. */
import assert from "node:assert/strict"
import { after, before, beforeEach, describe, test } from "node:test"
import { ap, apPublisher, createNet, type Net, type PublishRequest } from "../../packages/channels/src/index.ts"
import { encodeProof, KezError } from "../../packages/core/src/index.ts"
import {
  type FedifyServer,
  type FediverseAccount,
  type FediverseState,
  startFedifyServer,
} from "../support/fedify-server.ts"
import { skipWithoutPeer } from "../support/servers.ts"

const skip = skipWithoutPeer("fedify")
const value = "alice@social.test"
const token = "s3cret-token-of-alice"
const older = encodeProof({ chain: `sha256:${"01".repeat(32)}` }, "reference")
const proof = encodeProof({ chain: `sha256:${"ab".repeat(32)}`, host: "store.example" }, "reference")
const never = new AbortController().signal
const site = { name: "Site", value: "https://alice.example" }
const isOurs = (text: string) => text.includes(proof) || text.includes(older)

for (const webHost of ["social.test", "web.test"]) {
  describe(`ap publishing, the API at ${webHost}`, { skip }, () => {
    let server: FedifyServer
    let net: Net
    before(async () => {
      server = await startFedifyServer({ handleHost: "social.test", webHost })
      net = createNet({ hosts: server.hosts })
    })
    after(() => server.close())

    const alice: FediverseAccount = { username: "alice", token, note: "Hello <world> & all", fields: [site] }
    const set = (account: Partial<FediverseAccount> = {}, more: FediverseState = {}) =>
      server.set({
        accounts: { a1: { ...alice, ...account }, m: { username: "mallory", token: "other" } },
        setup: { apiVersion: 2 },
        ...more,
      })
    beforeEach(() => set())

    const request = (place: string, text = proof, secret = token): PublishRequest => {
      const found = apPublisher.places.find(({ name }) => name === place)
      assert.ok(found)
      return { value, place: found, makeText: async () => text, credentials: { secret } }
    }
    const publish = (...asked: Parameters<typeof request>) => apPublisher.publish(request(...asked), net, never)
    const unpublish = () => apPublisher.unpublish({ value, credentials: { secret: token }, isOurs }, net, never)
    const own = async () => (await server.accounts())["a1"] as FediverseAccount
    const found = async () => {
      const publication = await ap.collect(value, net, { signal: never })
      return publication.status === "found" ? publication.candidates.map(({ text }) => text) : publication.status
    }

    test("field: is added beside the others, found, replaced in place, and taken back", async () => {
      assert.equal(await found(), "absent")
      const { outcomes } = await publish("field", older)
      assert.deepEqual(outcomes, [{ url: `https://${webHost}/@alice`, accepted: true }])
      assert.deepEqual(await found(), [older])
      await publish("field")
      assert.deepEqual(await found(), [proof])
      const { fields, note } = await own()
      assert.deepEqual(fields, [site, { name: "KEZ", value: proof }])
      assert.equal(note, alice.note)
      assert.equal((await unpublish()).outcomes.length, 1)
      assert.deepEqual((await own()).fields, [site])
      assert.equal(await found(), "absent")
      assert.deepEqual(await unpublish(), { outcomes: [] })
    })

    test("field: the last one is taken back, too", async () => {
      await set({ fields: [] })
      await publish("field")
      await unpublish()
      assert.deepEqual((await own()).fields, [])
    })

    test("field: somebody's own field called Kez stays, and four taken ones are publish.refused", async () => {
      const kept = { name: "kez", value: "a band that I like" }
      await set({ fields: [kept, site, site] })
      await publish("field")
      assert.deepEqual((await own()).fields, [kept, site, site, { name: "KEZ", value: proof }])
      await set({ fields: [kept, site, site, site] })
      await assert.rejects(publish("field"), { code: "publish.refused" })
      assert.equal((await own()).fields?.length, 4)
    })

    test("bio: a line at its end, found, replaced, and taken back", async () => {
      await publish("bio", older)
      await publish("bio")
      assert.equal((await own()).note, `${alice.note}\n\n${proof}`)
      assert.deepEqual(await found(), [`${alice.note}\n${proof}`])
      await unpublish()
      assert.equal((await own()).note, alice.note)
      assert.equal(await found(), "absent")
    })

    test("bio: a text longer than the limit is publish.too_long before anything is sent", async () => {
      await set({ note: "x".repeat(430) })
      await assert.rejects(publish("bio"), { code: "publish.too_long" })
      assert.equal((await own()).note?.length, 430)
      assert.ok((await server.asked()).every((line) => line.startsWith("GET ")))
    })

    test("post: is pinned, found, edited in place, and deleted", async () => {
      await publish("post", older)
      assert.deepEqual(await found(), [`My KEZ identity: ${older}`])
      const { outcomes } = await publish("post")
      assert.match(outcomes[0]?.url ?? "", new RegExp(`^https://${webHost}/@alice/\\d+$`))
      assert.equal((await own()).posts?.length, 1)
      assert.deepEqual(await found(), [`My KEZ identity: ${proof}`])
      assert.equal((await unpublish()).outcomes.length, 1)
      assert.deepEqual((await own()).posts, [])
      assert.equal(await found(), "absent")
    })

    test("post: is not left behind when it cannot be pinned", async () => {
      const posts = Array.from({ length: 5 }, (_, n) => ({ id: String(n), text: "hello" }))
      await set({ posts })
      await assert.rejects(publish("post"), { code: "publish.refused", message: /maximum number/ })
      assert.deepEqual((await own()).posts, posts)
    })

    test("unpublish() takes all of ours away and leaves the rest", async () => {
      await set({ posts: [{ id: "9", text: "hello" }] })
      await publish("field")
      await publish("bio")
      await publish("post")
      assert.equal((await unpublish()).outcomes.length, 3)
      const { fields, note, posts } = await own()
      assert.deepEqual(
        { fields, note, posts },
        { fields: [site], note: alice.note, posts: [{ id: "9", text: "hello" }] },
      )
    })

    test("limits come from version 1 of the API where there is no other", async () => {
      await set({}, { setup: { apiVersion: 1 } })
      await publish("field")
      assert.deepEqual(await found(), [proof])
      assert.ok((await server.asked()).includes(`GET https://${webHost}/api/v1/instance`))
    })

    test("a token that is wrong, of another account or without scope is publish.credentials", async () => {
      await assert.rejects(publish("field", proof, "wrong"), { code: "publish.credentials" })
      await assert.rejects(publish("field", proof, "other"), { code: "publish.credentials" })
      await set({ isReadOnly: true })
      await assert.rejects(publish("field"), { code: "publish.credentials" })
      const request = { value, place: { name: "field", about: "", form: "reference" } as const, credentials: {} }
      const makeText = () => assert.fail("nothing may be signed for a wrong token")
      await assert.rejects(apPublisher.publish({ ...request, makeText }, net, never), { code: "publish.credentials" })
    })

    test("no message repeats the token, even when the server does", async () => {
      const api = `${webHost}/api/v1/accounts/update_credentials`
      const headers = { "content-type": "application/json" }
      await set({}, { overrides: { [api]: { status: 422, headers, body: { error: `no: ${token}` } } } })
      await assert.rejects(publish("field"), (error) => {
        assert.ok(error instanceof KezError)
        assert.equal(error.code, "publish.refused")
        assert.doesNotMatch(JSON.stringify([error.message, error.hint, String(error.cause)]), new RegExp(token))
        return true
      })
      assert.ok((await server.asked()).every((line) => !line.includes(token)))
    })

    test("a server that fails or asks to wait is net.*", async () => {
      const api = `${webHost}/api/v1/accounts/verify_credentials`
      await set({}, { overrides: { [api]: { status: 503, body: "no" } } })
      await assert.rejects(publish("field"), { code: "net.status" })
      await set({}, { overrides: { [api]: { status: 429, headers: { "retry-after": "30" }, body: "no" } } })
      await assert.rejects(publish("field"), { code: "net.rate_limit", retryAfterSeconds: 30 })
    })
  })
}
