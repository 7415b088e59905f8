/** The agent signs what its key says in KEZ, and no other bytes. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { appendEvent, createSigner, formatHex, type Signer, signClaim, signEnvelope, signHead } from "@kez/core"
import { parseLasting } from "../src/commands/identity-unlock.ts"
import { answer } from "../src/keys/agent-process.ts"
import { isSignable } from "../src/keys/agent-statement.ts"

const signer = createSigner("ed25519", new Uint8Array(32).fill(7))
const other = createSigner("nostr", new Uint8Array(32).fill(8))
const now = 1_800_000_000
const time = "2026-01-01T00:00:00Z"
const digest = `sha256:${"0".repeat(64)}`

/** What `make` has a signer with this key sign. */
async function signedBy({ key, sign }: Signer, make: (signer: Signer) => Promise<unknown>): Promise<readonly string[]> {
  const texts: string[] = []
  await make({
    key,
    sign: (bytes) => {
      texts.push(Buffer.from(bytes).toString())
      return sign(bytes)
    },
  })
  return texts
}

const claimOf = (by: Signer) => signedBy(by, (it) => signClaim({ subject: "github:alice", createdAt: now }, it))
const chain = (await appendEvent({ chain: undefined, operation: { op: "add", subject: "github:alice" }, now }, signer))
  .replay
const [statement = ""] = await claimOf(signer)
const pop = `{"event":"${digest}","key":"${signer.key}","role":"primary","type":"kez.pop","version":1}`
const ask = (bytes: string | Uint8Array) =>
  answer({ signer, until: 0 }, JSON.stringify({ ask: "sign", bytes: Buffer.from(bytes).toString("base64") }), now)

test("answer() signs a statement as the signer does", async () => {
  const signature = formatHex(await signer.sign(Buffer.from(statement)))
  assert.deepEqual(await ask(statement), { ok: "signature", signature })
})

for (const [name, make] of [
  ["a claim", (by: Signer) => signClaim({ subject: "github:alice", createdAt: now, expiresAt: now + 60 }, by)],
  [
    "event 0",
    (by: Signer) => appendEvent({ chain: undefined, operation: { op: "add", subject: "dns:a.example" }, now }, by),
  ],
  ["an event", (by: Signer) => appendEvent({ chain, operation: { op: "revoke", subject: "github:alice" }, now }, by)],
  ["a head", (by: Signer) => signHead(chain, { now }, by)],
] as const) {
  test(`the agent of this key alone signs ${name}`, async () => {
    const [text = ""] = await signedBy(signer, make)
    assert.ok(isSignable(Buffer.from(text), signer.key, now), text)
    assert.ok(!isSignable(Buffer.from(text), "nobody", now))
  })
}

test("the agent signs no claim and no head of a later time: they would outlast it", async () => {
  for (const make of [
    (at: number) => signedBy(signer, (by) => signClaim({ subject: "github:alice", createdAt: at }, by)),
    (at: number) => signedBy(signer, (by) => signHead(chain, { now: at }, by)),
  ]) {
    for (const [at, isSigned] of [
      [now - 86_400, true],
      [now + 300, true],
      [now + 301, false],
      [now + 365 * 86_400, false],
    ] as const) {
      const [text = ""] = await make(at)
      assert.equal(isSignable(Buffer.from(text), signer.key, now), isSigned, text)
    }
  }
})

for (const [name, operation, isSigned] of [
  ["a rotation", { op: "rotate", newPrimary: other }, false],
  ["a commitment to the next key", { op: "set_next", next: digest }, false],
  ["a device", { op: "add_device", device: other }, false],
  ["a revoked device", { op: "revoke_device", keys: [other.key] }, true],
  // The branch that it keeps may name other keys.
  ["a settlement", { op: "settle", reject: [digest] }, false],
  ["shared files", { op: "set_shared_files", manifest: digest, size: 1 }, true],
] as const) {
  test(`the agent ${isSigned ? "signs" : "leaves to the passphrase"} ${name}`, async () => {
    const texts = await signedBy(signer, (by) => appendEvent({ chain, operation, now }, by))
    assert.equal(texts.length, 1)
    assert.deepEqual(
      texts.map((text) => isSignable(Buffer.from(text), signer.key, now)),
      [isSigned],
    )
  })
}

