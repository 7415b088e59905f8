/** Publishing to Bluesky where a server misbehaves; test/e2e/bluesky-publish.test.ts has a real one. SPEC §7.5 BSKY-12. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { type Code, KezError } from "@kez/core"
import { blueskyPublisher } from "../src/index.ts"
import { createTableNet, type TableNet, type WebAnswer } from "./support/table-net.ts"

const handle = "alice.example.com"
const did = "did:plc:abcdefghijklmnopqrstuvwx"
const secret = "abcd-efgh-ijkl-mnop"
const signal = new AbortController().signal
const xrpc = "https://pds.example.com/xrpc/"
const session = { did, accessJwt: "access", refreshJwt: "refresh", active: true }

const service = [{ id: "#atproto_pds", type: "AtprotoPersonalDataServer", serviceEndpoint: "https://pds.example.com" }]
const identity: readonly WebAnswer[] = [
  { url: `https://${handle}/.well-known/atproto-did`, body: did },
  { url: `https://plc.directory/${did}`, body: { id: did, alsoKnownAs: [`at://${handle}`], service } },
]
const closing: WebAnswer = { url: `${xrpc}com.atproto.server.deleteSession`, method: "POST" }

function opening(answer: Omit<WebAnswer, "url">): WebAnswer {
  return { url: `${xrpc}com.atproto.server.createSession`, method: "POST", ...answer }
}

function publish(net: TableNet, password: string | undefined = secret): Promise<unknown> {
  const [place] = blueskyPublisher.places
  assert.ok(place)
  const makeText = async () => `kez:r1:${"ab".repeat(32)}`
  const credentials = password === undefined ? {} : { secret: password }
  return blueskyPublisher.publish({ value: handle, place, makeText, credentials }, net, signal)
}

async function codeOf(net: TableNet): Promise<Code> {
  const error: unknown = await publish(net).then(
    () => assert.fail("it published"),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof KezError, String(error))
  assert.ok(!`${error.message} ${error.hint ?? ""}`.includes(secret))
  return error.code
}

const refusals: readonly (readonly [why: string, answer: Omit<WebAnswer, "url">, code: Code])[] = [
  ["a wrong password", { status: 401, body: { error: "AuthenticationRequired" } }, "publish.credentials"],
  [
    "a main password with a second factor",
    { status: 401, body: { error: "AuthFactorTokenRequired" } },
    "publish.credentials",
  ],
  ["an account that was taken down", { status: 401, body: { error: "AccountTakedown" } }, "publish.refused"],
  ["a refusal that repeats the password", { status: 400, body: { error: secret, message: secret } }, "publish.refused"],
  ["a page", { status: 404, body: "<html>" }, "publish.refused"],
  ["too many tries", { status: 429, body: {} }, "net.rate_limit"],
  ["a failure", { status: 502, body: "" }, "net.status"],
  ["no tokens", { body: { did } }, "publish.refused"],
  ["tokens that would add headers", { body: { ...session, accessJwt: "a\r\nx: y" } }, "publish.refused"],
  ["no JSON", { body: "ok", headers: { "content-type": "application/json" } }, "net.content_type"],
  ["another account", { body: { ...session, did: "did:plc:wvutsrqponmlkjihgfedcba7" } }, "publish.credentials"],
  ["an account that is not active", { body: { ...session, active: false } }, "publish.refused"],
]

for (const [why, answer, code] of refusals) {
  test(`publish() throws ${code} for ${why}, and writes nothing`, async () => {
    const net = createTableNet({ web: [...identity, opening(answer), closing] })
    assert.equal(await codeOf(net), code)
    assert.ok(net.asked.every((question) => !/putRecord|applyWrites/.test(question)))
  })
}

test("publish() asks for a password before it asks the server", async () => {
  const net = createTableNet({ web: identity })
  await assert.rejects(publish(net, ""), { code: "publish.credentials" })
  assert.ok(net.asked.every((question) => !question.startsWith("POST")))
})

test("P6 publish() sends no password where the two sides do not name each other", async () => {
  const document = { id: did, alsoKnownAs: ["at://bob.example.com"], service }
  const [named] = identity
  assert.ok(named)
  const web = [named, { url: `https://plc.directory/${did}`, body: document }, opening({ body: session })]
  const net = createTableNet({ web })
  assert.equal(await codeOf(net), "publish.refused")
  assert.ok(net.asked.every((question) => !question.startsWith("POST")))
  const unreachable = createTableNet({ web: [named] })
  assert.equal(await codeOf(unreachable), "net.refused")
})

test("publish() closes its session when the profile cannot be read, whether that succeeds or not", async () => {
  for (const end of [[closing], []]) {
    const net = createTableNet({ web: [...identity, opening({ body: session }), ...end] })
    assert.equal(await codeOf(net), "net.refused")
    assert.equal(net.asked.at(-1), `POST ${closing.url}`)
  }
})
