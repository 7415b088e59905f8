/** Questions of nats-server and our answers, as texts: hostile questions, and what an answer must never say. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { encodeAdmission, encodeRefusal } from "../src/callout/answer.ts"
import { encodeJwt, verifyJwt } from "../src/callout/jwt.ts"
import { permissionsOf } from "../src/callout/permissions.ts"
import { parseCalloutRequest } from "../src/callout/request.ts"
import { createSeed, parseSeed } from "../src/nkey.ts"

const now = Date.UTC(2026, 5, 1) / 1000
const [server, other, issuer, user] = [newKey("server"), newKey("server"), newKey("account"), newKey("user")]
const device = { uid: "fco57r5md44s4zjuxmq7cpskumz2wxix", dev: "jg4faxvf35cm6cl6ovgvtvbaawyskvx4" }

const nats = {
  type: "authorization_request",
  version: 2,
  server_id: { id: server.publicKey, name: "kez" },
  user_nkey: user.publicKey,
  client_info: { host: "127.0.0.1", id: 7, type: "nats", name: "x", nonce: "sJ3kq0Zb1mUe2vQ" },
  connect_opts: { auth_token: "token" },
}

function question(changes: object = {}, claims: object = {}, by = server): string {
  return encodeJwt(
    { sub: user.publicKey, aud: "nats-authorization-request", exp: now + 30, nats: { ...nats, ...changes }, ...claims },
    by,
    now,
  )
}

test("parseCalloutRequest() reads what nats-server asks", () => {
  assert.deepEqual(parseCalloutRequest(question()), {
    userKey: user.publicKey,
    server: { id: server.publicKey, name: "kez" },
    expiresAtSeconds: now + 30,
    client: { host: "127.0.0.1", connectionId: 7, type: "nats", name: "x" },
    nonce: "sJ3kq0Zb1mUe2vQ",
    token: "token",
  })
})

const withoutNonce = { client_info: { ...nats.client_info, nonce: "" }, connect_opts: {} }
test("parseCalloutRequest() takes an empty nonce or token for none", () => {
  const { nonce, token } = parseCalloutRequest(question(withoutNonce))
  assert.deepEqual([nonce, token], [undefined, undefined])
})

const hostile: ReadonlyArray<readonly [name: string, code: string, jwt: string]> = [
  ["by another server than it names", "schema.value", question({}, {}, other)],
  ["by a key that is no server's", "signature.invalid", question({}, {}, issuer)],
  ["with another audience", "schema.value", question({}, { aud: "other" })],
  ["of another type", "schema.value", question({ type: "user" })],
  ["for a subject that is no user key", "key.encoding", question({ user_nkey: issuer.publicKey })],
  ["without expiry", "schema.value", question({}, { exp: undefined })],
  ["without client", "schema.value", question({ client_info: undefined })],
  ["with a token that is no text", "schema.value", question({ connect_opts: { auth_token: 5 } })],
  ["in four parts", "schema.value", `${question()}.x`],
  [
    "with a signature of another",
    "signature.invalid",
    question().replace(/[^.]+$/, question({ version: 1 }).split(".")[2] ?? ""),
  ],
  ["unsigned", "encoding.base64url", `${question().split(".").slice(0, 2).join(".")}.=`],
  [
    "alg none",
    "signature.alg",
    `${Buffer.from('{"typ":"JWT","alg":"none"}').toString("base64url")}.${question().split(".")[1]}.`,
  ],
  ["of 40,000 bytes", "limit.size", "a".repeat(40_000)],
  ["that is a list", "schema.value", `W10.${question().split(".").slice(1).join(".")}`],
]

for (const [name, code, jwt] of hostile) {
  test(`parseCalloutRequest() answers ${code} to a question ${name}`, () => {
    assert.throws(() => parseCalloutRequest(jwt), { code })
  })
}

const request = parseCalloutRequest(question())

function admitted(expiresAtSeconds = now + 86_400) {
  const jwt = encodeAdmission(request, { admission: { ...device, expiresAtSeconds }, issuer, nowSeconds: now })
  const response = verifyJwt(jwt, "account")
  const inner = (response["nats"] as { readonly jwt: string }).jwt
  return { response, user: verifyJwt(inner, "account") }
}

test("encodeAdmission() is for the server's one-off key, in account CHAT, named after the device, for 15 minutes", () => {
  const { response, user: claims } = admitted()
  assert.equal(response["sub"], user.publicKey)
  assert.equal(response["aud"], server.publicKey)
  assert.equal(response.iss, issuer.publicKey)
  const { sub, aud, name, exp } = claims
  assert.deepEqual(
    { sub, aud, name, exp },
    { sub: user.publicKey, aud: "CHAT", name: `${device.uid}.${device.dev}`, exp: now + 900 },
  )
})

test("encodeAdmission() ends with the session when that is sooner", () => {
  assert.equal(admitted(now + 10).user["exp"], now + 10)
})

test("encodeAdmission() gives exactly four subjects, whatever the device is a member of", () => {
  const { pub, sub } = admitted().user["nats"] as { readonly pub: object; readonly sub: object }
  const { uid, dev } = device
  assert.deepEqual(pub, { allow: [`cmd.${uid}.${dev}.>`, `$JS.API.CONSUMER.MSG.NEXT.MBX41.${uid}_${dev}`] })
  assert.deepEqual(sub, { allow: [`_INBOX.${uid}.${dev}.>`, `live.${uid}.>`] })
})

test("permissionsOf() never has an empty list, for which nats-server would allow everything", () => {
  const { pub, sub } = permissionsOf(device)
  for (const { allow } of [pub, sub]) assert.ok(allow.length > 0 && allow.every((subject) => subject.length > 1))
})

test("permissionsOf() refuses names that would mean more in a subject", () => {
  for (const name of ["*", ">", "", "a.b", "a b", "_", device.uid.toUpperCase(), `${device.uid.slice(1)}*`]) {
    assert.throws(() => permissionsOf({ ...device, dev: name }), { code: "schema.value" })
    assert.throws(() => permissionsOf({ ...device, uid: name }), { code: "schema.value" })
  }
})

test("encodeRefusal() holds a reason and no user", () => {
  const response = verifyJwt(encodeRefusal(request, { reason: "auth.refused", issuer, nowSeconds: now }), "account")
  assert.deepEqual(response["nats"], { type: "authorization_response", version: 2, error: "auth.refused" })
})

function newKey(role: "server" | "account" | "user") {
  return parseSeed(createSeed(role), role)
}
