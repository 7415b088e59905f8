/** Streams, mailboxes and conversations: where a message goes. Another place would lose what is stored. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { commandSubjects, parseCommand } from "../src/commands.ts"
import { conversationOf, mailboxOf, streamSettings } from "../src/streams/layout.ts"

const secret = new Uint8Array(32).fill(7)
const device = { uid: "fco57r5md44s4zjuxmq7cpskumz2wxix", dev: "jg4faxvf35cm6cl6ovgvtvbaawyskvx4" }

test("mailboxOf() is the same everywhere, and another with another secret", () => {
  assert.deepEqual(mailboxOf(device.uid, secret), {
    stream: "MBX41",
    subject: "mbx.41.pr24aellqn7walxk6rdlumlu7yqgo55u",
  })
  assert.notEqual(mailboxOf(device.uid, new Uint8Array(32)).subject, mailboxOf(device.uid, secret).subject)
})

test("conversationOf() has a subject for commits of its own, in the stream of its messages", () => {
  const { messages, commits } = conversationOf("c2")
  assert.deepEqual(messages, { stream: "CONV12", subject: "conv.12.c2.message" })
  assert.deepEqual(commits, { stream: "CONV12", subject: "conv.12.c2.commit" })
})

test("mailboxOf() and conversationOf() refuse names that mean more in a subject", () => {
  for (const name of ["", "*", ">", "a.b", "A", "a b", "a".repeat(65)]) {
    assert.throws(() => conversationOf(name), { code: "schema.value" })
    assert.throws(() => mailboxOf(name, secret), { code: "schema.value" })
  }
})

test("streamSettings() is 64 mailbox streams and 16 of conversations, none of which can be rolled up", () => {
  const streams = streamSettings(3)
  assert.equal(streams.filter(({ name }) => name.startsWith("MBX")).length, 64)
  assert.equal(streams.filter(({ name }) => name.startsWith("CONV")).length, 16)
  for (const stream of streams) {
    assert.equal(stream.allow_rollup_hdrs, false)
    assert.equal(stream.num_replicas, 3)
    assert.equal(stream.duplicate_window, 120_000_000_000)
  }
})

const subject = `cmd.${device.uid}.${device.dev}.send`
const reply = `_INBOX.${device.uid}.${device.dev}.abc.1`

test("parseCommand() tells who sends what", () => {
  assert.deepEqual(parseCommand(subject, reply), { device, operation: "send" })
  assert.equal(commandSubjects.split(".").length, subject.split(".").length)
})

const hostile: ReadonlyArray<readonly [name: string, subject: string, reply: string | undefined]> = [
  ["no reply, as of a status that was aimed here", subject, undefined],
  ["the reply of a message of JetStream that was aimed here", subject, "$JS.ACK.MBX1.x.1.1.1.1.0"],
  ["a reply in another's inbox", subject, `_INBOX.${device.dev}.${device.dev}.1`],
  ["a reply in an inbox that only begins like the sender's", subject, `_INBOX.${device.uid}.${device.dev}x.1`],
  ["a reply that is another's command", subject, `cmd.${device.uid}.${device.dev}.send`],
  ["a name in another form", `cmd.alice.${device.dev}.send`, reply],
  ["a token more", `${subject}.x`, reply],
  ["no operation", `cmd.${device.uid}.${device.dev}.`, reply],
  ["another subject", `live.${device.uid}.${device.dev}.send`, reply],
]

for (const [name, at, to] of hostile) {
  test(`parseCommand() refuses ${name}`, () => {
    assert.equal(parseCommand(at, to), undefined)
  })
}
