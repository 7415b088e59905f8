/** The agent signs statements of KEZ, and no other bytes. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { createSigner, formatHex } from "@kez/core"
import { parseLasting } from "../src/commands/identity-unlock.ts"
import { answer, isStatement } from "../src/keys/agent-process.ts"

const signer = createSigner("ed25519", new Uint8Array(32).fill(7))
const statement = '{"created_at":"2026-01-01T00:00:00Z","type":"kez.claim","version":1}'
const ask = (bytes: string | Uint8Array) =>
  answer({ signer, until: 0 }, JSON.stringify({ ask: "sign", bytes: Buffer.from(bytes).toString("base64") }))

test("answer() signs a statement as the signer does", async () => {
  const signature = formatHex(await signer.sign(Buffer.from(statement)))
  assert.deepEqual(await ask(statement), { ok: "signature", signature })
})

for (const [name, bytes] of [
  ["another type", '{"type":"ssh.login"}'],
  ["a type that only begins like ours", '{"type":"kezz"}'],
  ["a type that is no text", '{"type":["kez.claim"]}'],
  ["no type", '{"kez.claim":1}'],
  ["members out of order", '{"version":1,"type":"kez.claim"}'],
  ["space", '{ "type":"kez.claim"}'],
  ["a line after it", `${statement}\n`],
  ["a member twice", '{"type":"kez.claim","type":"kez.claim"}'],
  ["a text", '"kez.claim"'],
  ["null", "null"],
  ["an event of nostr", '[0,"pubkey",1,1,[],"kez."]'],
  ["a hash", Buffer.alloc(32, 1)],
  ["nothing", ""],
  ["invalid UTF-8", Buffer.from([0x7b, 0xff, 0x7d])],
  ["64 KiB", `{"type":"kez.${"a".repeat(66_000)}"}`],
] as const) {
  test(`answer() refuses to sign ${name}`, async () => {
    assert.equal(isStatement(Buffer.from(bytes)), false)
    assert.deepEqual(await ask(bytes), { error: "not a KEZ statement" })
  })
}

for (const line of ["", "null", "[]", '{"ask":"secret"}', '{"ask":1}', "{", '{"ask":"__proto__"}']) {
  test(`answer() does not understand ${JSON.stringify(line)}`, async () => {
    assert.deepEqual(await answer({ signer, until: 0 }, line), { error: "not understood" })
  })
}

test("answer() never says more than a signature, a key and a time", async () => {
  for (const request of ["status", "stop", "sign"]) {
    const said = JSON.stringify(await answer({ signer, until: 1 }, JSON.stringify({ ask: request, bytes: "" })))
    assert.ok(!said.includes("07".repeat(16)), said)
  }
})

for (const [text, expected] of [
  ["90s", 90],
  ["15m", 900],
  ["24h", 86_400],
  ["1d", 86_400],
] as const) {
  test(`parseLasting() of ${text} is ${expected} s`, () => assert.equal(parseLasting(text), expected))
}

for (const text of ["", "0s", "25h", "2d", "15", "-1m", "1.5h", "m", "1e3s", "15m "]) {
  test(`parseLasting() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseLasting(text), { code: "usage" })
  })
}
