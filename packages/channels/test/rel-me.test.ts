/** `rel="me"` links: which there are, and what they look like. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { findRelMe, guessIdentity, readRelMe } from "../src/index.ts"
import { createTableNet } from "./support/table-net.ts"

const page = "https://jason.example/"
const npub = "npub1y3jnatzrgjyqqtxqdwlm0ug0uxyerc6lnljrqtd75mfr20wq4vwqskmn49"
const never = new AbortController().signal

const guesses: readonly (readonly [url: string, subject: string | undefined])[] = [
  ["https://github.com/Jason", "github:jason"],
  ["https://github.com/jason/", "github:jason"],
  ["https://github.com/jason/repo", undefined],
  ["https://gist.github.com/jason/1", undefined],
  ["https://github.com.evil.example/jason", undefined],
  ["https://bsky.app/profile/Jason.example", "bluesky:jason.example"],
  ["https://bsky.app/profile/did:plc:x", undefined],
  ["https://bsky.app/profile/jason.example/post/1", undefined],
  ["https://social.example/@Jason", "ap:jason@social.example"],
  ["https://social.example/@jason@other.example", "ap:jason@other.example"],
  ["https://social.example/@jason/114000000000000001", undefined],
  ["https://social.example/users/jason", "ap:jason@social.example"],
  [`https://njump.me/${npub}`, `nostr:${npub}`],
  [`nostr:${npub}`, `nostr:${npub}`],
  ["https://njump.me/npub1qqq", undefined],
  ["https://jason.example", "dns:jason.example"],
  ["https://www.jason.example/", "dns:jason.example"],
  ["https://jason.example/about", undefined],
  ["https://127.0.0.1/", undefined],
]

for (const [url, subject] of guesses) {
  test(`guessIdentity() reads ${url} as ${subject ?? "nothing"}`, () => {
    assert.equal(guessIdentity(url), subject)
  })
}

test("readRelMe() lists a and link elements with the word me, each URL once", () => {
  const html = `<head><link rel="me" href="https://github.com/jason"></head>
    <a rel="nofollow ME noopener" href="https://social.example/@jason">x</a>
    <a rel=me href=https://github.com/jason>again</a>
    <a rel="menu" href="https://a.example">no</a> <a href="https://b.example">no</a>
    <!-- <a rel="me" href="https://c.example">no</a> --><script>"<a rel=me href=https://d.example>"</script>
    <a rel="me" href="http://e.example/">no</a> <a rel="me" href="javascript:alert(1)">no</a>
    <a rel="me" href="mailto:jason@jason.example">no</a> <a rel="me">no</a> <a rel="me" href="/">itself</a>
    <a rel="me" href="https://user:pass@f.example/">no</a> <a rel="me" href="/about">relative</a>`
  assert.deepEqual(readRelMe(html, page), [
    { url: "https://github.com/jason", subject: "github:jason" },
    { url: "https://social.example/@jason", subject: "ap:jason@social.example" },
    { url: "https://jason.example/about" },
  ])
})

test("readRelMe() lists at most 64 links", () => {
  const html = Array.from({ length: 100 }, (_, at) => `<a rel="me" href="https://a${at}.example/"></a>`).join("")
  assert.equal(readRelMe(html, page).length, 64)
})

test("findRelMe() says which pages link back when asked to look", async () => {
  const html = { "content-type": "text/html; charset=utf-8" }
  const net = createTableNet({
    web: [
      {
        url: page,
        headers: html,
        body: '<a rel="me" href="https://social.example/@jason"></a><a rel="me" href="https://github.com/jason"></a><a rel="me" href="https://gone.example/"></a>',
      },
      { url: "https://social.example/@jason", headers: html, body: `<a rel="me" href="${page}"></a>` },
      { url: "https://github.com/jason", headers: html, body: "<p>no link</p>" },
    ],
  })
  assert.deepEqual(await findRelMe(page, net, { signal: never, askBack: true }), {
    url: page,
    suggestions: [
      { url: "https://social.example/@jason", subject: "ap:jason@social.example", mutual: true },
      { url: "https://github.com/jason", subject: "github:jason", mutual: false },
      { url: "https://gone.example/", subject: "dns:gone.example" },
    ],
  })
})

test("findRelMe() refuses what is no page", async () => {
  const net = createTableNet({
    web: [
      { url: page, body: {} },
      { url: `${page}a`, status: 404, body: "no" },
    ],
  })
  await assert.rejects(findRelMe(page, net, { signal: never }), { code: "net.content_type" })
  await assert.rejects(findRelMe(`${page}a`, net, { signal: never }), { code: "net.status" })
})
