/** Which URLs and redirects are refused before anything is resolved. SPEC §7, adversarial cases N1 to N12. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Code } from "@kez/core"
import { parseHosts, parseRedirect, parseTarget, type Target } from "../src/index.ts"
import { specialAddresses } from "./support/special-addresses.ts"

const none = parseHosts()

function refusesAll(title: string, code: Code, urls: readonly string[]): void {
  test(title, () => {
    for (const url of urls) assert.throws(() => parseTarget(url), { code }, JSON.stringify(url))
  })
}

refusesAll("N1 other spellings of IPv4 addresses are refused with net.address", "net.address", [
  "http://127.1/",
  "http://127.0.1/",
  "http://2130706433/",
  "http://0177.0.0.1/",
  "http://0x7f.1/",
  "http://0x7f000001/",
  "http://１２７.0.0.1/",
  "http://127。0。0。1/",
  "http://%31%32%37.0.0.1/",
  "http://134744072/",
  "http://8.8.8.8./",
])

test("N2 the special addresses are refused with net.address as literals", () => {
  for (const [address] of specialAddresses.filter(([text]) => !text.includes("%"))) {
    const host = address.includes(":") ? `[${address}]` : address
    assert.throws(() => parseTarget(`https://${host}/`), { code: "net.address" }, address)
  }
  assert.equal(parseTarget("https://1.1.1.1/").sent.host, "1.1.1.1")
  assert.equal(parseTarget("https://[2606:4700:4700::1111]/").sent.host, "[2606:4700:4700::1111]")
})

refusesAll("N3 local and incomplete names are refused with net.host", "net.host", [
  "http://localhost/",
  "http://LOCALHOST/",
  "http://x.localhost/",
  "http://printer.local/",
  "http://metadata.google.internal/",
  "http://router.home.arpa/",
  "http://abc.onion/",
  "http://intranet/",
  "http://example.com./",
  "http://localhost./",
  "http://a..example/",
  "http://-a.example/",
  "http://a_b.example/",
  "http://xn--pokxncvks.example/",
  "http://xn--a.example/",
  `http://${"a".repeat(64)}.example/`,
  `http://${"a.".repeat(130)}example/`,
])

refusesAll("N8 ports other than 80 and 443 are refused with net.port", "net.port", [
  "http://a.example:22/",
  "http://a.example:25/",
  "http://a.example:4222/",
  "http://a.example:6379/",
  "https://a.example:7878/",
  "https://a.example:0/",
])

refusesAll("N9 user, backslash, tab, newline, space and other schemes are refused with net.url", "net.url", [
  "https://user:pass@a.example/",
  "https://user@a.example/",
  "https://@a.example/",
  "https://a.example\\@b.example/",
  "https:\\\\a.example/",
  "https://a.exa\tmple/",
  "https://a.example/\n",
  " https://a.example/",
  "https://a.example/ b",
  "https://a.exa\u0000mple/",
  "https://a.example:99999/",
  "https://[::1/",
  "https://[fe80::1%25lo]/",
  "https:/a.example/",
  "https:a.example",
  "https:///a.example/",
  "//a.example/",
  "a.example",
  "",
  "file:///etc/passwd",
  "data:text/plain,kez",
  "ftp://a.example/",
  "javascript:alert(1)",
  "https://256.1.1.1/",
  `https://a.example/${"a".repeat(2048)}`,
])

test("N10 look-alikes of github.com are not taken for it", () => {
  assert.throws(() => parseTarget("https://github.com@evil.example/"), { code: "net.url" })
  assert.throws(() => parseTarget("https://gіthub.com/"), { code: "net.host", hint: /xn--gthub-n2e\.com/ })
  assert.throws(() => parseTarget("https://ｇithub.com/"), { code: "net.host" })
  for (const host of ["github.com.evil.example", "xn--gthub-n2e.com"]) {
    assert.equal(parseTarget(`https://${host}/`).url.host, host)
  }
  const hosts = parseHosts({ "github.com": "http://127.0.0.1:9000" })
  assert.equal(parseTarget("https://github.com.evil.example/", hosts).base, undefined)
})

test("parseTarget() keeps path and query, drops the fragment and lower-cases the host", () => {
  const { url, sent, base } = parseTarget("HTTPS://A.Example:443/Path?Q=1#part")
  assert.equal(url.href, "https://a.example/Path?Q=1")
  assert.equal(sent.href, url.href)
  assert.equal(base, undefined)
})

test("parseTarget() places a configured host under its base URL", () => {
  const hosts = parseHosts({ localhost: "http://127.0.0.1:7878/kez/", "api.github.com": "http://127.0.0.1:9000" })
  assert.equal(parseTarget("https://localhost/v1/x?y=1", hosts).sent.href, "http://127.0.0.1:7878/kez/v1/x?y=1")
  assert.equal(parseTarget("https://API.github.com/users/a", hosts).sent.href, "http://127.0.0.1:9000/users/a")
  assert.equal(parseTarget("https://localhost/v1", hosts).url.href, "https://localhost/v1")
})

test("a base URL is never reachable under its own name, whatever names it", () => {
  const hosts = parseHosts({ localhost: "http://127.0.0.1:7878/kez", "b.example": "https://forge.internal:8443" })
  for (const [url, code] of [
    ["http://127.0.0.1:7878/kez/v1", "net.port"],
    ["http://127.0.0.1:7878/kez/../admin", "net.port"],
    ["https://127.0.0.1:7878/kez", "net.port"],
    ["http://127.0.0.1/kez", "net.address"],
    ["https://forge.internal:8443/", "net.port"],
    ["https://forge.internal/", "net.host"],
  ] as const) {
    assert.throws(() => parseTarget(url, hosts), { code }, url)
  }
})

test("a mapped host is reached by its own name and usual port only, and never outside its base URL", () => {
  const hosts = parseHosts({ localhost: "http://127.0.0.1:7878/kez", "c.example:8443": "http://127.0.0.1:9/c" })
  for (const url of [
    "http://localhost:22/",
    "https://localhost:7878/",
    "https://localhost:80/",
    "http://c.example:443/",
  ]) {
    const target = tryParse(url, hosts)
    assert.equal(target?.base, undefined, url)
  }
  for (const url of ["https://localhost./", "https://x.localhost/", "https://c.example:8444/", "ws://localhost/"]) {
    assert.equal(tryParse(url, hosts), undefined, url)
  }
  for (const path of [
    "/../admin",
    "/%2e%2e/admin",
    "/a/../../admin",
    "//127.0.0.1:22/",
    "/?x=/../admin",
    "/#/../admin",
  ]) {
    const { sent } = parseTarget(`https://localhost${path}`, hosts)
    assert.ok(sent.href.startsWith("http://127.0.0.1:7878/kez/"), sent.href)
  }
  assert.equal(parseTarget("https://c.example:8443/x", hosts).sent.href, "http://127.0.0.1:9/c/x")
  assert.equal(parseTarget("https://c.example/x", hosts).base, undefined)
})

function tryParse(url: string, hosts: ReturnType<typeof parseHosts>): Target | undefined {
  try {
    return parseTarget(url, hosts)
  } catch {
    return undefined
  }
}

test("parseHosts() throws net.url for a host that stands so in no URL", () => {
  for (const host of ["https://localhost", "localhost/", "localhost:443", "127.1", "u@localhost", "", "a b"]) {
    assert.throws(() => parseHosts({ [host]: "http://127.0.0.1" }), { code: "net.url" }, host)
  }
  assert.deepEqual(
    [...parseHosts({ LocalHost: "http://127.0.0.1", "[::1]:8443": "http://127.0.0.1" }).keys()],
    ["localhost", "[::1]:8443"],
  )
})

test("parseHosts() throws net.url for a base URL with another scheme, user or query", () => {
  for (const base of ["ftp://127.0.0.1", "127.0.0.1:80", "http://u:p@127.0.0.1", "http://127.0.0.1/?a=1", ""]) {
    assert.throws(() => parseHosts({ localhost: base }), { code: "net.url" }, base)
  }
})

test("N6 redirects to private, local and other places are refused with net.redirect", () => {
  const from = parseTarget("https://a.example/page")
  const places = [
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://localhost/",
    "//127.0.0.1/",
    "https://b.example:22/",
    "https://u:p@b.example/",
    "https:\\\\b.example/",
    "\\\\b.example/",
    "file:///etc/passwd",
    "data:text/plain,kez",
    "ftp://b.example/",
    "http://a.example/page",
    "https://0x8.8.8.8/",
  ]
  for (const place of places) {
    assert.throws(() => parseRedirect(from, place, none), { code: "net.redirect" }, place)
  }
})

test("N6 a public page cannot redirect into a configured private place", () => {
  const hosts = parseHosts({ localhost: "https://127.0.0.1:7878" })
  const from = parseTarget("https://a.example/page", hosts)
  assert.throws(() => parseRedirect(from, "https://127.0.0.1:7878/", hosts), { code: "net.redirect" })
  assert.throws(() => parseRedirect(from, "https://localhost/", hosts), { code: "net.redirect" })
})

test("parseRedirect() follows absolute, scheme-relative and relative locations", () => {
  const from = parseTarget("http://a.example/dir/page?q=1")
  const cases = [
    ["https://b.example/x", "https://b.example/x"],
    ["//b.example/x", "http://b.example/x"],
    ["/x?y", "http://a.example/x?y"],
    ["x", "http://a.example/dir/x"],
    ["?y", "http://a.example/dir/page?y"],
  ] as const
  for (const [location, expected] of cases) {
    assert.equal(parseRedirect(from, location, none).url.href, expected)
  }
})

test("parseRedirect() reads a configured server's own base URL as the host it stands for", () => {
  const hosts = parseHosts({ "b.example": "http://127.0.0.1:9000/b" })
  const from = parseTarget("https://b.example/x", hosts)
  const next = parseRedirect(from, "http://127.0.0.1:9000/b/y?z=1", hosts)
  assert.equal(next.url.href, "https://b.example/y?z=1")
  assert.equal(next.sent.href, "http://127.0.0.1:9000/b/y?z=1")
})

test("N6 a configured server cannot redirect to another one's base URL, nor beside its own", () => {
  const hosts = parseHosts({ "b.example": "http://127.0.0.1:9000/b", localhost: "https://127.0.0.1:7878" })
  const from = parseTarget("https://b.example/x", hosts)
  for (const place of [
    "https://127.0.0.1:7878/",
    "http://127.0.0.1:9000/admin",
    "http://127.0.0.1:9000/b/../admin",
    "https://127.0.0.1:9000/b/y",
    "http://127.0.0.1:9001/b/y",
  ]) {
    assert.throws(() => parseRedirect(from, place, hosts), { code: "net.redirect" }, place)
  }
  assert.equal(parseRedirect(from, "https://localhost/", hosts).sent.href, "https://127.0.0.1:7878/")
})

test("N12 a Location with control characters is refused with net.http", () => {
  const from = parseTarget("https://a.example/")
  for (const location of ["/a\tb", "/a\u0001b", "/a b", "/\u007f", "/é", ""]) {
    assert.throws(() => parseRedirect(from, location, none), { code: "net.http" }, JSON.stringify(location))
  }
})
