/** The host that is fetched from is the host of the URL standard, for whatever text. SPEC §7, adversarial case N23. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { URL } from "node:url"
import fc from "fast-check"
import { publicVectors, skipWithoutVectors } from "../../../test/support/vectors.ts"
import { parseTarget, type Target } from "../src/index.ts"

test("N23 an accepted host is the host of the URL standard, and stands in the text as it is", () => {
  const piece = fc.constantFrom(
    ..."aZ0.-_@:/\\?#[]% \t\u3002\uff0e１é",
    "http://",
    "https://",
    "xn--",
    "0x7f",
    "127.0.0.1",
    "a.example",
    ":443",
    "::1",
    "%2e",
  )
  const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""))
  const url = fc.oneof(
    text,
    text.map((rest) => `https://${rest}`),
    text.map((rest) => `https://a.example${rest}`),
  )
  fc.assert(
    fc.property(url, (candidate) => {
      let target: ReturnType<typeof parseTarget>
      try {
        target = parseTarget(candidate)
      } catch (error) {
        assert.match(String((error as { code?: unknown }).code), /^net\.(url|host|port|address)$/)
        return
      }
      assert.equal(target.url.host, new URL(candidate).host)
      const host = target.url.hostname
      assert.ok(
        new RegExp(`^https?://${host.replaceAll(".", "\\.")}(:(80|443)?)?([/?#]|$)`, "i").test(candidate),
        candidate,
      )
    }),
    { numRuns: 3_000 },
  )
})

/** What a text says to a hasty reader, and the one host that the URL standard takes from it; undefined: it is no URL. */
const standardHosts: ReadonlyArray<readonly [text: string, host: string | undefined]> = [
  ["http://A.Example/", "a.example"],
  ["http://a.example:80/", "a.example"],
  ["https://a.example:443", "a.example"],
  ["http://a.example:443/", "a.example:443"],
  ["http://a.example:/x", "a.example"],
  ["http://a.example:0080/", "a.example"],
  ["http://a.example?@b.example/", "a.example"],
  ["http://a.example#@b.example/", "a.example"],
  ["http://a.example/@b.example", "a.example"],
  ["http://a.example\\@b.example/", "a.example"],
  ["http://a.example@b.example/", "b.example"],
  ["http://a.example:80@b.example/", "b.example"],
  ["http://a.example%40b.example/", undefined],
  ["http:b.example", "b.example"],
  ["http:/b.example", "b.example"],
  ["http:///b.example/", "b.example"],
  ["http:\\\\b.example/", "b.example"],
  ["ht\ntp://b.exam\tple/", "b.example"],
  ["http://b.example%2e/", "b.example."],
  ["http://%62.example/", "b.example"],
  ["http://b\u3002example/", "b.example"],
  ["http://\uff42.example/", "b.example"],
  ["http://b\u00ad.example/", "b.example"],
  ["http://fa\u00df.example/", "xn--fa-hia.example"],
  ["http://0x7f000001/", "127.0.0.1"],
  ["http://127.0.0.1./", "127.0.0.1"],
  ["http://[::ffff:127.0.0.1]/", "[::ffff:7f00:1]"],
  ["http://[::1]:80/", "[::1]"],
  ["http://[::1%25lo]/", undefined],
  ["http://a b.example/", undefined],
  ["http://a.example:b/", undefined],
  ["http://a.example:65536/", undefined],
  ["http://", undefined],
]

test("N23 a text is refused, or its host is that of the URL standard and stands in it as it is", () => {
  for (const [text, host] of standardHosts) {
    const standard = URL.canParse(text) ? new URL(text).host : undefined
    assert.equal(standard, host, `what the standard says of ${JSON.stringify(text)}`)
    assertStandardHost(text, host)
  }
  const taken = standardHosts.filter(([text]) => tryParse(text) !== undefined).map(([text]) => text)
  assert.deepEqual(taken, [
    "http://A.Example/",
    "http://a.example:80/",
    "https://a.example:443",
    "http://a.example:443/",
    "http://a.example:/x",
    "http://a.example:0080/",
    "http://a.example?@b.example/",
    "http://a.example#@b.example/",
    "http://a.example/@b.example",
  ])
})

const wpt = "wpt/urltestdata.json"

test("N23 web-platform-tests: the same for every case", { skip: skipWithoutVectors(wpt) }, () => {
  const cases: readonly unknown[] = JSON.parse(readFileSync(publicVectors(wpt) ?? "", "utf8"))
  let compared = 0
  for (const entry of cases) {
    if (typeof entry !== "object" || entry === null || !("input" in entry)) continue
    const { input, host, base } = entry as { input: string; host?: string; base?: string | null }
    const isAbsolute = /^https?:\/\//i.test(input) || base === null || base === "about:blank"
    if (!isAbsolute) continue
    compared++
    assertStandardHost(input, host)
  }
  assert.ok(compared > 300, `${compared} cases`)
})

function assertStandardHost(text: string, host: string | undefined): void {
  const target = tryParse(text)
  if (target === undefined) return
  assert.equal(target.url.host, host, text)
  assert.ok(text.toLowerCase().includes(target.url.hostname), text)
}

function tryParse(text: string): Target | undefined {
  try {
    return parseTarget(text)
  } catch {
    return undefined
  }
}
