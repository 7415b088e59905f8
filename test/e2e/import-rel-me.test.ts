/** `kez import rel-me` of pages on loopback: suggestions, and whether they link back. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { startHttpServer } from "../../packages/channels/test/support/http-server.ts"
import { makePerson } from "../support/person.ts"

const links = (...urls: readonly string[]) => urls.map((url) => `<a rel="me noopener" href="${url}">me</a>`).join("\n")

const pages: Readonly<Record<string, string>> = {
  "/about": links(
    "https://github.com/Alice",
    "https://social.test/@alice",
    "https://silent.test/",
    "/self?x",
    "mailto:a@b.example",
  ),
  "/@alice": links("https://page.test/about"),
  "/Alice": links("https://elsewhere.test/"),
  "/empty": "<p>nobody</p>",
}

test("kez import rel-me names what a page calls its owner's, and says which of it links back", async (t) => {
  const server = await startHttpServer((request, response) => {
    const page = pages[request.url ?? ""]
    response.writeHead(page === undefined ? 404 : 200, { "content-type": "text/html; charset=utf-8" }).end(page)
  })
  t.after(() => server.close())
  const names = ["page.test", "github.com", "social.test"]
  const reader = await makePerson(t, { hosts: Object.fromEntries(names.map((name) => [name, server.origin])) })
  const { code, schema, data } = await reader.json(["import", "rel-me", "page.test/about"])
  assert.deepEqual([code, schema, data.source], [0, "kez.suggestions/1", "https://page.test/about"])
  const about = (subject: string) => data.suggestions.find((one: { subject: string }) => one.subject === subject)?.about
  assert.match(about("ap:alice@social.test"), /, links back$/)
  assert.match(about("github:alice"), /, does not link back$/)
  assert.match(about("dns:silent.test"), /, whether it links back is not known$/)
  assert.equal(
    data.suggestions.some(({ subject }: { subject: string }) => subject.includes("mailto")),
    false,
  )

  const text = await reader.kez(["import", "rel-me", "https://page.test/about"])
  assert.match(
    text.stdout,
    /^https:\/\/page\.test\/about names \d accounts\. These are suggestions: nothing here is proven\.\n/,
  )
  assert.match(text.stderr, /^Next: check them: kez verify id github:alice ap:alice@social\.test /m)
  const empty = await reader.kez(["import", "rel-me", "page.test/empty"])
  assert.deepEqual([empty.code, empty.stdout, empty.stderr], [0, "https://page.test/empty names no account.\n", ""])

  for (const [url, error, exit] of [
    ["page.test/missing", "net.status", 5],
    ["https://silent.test/", "net.refused", 5],
    ["http://page.test/about", "usage", 2],
  ] as const) {
    const answer = await reader.json(["import", "rel-me", url, "--timeout", "2"])
    assert.deepEqual([answer.code, answer.error.code], [exit, error], url)
  }
})
