/** Tokens of connections to a chat's broker: what hostile devices, servers and listeners can make of them. SPEC §2.3. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { createConnectToken, verifyConnectToken } from "../src/chat/connect-token.ts"
import { encodeBase64Url } from "../src/encoding/base64url.ts"
import { formatTime } from "../src/time.ts"
import { keyNamed, sealed, sealedText, type TestKey } from "./support/keys.ts"

const now = Date.UTC(2026, 5, 1) / 1000
const audience = "chat.example"
const nonce = "sJ3kq0Zb1mUe2vQ"
const chain = `sha256:${"ab".repeat(32)}`
const device = keyNamed("alice's phone")
const transport = keyNamed("alice's session")
const other = keyNamed("mallory")

const sessionPayload = {
  type: "kez.chat.nats_session",
  version: 1,
  audience,
  chain,
  session: transport.key,
  created_at: formatTime(now - 3_600),
  expires_at: formatTime(now + 86_400),
} as const
const connectPayload = {
  type: "kez.chat.nats_connect",
  version: 1,
  audience,
  nonce,
  session: transport.key,
  created_at: formatTime(now),
} as const

interface Hostile {
  readonly connect?: object
  readonly session?: object
  readonly connectBy?: TestKey
  readonly sessionBy?: TestKey
}

function tokenOf({ connect, session, connectBy = transport, sessionBy = device }: Hostile): string {
  const texts = [
    sealedText("nats_connect", { ...connectPayload, ...connect }, connectBy),
    sealedText("nats_session", { ...sessionPayload, ...session }, sessionBy),
  ]
  return texts.map((text) => encodeBase64Url(Buffer.from(text))).join(".")
}

function codeOf(token: string | undefined, expected: Partial<Parameters<typeof verifyConnectToken>[1]> = {}): string {
  const verdict = verifyConnectToken(token, { audience, nonce, nowSeconds: now, ...expected })
  return verdict.ok ? "ok" : verdict.code
}

function made(): string {
  const session = sealed("nats_session", sessionPayload, device)
  return createConnectToken({ sessionSecret: transport.secret, session, nonce, nowSeconds: now })
}

test("verifyConnectToken() names person, device and session of a token of createConnectToken()", () => {
  const verdict = verifyConnectToken(made(), { audience, nonce, nowSeconds: now })
  assert.ok(verdict.ok)
  const { uid, dev, ...rest } = verdict.connection
  assert.match(uid, /^[a-z2-7]{32}$/)
  assert.match(dev, /^[a-z2-7]{32}$/)
  assert.deepEqual(rest, { chain, device: device.key, session: transport.key, expiresAtSeconds: now + 86_400 })
  assert.ok(made().length < 2_000, `${made().length} characters`)
})

const hostile: ReadonlyArray<readonly [name: string, code: string, statements: Hostile]> = [
  ["A2 the nonce of another connection", "auth.binding", { connect: { nonce: "AAAAAAAAAAAAAAA" } }],
  ["a connection to another server", "auth.binding", { connect: { audience: "evil.example" } }],
  ["a session for another server", "auth.binding", { session: { audience: "evil.example" } }],
  ["A3 the device's own key signs the connection", "signature.key", { connectBy: device }],
  [
    "A3 the device's key is its own session",
    "signature.key",
    { connectBy: device, connect: { session: device.key }, session: { session: device.key } },
  ],
  [
    "a connection by a key that the session does not name",
    "signature.key",
    { connectBy: other, connect: { session: other.key } },
  ],
  ["a session of another key", "signature.key", { session: { session: other.key } }],
  [
    "a session key of nostr, which signs for other protocols",
    "signature.key",
    {
      connectBy: keyNamed("n", "nostr"),
      connect: { session: keyNamed("n", "nostr").key },
      session: { session: keyNamed("n", "nostr").key },
    },
  ],
  ["a statement 301 s old", "auth.time", { connect: { created_at: formatTime(now - 301) } }],
  ["a statement 301 s early", "auth.time", { connect: { created_at: formatTime(now + 301) } }],
  ["a session that has expired", "auth.time", { session: { expires_at: formatTime(now) } }],
  [
    "a session of the future",
    "time.future",
    { session: { created_at: formatTime(now + 301), expires_at: formatTime(now + 400) } },
  ],
  [
    "a session for 90 days and a second",
    "time.order",
    { session: { created_at: formatTime(now), expires_at: formatTime(now + 90 * 86_400 + 1) } },
  ],
  ["a member more", "schema.unknown_member", { connect: { admin: "yes" } }],
  ["another context", "envelope.kind", { connect: { type: "kez.chat.presence" } }],
]

for (const [name, code, statements] of hostile) {
  test(`verifyConnectToken() answers ${code} to ${name}`, () => {
    assert.equal(codeOf(tokenOf(statements)), code)
  })
}

test("verifyConnectToken() accepts clocks 300 s apart", () => {
  for (const skew of [-300, 300])
    assert.equal(codeOf(tokenOf({ connect: { created_at: formatTime(now + skew) } })), "ok")
})

test("verifyConnectToken() refuses signatures by other keys", () => {
  const forged = (text: string, by: TestKey) =>
    JSON.stringify({ ...JSON.parse(text), signature: { ...JSON.parse(text).signature, key: by.key } })
  const connect = sealedText("nats_connect", connectPayload, transport)
  const session = sealedText("nats_session", sessionPayload, other)
  const join = (...texts: readonly string[]) => texts.map((text) => encodeBase64Url(Buffer.from(text))).join(".")
  assert.equal(codeOf(join(connect, forged(session, device))), "signature.invalid")
  const byOther = sealedText("nats_connect", connectPayload, other)
  assert.equal(
    codeOf(join(forged(byOther, transport), sealedText("nats_session", sessionPayload, device))),
    "signature.invalid",
  )
})

test("verifyConnectToken() answers A1 auth.missing without a token or without a nonce", () => {
  assert.equal(codeOf(undefined), "auth.missing")
  assert.equal(codeOf(""), "auth.missing")
  assert.equal(codeOf(made(), { nonce: undefined }), "auth.missing")
  assert.equal(codeOf(made(), { nonce: "" }), "auth.missing")
})

test("verifyConnectToken() looks at size and form before anything else", () => {
  assert.equal(codeOf("a".repeat(3_073)), "limit.size")
  assert.equal(codeOf("a.b.c"), "encoding.unsupported")
  assert.equal(codeOf("abc"), "encoding.unsupported")
  assert.equal(codeOf("!!!.???"), "encoding.base64url")
  assert.equal(codeOf("e30.e30"), "schema.missing_member")
  assert.equal(codeOf(made().replace(".", "=.")), "encoding.base64url")
})

test("createConnectToken() signs nothing but a nonce: a broker cannot have a statement signed", () => {
  const session = sealed("nats_session", sessionPayload, device)
  const statement = JSON.stringify({ type: "kez.chat.handle_release", version: 1 })
  for (const asked of [undefined, "", "short", statement, "a".repeat(65), "aaaaaaaaaaa\n", "aaaaaaaaaaa.aa"]) {
    assert.throws(
      () => createConnectToken({ sessionSecret: transport.secret, session, nonce: asked, nowSeconds: now }),
      { code: "auth.missing" },
    )
  }
})
