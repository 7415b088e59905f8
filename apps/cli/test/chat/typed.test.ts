/** What is typed into a chat. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { parseTyped } from "../../src/chat/typed.ts"

for (const [line, expected] of [
  ["hello", { do: "text", text: "hello" }],
  ["//etc/passwd", { do: "text", text: "/etc/passwd" }],
  ["   ", { do: "nothing" }],
  ["/to github:bob ", { do: "to", who: "github:bob", text: "" }],
  ["/reply 3 well", { do: "reply", which: "3", text: "well" }],
  ["/reply #3 well", { do: "reply", which: "3", text: "well" }],
  ["/reply well", { do: "reply", which: undefined, text: "well" }],
  ["/delete", { do: "delete", which: undefined, text: "" }],
  ["/delete 12", { do: "delete", which: "12", text: "" }],
  ["/react 2 👍", { do: "react", who: "2", text: "👍" }],
  ["/settle 1 accept", { do: "settle", which: "1", decision: "accept" }],
  ["/send ~/my photo.jpg", { do: "send", text: "~/my photo.jpg" }],
  ["/share ~/my photos", { do: "share", text: "~/my photos" }],
  ["/unshare my photos", { do: "unshare", text: "my photos" }],
  ["/receive", { do: "receive", which: undefined, text: "" }],
  ["/receive 3 ~/Downloads", { do: "receive", which: "3", text: "~/Downloads" }],
  ["/receive in", { do: "receive", which: undefined, text: "in" }],
  ["/decline #2", { do: "decline", which: "2", text: "" }],
  ["/group garden bob carol", { do: "group", name: "garden", who: ["bob", "carol"] }],
  ["/add dave@other", { do: "add", who: "dave@other" }],
  ["/remove carol?", { do: "remove", who: "carol?" }],
  ["/leave", { do: "leave" }],
  ["/quit", { do: "quit" }],
] as const) {
  test(`parseTyped() reads ${JSON.stringify(line)}`, () => assert.deepEqual(parseTyped(line), expected))
}

for (const line of [
  "/",
  "/to",
  "/react 2",
  "/reply",
  "/edit 3",
  "/settle 1",
  "/settle 1 perhaps",
  "/send",
  "/share",
  "/unshare ",
  "/decline x",
  "/group garden",
  "/add",
  "/remove bob carol",
  "/nonsense",
]) {
  test(`parseTyped() refuses ${JSON.stringify(line)} as usage`, () => {
    assert.throws(() => parseTyped(line), { code: "usage" })
  })
}

test("parseTyped() names the nearest command", () => {
  assert.throws(() => parseTyped("/quitt"), { hint: "Did you mean /quit?" })
})
