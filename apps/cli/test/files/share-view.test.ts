/** Who has what is shared, and who has it as a member of a group alone. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { ShareRow } from "@kez/chat"
import type { OpenChat } from "../../src/chat/open-chat.ts"
import { audienceText, groupNamesOf, shareJson } from "../../src/files/share-view.ts"

const [bob = "", carol = "", garden = "", house = ""] = ["b", "c", "1", "2"].map((one) => `sha256:${one.repeat(64)}`)
const row: ShareRow = {
  ...{ id: "f".repeat(64), path: "/tmp/plan.txt", name: "plan.txt", addedAt: 1, files: 1, size: 5 },
  ...{ audience: [bob, carol], groups: [garden, house].map((id) => ({ id, members: [carol] })) },
}
const chat = {
  chains: { known: () => undefined },
  account: { handle: "alice", host: "localhost" },
  engine: { conversation: async (id: string) => (id === garden ? { id, name: "garden", members: [] } : undefined) },
} as unknown as OpenChat

test("who is named by a group stands with its name, or with its id where it is not here any more", async () => {
  const text = audienceText(chat, row, await groupNamesOf(chat, [row]))
  assert.match(text, /^[^(,]+, [^(,]+ \(in garden, sha256:2222[^)]*\)$/)
  assert.equal(audienceText(chat, { audience: "contacts" }, new Map()), "all contacts")
})

test("JSON names the groups of each person, and none where he is named by himself", () => {
  assert.deepEqual(
    shareJson(chat, row).with.map(({ chain, groups }) => [chain, groups]),
    [
      [bob, []],
      [carol, [garden, house]],
    ],
  )
})
