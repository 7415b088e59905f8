/** Names and subjects on a chat's broker. They are made of hashes, so nothing that a person chooses is ever in a subject. */
import assert from "node:assert/strict"
import { test } from "node:test"
import {
  commandSubjectOf,
  deviceIdOf,
  inboxPrefixOf,
  liveSubjectOf,
  mailboxReaderOf,
  mailboxShardOf,
  userIdOf,
} from "../src/chat/broker-names.ts"
import { keyNamed } from "./support/keys.ts"

const chain = `sha256:${"ab".repeat(32)}`
const device = { uid: userIdOf(chain), dev: deviceIdOf(keyNamed("alice's phone").key) }

test("names and subjects are the same everywhere", () => {
  assert.deepEqual(device, { uid: "fco57r5md44s4zjuxmq7cpskumz2wxix", dev: "jg4faxvf35cm6cl6ovgvtvbaawyskvx4" })
  assert.equal(inboxPrefixOf(device), `_INBOX.${device.uid}.${device.dev}`)
  assert.equal(commandSubjectOf(device, "session"), `cmd.${device.uid}.${device.dev}.session`)
  assert.equal(liveSubjectOf(device.uid, "typing"), `live.${device.uid}.typing`)
  assert.deepEqual(mailboxReaderOf(device), {
    stream: `MBX${mailboxShardOf(device.uid)}`,
    consumer: `${device.uid}_${device.dev}`,
  })
})

test("1,000 people are spread over all 64 shards", () => {
  const shards = new Set(
    Array.from({ length: 1_000 }, (_, i) => mailboxShardOf(userIdOf(`sha256:${String(i).padStart(64, "0")}`))),
  )
  assert.equal(shards.size, 64)
})

test("subjects refuse names with a wildcard, a dot or another form", () => {
  for (const name of [
    "*",
    ">",
    "a.b",
    "",
    "A".repeat(32),
    "a".repeat(31),
    "a".repeat(33),
    `${"a".repeat(31)}*`,
    `${"a".repeat(31)}1`,
  ]) {
    assert.throws(() => inboxPrefixOf({ ...device, dev: name }), { code: "schema.value" })
    assert.throws(() => commandSubjectOf({ ...device, uid: name }, "send"), { code: "schema.value" })
    assert.throws(() => mailboxReaderOf({ ...device, uid: name }), { code: "schema.value" })
  }
  for (const operation of ["", "*", "a.b", ">", "Send", "1", "a".repeat(33)]) {
    assert.throws(() => commandSubjectOf(device, operation), { code: "schema.value" })
  }
})

test("userIdOf() and deviceIdOf() take chain ids and keys only", () => {
  assert.throws(() => userIdOf("alice"), { code: "schema.value" })
  assert.throws(() => deviceIdOf("github:alice"))
})
