/** No secret goes to whoever took a name over: publishers look whose account it is before they send anything. SPEC [NET-6] */
import assert from "node:assert/strict"
import { test } from "node:test"
import { apPublisher, blueskyPublisher, type Publisher, type PublishRequest } from "../src/index.ts"
import { createTableNet, type Tables } from "./support/table-net.ts"

const secret = "s3cret-of-alice"
const did = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
const thief = "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb"

const bluesky: Tables = {
  txt: { "_atproto.alice.dev": [`did=${thief}`] },
  web: [
    { url: "https://alice.dev/.well-known/atproto-did", body: thief },
    {
      url: `https://plc.directory/${thief}`,
      body: {
        id: thief,
        alsoKnownAs: ["at://alice.dev"],
        service: [{ id: "#atproto_pds", type: "AtprotoPersonalDataServer", serviceEndpoint: "https://thief.example" }],
      },
    },
  ],
}
const ap: Tables = {
  web: [
    {
      url: "https://alice.dev/.well-known/webfinger?resource=acct%3Aalice%40alice.dev",
      headers: { "content-type": "application/jrd+json" },
      body: {
        subject: "acct:alice@alice.dev",
        links: [{ rel: "self", type: "application/activity+json", href: "https://alice.dev/users/2" }],
      },
    },
  ],
}

const cases: ReadonlyArray<readonly [publisher: Publisher, value: string, tables: Tables, known: string]> = [
  [blueskyPublisher, "alice.dev", bluesky, did],
  [apPublisher, "alice@alice.dev", ap, "https://alice.dev/users/1"],
]

for (const [publisher, value, tables, knownAccountId] of cases) {
  const [place] = publisher.places
  assert.ok(place)
  const request = { value, place, credentials: { secret }, makeText: async () => "kez:r1:00", isOurs: () => true }

  async function sendWith(more: Partial<PublishRequest>, verb: "publish" | "unpublish") {
    const net = createTableNet(tables)
    const signal = AbortSignal.timeout(5_000)
    const sent = publisher[verb]({ ...request, ...more }, net, signal)
    const error = await sent.then(
      () => undefined,
      (reason: unknown) => reason as { readonly code: string; readonly message: string },
    )
    return { error, asked: net.asked }
  }

  for (const verb of ["publish", "unpublish"] as const) {
    test(`${publisher.system} ${verb}() refuses with account.changed before the secret leaves`, async () => {
      const { error, asked } = await sendWith({ knownAccountId }, verb)
      assert.equal(error?.code, "account.changed")
      assert.ok(!error?.message.includes(secret))
      assert.deepEqual(
        asked.filter((one) => /thief|POST|verify_credentials/.test(one)),
        [],
      )
    })
  }

  test(`${publisher.system} publish() goes on to sign in where nothing is known yet, and so the test above can fail`, async () => {
    const { error, asked } = await sendWith({}, "publish")
    assert.equal(error?.code, "net.refused")
    assert.match(asked.at(-1) ?? "", /createSession|verify_credentials/)
  })
}
