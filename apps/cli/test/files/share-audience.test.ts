/** `/share` names people who are there now, and nobody who is on his way out. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Contact, ConversationDevice } from "@kez/chat"
import { shareAudience } from "../../src/files/share-audience.ts"

const [alice = "", bob = "", carol = "", dave = ""] = ["a", "b", "c", "d"].map((digit) => `sha256:${digit.repeat(64)}`)

function engineOf(here: readonly string[], accepted: readonly string[]) {
  const contacts = accepted.map((chain): Contact => ({ chain, standing: "accepted", devices: [] }))
  const devices = here.map((chain): ConversationDevice => {
    return { chain, device: `ed25519:${chain}`, standing: "current", isSelf: chain === alice }
  })
  return {
    chain: alice,
    devices: async () => devices,
    contacts: { list: async () => contacts } as unknown as Parameters<typeof shareAudience>[0]["contacts"],
  }
}

test("contacts who are in the conversation, and how many there are none", async () => {
  const found = await shareAudience(engineOf([alice, bob, dave], [bob, carol]), {
    ...{ id: "g", kind: "group", members: [alice, bob, dave] },
  })
  assert.deepEqual(found, { audience: [bob], groups: [{ id: "g", members: [bob] }], left: 1 })
})

test("who is removed and waits for the commit is named no more", async () => {
  const members = [alice, bob, carol]
  const found = await shareAudience(engineOf([alice, bob], [bob, carol]), { id: "d", kind: "dm", members })
  assert.deepEqual(found, { audience: [bob], groups: [], left: 0 })
})
