/** JSON of platforms says the same whatever was read before it. SPEC §7.5, JSON-2. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { parseForeignJson } from "@kez/core"
import { parseForeign, textAt } from "../src/foreign-json.ts"
import { readAbout } from "../src/nostr-profile.ts"
import { askRelay } from "../src/nostr-relay.ts"
import { createTableNet } from "./support/table-net.ts"

/**
 * V8 takes a name with an escape for one that is spelled like its beginning, if a text before had that one in the same place
 * (nodejs/node#63785). `first` makes the place one that no other test has used.
 */
function poisoned(first: string, escaped: string, name: string): string {
  JSON.parse(JSON.stringify({ [first]: 1, [escaped.slice(0, name.length)]: 2 }))
  return `{"${first}":1,"${escaped}":"right"}`
}

const answer = (text: string) => ({ body: new TextEncoder().encode(text), headers: {}, url: "https://a.example/" })

test("parseForeign() reads a name with an escape, whatever another platform sent before", () => {
  const text = poisoned("foreign", "\\u0061bout", "about")
  assert.equal(textAt(parseForeign(answer(text)), "about"), "right")
})

test("readAbout() reads a name with an escape, whatever another profile had", () => {
  assert.equal(readAbout(poisoned("profile", "\\u0061bout", "about")), "right")
})

test("askRelay() hands on events with a name with an escape, whatever another relay sent", async () => {
  const net = createTableNet({ relays: [{ url: "wss://a.example" }] })
  const text = poisoned("relay", "\\u006bind", "kind")
  const events: unknown[] = []
  const question = { filters: [], onOpen() {}, onEvent: (event: unknown) => void events.push(event) }
  const socket = {
    send() {},
    close() {},
    async *messages() {
      yield `["EVENT","kez",${text}]`
      yield '["EOSE","kez"]'
    },
  }
  await askRelay("wss://a.example", question, { ...net, openSocket: async () => socket }, new AbortController().signal)
  assert.deepEqual(events, [{ relay: 1, kind: "right" }])
})

test("parseForeignJson() takes what RFC 8259 takes, and of two members with one name the last", () => {
  for (const text of ["0", "-0", "1.5e+3", "[]", ' { "a" : [ "\\n]]" ] } ', '"\\ud83d"', '{"\\u0061":1,"a":"\\n"}']) {
    assert.equal(JSON.stringify(parseForeignJson(text)), JSON.stringify(JSON.parse(text)), text)
  }
  for (const text of ["", "01", "[1,]", '{"a":1,}', '"\t"', '"\\x"', "[1] 2", "tru", '"\\', "]]", '{"\\n":1', "[[[["]) {
    assert.throws(() => parseForeignJson(text), SyntaxError, text)
  }
})

test("parseForeignJson() reads 512 levels and no more, with and without an escape", () => {
  const nested = (depth: number, inner: string) => `${"[".repeat(depth)}${inner}${"]".repeat(depth)}`
  for (const inner of ["", '"\\n"', '"[[\\"[["']) {
    assert.ok(Array.isArray(parseForeignJson(nested(512, inner))))
    for (const depth of [513, 200_000]) assert.throws(() => parseForeignJson(nested(depth, inner)), SyntaxError)
  }
  assert.throws(() => parseForeignJson("[".repeat(1_000_000)), SyntaxError)
  assert.throws(() => parseForeignJson('{"a":'.repeat(1_000_000)), SyntaxError)
})
