/** Who is let in at the broker, by what the token proves and what the chain says. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { ConnectAttempt } from "@kez/broker"
import { createConnectToken, createSigner, formatTime, keyOfSecret, signEnvelope, userIdOf } from "@kez/core"
import { createDecider } from "../src/broker/callout.ts"
import type { Standing } from "../src/broker/standing.ts"

const now = 1_767_225_600
const nonce = "nonce-of-this-connection"
const secretOf = (byte: number) => new Uint8Array(32).fill(byte)
const chain = `sha256:${"ab".repeat(32)}`

async function tokenOf(changes: { readonly audience?: string; readonly nonce?: string } = {}): Promise<string> {
  const session = await signEnvelope(
    "nats_session",
    {
      type: "kez.chat.nats_session",
      version: 1,
      audience: changes.audience ?? "chat.example",
      chain,
      session: keyOfSecret("ed25519", secretOf(2)),
      created_at: formatTime(now),
      expires_at: formatTime(now + 3_600),
    },
    createSigner("ed25519", secretOf(1)),
  )
  return createConnectToken({ sessionSecret: secretOf(2), session, nonce: changes.nonce ?? nonce, nowSeconds: now })
}

function world(standing: Standing, { trustProxy = [] as readonly string[], isKept = false } = {}) {
  const results: string[] = []
  let looks = 0
  const decide = createDecider({
    domain: "chat.example",
    standings: {
      judge: () => Promise.reject(new Error("not asked")),
      look: () => Promise.reject(new Error("not asked")),
      forget: () => undefined,
      mayConnect: () => {
        looks += 1
        return Promise.resolve(isKept ? { standing, isKept } : { standing })
      },
    },
    nowMs: () => now * 1_000,
    trustProxy,
    onDecision: (result) => void results.push(result),
  })
  const attempt = (token: string | undefined, type: ConnectAttempt["client"]["type"] = "nats") =>
    decide({
      token,
      nonce,
      client: { host: "192.0.2.1", connectionId: 1, type, name: "" },
      server: { id: "N", name: "kez" },
    })
  return { attempt, results, looks: () => looks }
}

test("a device that its chain lists is let in, with the end of its session", async () => {
  const { attempt } = world("current")
  const decision = await attempt(await tokenOf())
  assert.ok("admit" in decision)
  assert.deepEqual([decision.admit.uid, decision.admit.expiresAtSeconds], [userIdOf(chain), now + 3_600])
})

test("each other standing is refused by its name", async () => {
  for (const standing of ["revoked", "suspended", "unknown", "unregistered", "silent"] as const) {
    assert.deepEqual(await world(standing).attempt(await tokenOf()), { refuse: standing })
  }
  const kept = world("current", { isKept: true })
  await kept.attempt(await tokenOf())
  assert.deepEqual(kept.results, ["kept"])
})

test("A1 A2 nothing is looked up for a token that proves nothing, or for another kind of connection", async () => {
  const { attempt, looks } = world("current")
  assert.deepEqual(await attempt(undefined), { refuse: "auth.missing" })
  assert.deepEqual(await attempt("rubbish"), { refuse: "encoding.unsupported" })
  assert.deepEqual(await attempt(await tokenOf({ nonce: "nonce-of-another-one" })), { refuse: "auth.binding" })
  assert.deepEqual(await attempt(await tokenOf({ audience: "evil.example" })), { refuse: "auth.binding" })
  assert.deepEqual(await attempt(await tokenOf(), "other"), { refuse: "connection type" })
  assert.equal(looks(), 0)
})

test("an address that sends rubbish is refused before signatures; behind a proxy nobody pays for others; a device is limited", async () => {
  const { attempt } = world("current")
  for (let at = 0; at < 100; at++) await attempt("rubbish")
  const sound = await tokenOf()
  assert.deepEqual(await attempt(sound), { refuse: "rate limit of the address" })
  const behind = world("current", { trustProxy: ["192.0.2.0/24"] })
  for (let at = 0; at < 200; at++) await behind.attempt("rubbish")
  for (let at = 0; at < 60; at++) assert.ok("admit" in (await behind.attempt(sound)))
  assert.deepEqual(await behind.attempt(sound), { refuse: "rate limit of the device" })
})
