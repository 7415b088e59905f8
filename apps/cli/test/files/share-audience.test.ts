/** `/share` names people who are members now, also those without a device, and nobody who is on his way out. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Contact } from "@kez/chat"
import { KezError } from "@kez/core"
import { devicelessText, shareAudience } from "../../src/files/share-audience.ts"

const [alice = "", bob = "", carol = "", dave = ""] = ["a", "b", "c", "d"].map((digit) => `sha256:${digit.repeat(64)}`)

/** `here`: who is a member and stays one. */
function engineOf(here: readonly string[], accepted: readonly string[], deviceless: readonly string[] = []) {
  const contacts = accepted.map((chain): Contact => {
    return { chain, standing: "accepted", devices: deviceless.includes(chain) ? [] : [`ed25519:${chain}`] }
  })
  return {
    chain: alice,
    members: async () => here,
    contacts: { list: async () => contacts } as unknown as Parameters<typeof shareAudience>[0]["contacts"],
  }
}

test("contacts who are in the conversation, and how many there are none", async () => {
  const found = await shareAudience(engineOf([alice, bob, dave], [bob, carol]), { id: "g", kind: "group" })
  assert.deepEqual(found, { audience: [bob], groups: [{ id: "g", members: [bob] }], left: 1, deviceless: [] })
})

test("who is removed and waits for the commit is named no more", async () => {
  const found = await shareAudience(engineOf([alice, bob], [bob, carol]), { id: "d", kind: "dm" })
  assert.deepEqual(found, { audience: [bob], groups: [], left: 0, deviceless: [] })
})

test("a contact who lost his only device is named, and that nothing reaches him yet is said", async () => {
  const found = await shareAudience(engineOf([alice, bob, carol], [bob, carol], [carol]), { id: "g", kind: "group" })
  assert.deepEqual([found.audience, found.left, found.deviceless], [[bob, carol], 0, [carol]])
  const chat = { chains: { known: () => undefined }, account: { handle: "alice", host: "localhost" } }
  const names = chat as unknown as Parameters<typeof devicelessText>[0]
  assert.match(devicelessText(names, found) ?? "", /^no device now: .*It is given once there is one$/)
  assert.equal(devicelessText(names, { deviceless: [] }), undefined)
})

test("an open stop is said, and not that nobody is a contact", async () => {
  const stop = new KezError("account.changed", "two histories")
  const engine = { ...engineOf([], [bob]), members: () => Promise.reject(stop) }
  await assert.rejects(shareAudience(engine, { id: "g", kind: "group" }), stop)
})