test("the agent signs a proof of possession by its own key", async () => {
  for (const key of [signer.key, other.key]) {
    for (const role of ["device", "primary"]) {
      const text = pop.replace(signer.key, key).replace("primary", role)
      assert.ok(isSignable(Buffer.from(text), key, now), text)
      assert.ok(!isSignable(Buffer.from(text), key === signer.key ? other.key : signer.key, now), text)
    }
  }
})

/** Statements of KEZ that a key which is kept unlocked signs for nobody. */
const chatKinds = {
  archive_key: { type: "kez.chat.archive_key", chain: digest, epoch: 0, public_key: "0".repeat(64), created_at: time },
  handle_move: {
    type: "kez.chat.handle_move",
    handle: "alice",
    host: "a.example",
    new_handle: "mallory",
    new_host: "b.example",
    chain: digest,
    created_at: time,
  },
  presence: {
    type: "kez.chat.presence",
    chain: digest,
    endpoint: "0".repeat(64),
    counter: 1,
    addresses: [],
    created_at: time,
    expires_at: "2026-01-01T00:10:00Z",
  },
  nats_session: {
    type: "kez.chat.nats_session",
    audience: "a.example",
    chain: digest,
    session: signer.key,
    created_at: time,
    expires_at: "2026-01-02T00:00:00Z",
  },
} as const

for (const kind of Object.keys(chatKinds) as (keyof typeof chatKinds)[]) {
  test(`the agent does not sign ${kind}`, async () => {
    const payload = { ...chatKinds[kind], version: 1 } as Parameters<typeof signEnvelope<typeof kind>>[1]
    const [text = ""] = await signedBy(signer, (by) => signEnvelope(kind, payload, by))
    assert.deepEqual(await ask(text), { error: "not a KEZ statement of this key" })
  })
}

for (const [name, bytes] of [
  ["a claim of another key", (await claimOf(other))[0] ?? ""],
  [
    "event 0 of another key",
    '{"created_at":"2026-01-01T00:00:00Z","op":"revoke","payload":{"subject":"github:alice"},"primary":"PRIMARY","seq":0,"type":"kez.sigchain.event","version":1}'.replace(
      "PRIMARY",
      other.key,
    ),
  ],
  ["a claim without a subject", '{"created_at":"2026-01-01T00:00:00Z","type":"kez.claim","version":1}'],
  ["a claim with a member more", statement.replace('"version":1', '"version":1,"x":1')],
  ["a claim of another version", statement.replace('"version":1', '"version":2')],
  ["a claim that breaks out of its envelope", `${statement},"signature":{}`],
  ["a proof of possession of another role", pop.replace("primary", "owner")],
  ["a proof of possession with a member more", pop.replace('"version":1', '"version":1,"x":1')],
  ["a proof of possession for no event", pop.replace(digest, "sha256:0")],
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
    assert.deepEqual(await ask(bytes), { error: "not a KEZ statement of this key" })
  })
}

for (const line of ["", "null", "[]", '{"ask":"secret"}', '{"ask":1}', "{", '{"ask":"__proto__"}']) {
  test(`answer() does not understand ${JSON.stringify(line)}`, async () => {
    assert.deepEqual(await answer({ signer, until: 0 }, line, now), { error: "not understood" })
  })
}

test("answer() never says more than a signature, a key and a time", async () => {
  for (const request of ["status", "stop", "sign"]) {
    const said = JSON.stringify(await answer({ signer, until: 1 }, JSON.stringify({ ask: request, bytes: "" }), now))
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
