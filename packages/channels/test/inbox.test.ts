/** The messages of a socket that nobody has read yet. SPEC §7.2. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { createInbox } from "../src/inbox.ts"

async function readAll(inbox: ReturnType<typeof createInbox>): Promise<readonly string[]> {
  const read: string[] = []
  for await (const message of inbox.read()) read.push(message)
  return read
}

test("read() gives messages in order, those that came while it read too, and ends", async () => {
  const inbox = createInbox()
  inbox.put("a")
  inbox.put("b")
  const messages = inbox.read()
  assert.equal((await messages.next()).value, "a")
  inbox.put("c")
  assert.equal((await messages.next()).value, "b")
  assert.equal((await messages.next()).value, "c")
  const waiting = messages.next()
  inbox.put("d")
  assert.equal((await waiting).value, "d")
  inbox.put("e")
  inbox.clear()
  inbox.end()
  inbox.put("f")
  assert.equal((await messages.next()).done, true)
})

test("read() throws the reason of the end when all before it is read", async () => {
  const inbox = createInbox()
  inbox.put("a")
  inbox.end(new Error("over"))
  const messages = inbox.read()
  assert.equal((await messages.next()).value, "a")
  await assert.rejects(messages.next(), { message: "over" })
})

test("read() takes a full socket of the smallest messages in linear time", async () => {
  const inbox = createInbox()
  const count = 262_144
  for (let at = 0; at < count; at += 1) inbox.put("[]")
  inbox.end()
  const began = performance.now()
  assert.equal((await readAll(inbox)).length, count)
  assert.ok(performance.now() - began < 5_000, `${performance.now() - began} ms`)
})
