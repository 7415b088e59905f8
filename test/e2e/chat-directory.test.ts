/** A handle through all layers: registered at a real chat server, whose chain lies in a real store, found by the real command. SPEC §7.7, §7.8 */
import assert from "node:assert/strict"
import { suite, test } from "node:test"
import { formatEnvelope } from "../../packages/core/src/index.ts"
import { ask, grow, personWith, register, signerOf, startChatServer } from "../support/chat-server.ts"
import { makePerson } from "../support/person.ts"
import { startSigServer } from "../support/sig-server.ts"

const alice = signerOf(1)
const subject = "kez:alice@localhost"

async function publish(
  store: { readonly url: string },
  { chain, path }: Awaited<ReturnType<typeof personWith>>["chain"],
) {
  for (const event of path) {
    const answer = await fetch(`${store.url}/v1/chains/${chain}/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: formatEnvelope(event),
    })
    assert.ok(answer.ok, await answer.text())
  }
}

suite("a handle on a real chat server", () => {
  test("kez verify finds it valid once it is registered, revoked once the chain says so", async (t) => {
    const store = await startSigServer(t)
    const server = await startChatServer(t, { args: ["--stores", store.url] })
    const reader = await makePerson(t, { hosts: { localhost: server.url }, stores: [store.url] })
    const person = await personWith(alice, subject)
    const verify = async () => {
      const { code, data } = await reader.json(["verify", "id", subject, "--primary", alice.key])
      return [code, data.status, data.reason]
    }
    assert.deepEqual(await verify(), [14, "invalid", "proof.not_found"])
    const early = await register(server, person, "alice", { omitsChain: true })
    assert.deepEqual([early.status, early.body.code], [422, "chain.unknown"])
    await publish(store, person.chain)
    const made = await register(server, person, "alice", { omitsChain: true })
    assert.equal(made.status, 201, made.text)
    assert.deepEqual(await verify(), [0, "valid", null])
    const again = await register(server, person, "alice", { omitsChain: true })
    assert.deepEqual([again.status, again.body.proof], [200, made.body.proof])
    await publish(store, await grow(person.chain, { op: "revoke", subject }, alice))
    assert.deepEqual(await verify(), [11, "revoked", "claim.revoked"])
  })

  test("is refused while a store is silent, with when to come back", async (t) => {
    const store = await startSigServer(t)
    const server = await startChatServer(t, { args: ["--stores", store.url] })
    await store.end("SIGKILL")
    const answer = await register(server, await personWith(alice, subject), "alice")
    assert.deepEqual(
      [answer.status, answer.body.code, answer.headers.get("retry-after")],
      [503, "chain.unreachable", "5"],
    )
    assert.equal((await ask(`${server.url}/v1/handles/alice`)).status, 404)
  })
})
