/** Where sockets go, whatever the URL and whatever the resolver says. SPEC §7.2, adversarial cases N2, N5, E-7. */
import assert from "node:assert/strict"
import { isIP, Socket } from "node:net"
import { after, before, beforeEach, test } from "node:test"
import type { Answer } from "dns-packet"
import fc from "fast-check"
import { createFetch, createResolver, isPublicAddress } from "../../packages/channels/src/index.ts"
import { startDnsServer } from "../../packages/channels/test/support/dns-server.ts"
import { specialAddresses } from "../../packages/channels/test/support/special-addresses.ts"
import { createFakeResolver, now, serve } from "../../packages/channels/test/support/test-fetch.ts"

/** What `Socket.connect` is given by node:http and node:https. */
interface ConnectOptions {
  readonly host?: string
  readonly port?: number
  readonly lookup?: (host: string, options: { readonly all: true }, callback: (...found: unknown[]) => void) => void
}

const connect = Socket.prototype.connect
let went: string[] = []
/** Ports on loopback that a test really listens on. */
let open = new Set<number>()

/** Notes where a socket would go and destroys it, so that no packet leaves the machine. */
function noteOnly(this: Socket, ...args: unknown[]): Socket {
  const [first] = args
  const options: ConnectOptions = Array.isArray(first) ? first[0] : first
  const { host = "", port = 0, lookup } = options
  if (open.has(port) && host === "127.0.0.1") return Reflect.apply(connect, this, args)
  const note = (address: string) => void went.push(address)
  if (isIP(host) !== 0) note(host)
  else if (lookup === undefined) note(`the system resolves ${host}`)
  else {
    lookup(host, { all: true }, (_error, found) => {
      for (const { address } of found as readonly { readonly address: string }[]) note(address)
    })
  }
  setImmediate(() => this.destroy(new Error("no network in this test")))
  return this
}

before(() => {
  Socket.prototype.connect = noteOnly as typeof connect
})
after(() => {
  Socket.prototype.connect = connect
})
beforeEach(() => {
  went = []
  open = new Set()
})

test("the sockets of a public host go to its public addresses, and so this file can see one", async () => {
  const fetch = createFetch({ resolver: createFakeResolver(["1.1.1.1", "2606:4700::1"]), now: () => now })
  await assert.rejects(fetch("https://a.example/"), { code: "net.refused" })
  await assert.rejects(fetch("http://a.example/"), { code: "net.refused" })
  await assert.rejects(fetch("https://8.8.8.8/"), { code: "net.refused" })
  assert.deepEqual(went, ["1.1.1.1", "2606:4700::1", "1.1.1.1", "2606:4700::1", "8.8.8.8"])
})

test("N2 the special addresses as A and AAAA records of a real DNS answer are refused, and nothing is connected", async (t) => {
  let current = ""
  const server = await startDnsServer(({ type, name }) => {
    const wanted = current.includes(":") ? "AAAA" : "A"
    const record: Answer = { type: wanted, name, ttl: 1, data: current }
    return { answers: type === wanted ? [record] : [] }
  })
  t.after(() => server.close())
  const resolver = createResolver({ servers: [server.address] })
  // A zone has no place in a record.
  const addresses = specialAddresses.map(([address]) => address).filter((address) => !address.includes("%"))
  for (const address of addresses) {
    current = address
    const found = await resolver.resolveAddresses("a.example", new AbortController().signal)
    assert.equal(found.addresses.length, 1, address)
    await assert.rejects(
      createFetch({ resolver, now: () => now })("https://a.example/"),
      { code: "net.address" },
      address,
    )
  }
  assert.ok(addresses.length >= 42)
  assert.deepEqual(new Set(server.questions.map((question) => question.split(" ")[0])), new Set(["A", "AAAA"]))
  assert.deepEqual(went, [])
})

test("N5 each redirect is resolved once, and goes to the addresses that were checked", async (t) => {
  const first = await serve(t, (_request, response) =>
    response.writeHead(302, { location: "https://b.example/" }).end(),
  )
  open.add(first.port)
  const resolver = createFakeResolver(["1.1.1.1"], ["127.0.0.1"])
  const fetch = createFetch({ resolver, now: () => now, hosts: { "a.example": first.origin } })
  // The host that redirects is configured and resolved by nobody; b.example answers with a private address the second time.
  await assert.rejects(fetch("https://a.example/"), { code: "net.refused" })
  assert.deepEqual([went, resolver.asked], [["1.1.1.1"], ["b.example"]])
  await assert.rejects(fetch("https://a.example/"), { code: "net.redirect" })
  assert.deepEqual(went, ["1.1.1.1"])
})

const special = fc.constantFrom(...specialAddresses.map(([address]) => address))
const ordinary = fc.constantFrom("1.1.1.1", "8.8.8.8", "2606:4700::1", "2a00:1450::1")
const odd = fc.constantFrom(
  "",
  "127.1",
  "0x7f.1",
  "1.1.1.1 ",
  "1.1.1.1%lo",
  "::ffff:7f00:1",
  "localhost",
  "2130706433",
  "::",
)
const answers = fc.array(fc.oneof(special, ordinary, odd, fc.ipV4(), fc.ipV6()), { maxLength: 4 })
const host = fc.oneof(
  fc.constantFrom(
    "a.example",
    "localhost",
    "x.internal",
    "127.1",
    "0x7f.1",
    "2130706433",
    "a.example.",
    "xn--gthub-n2e.com",
  ),
  special.map((address) => (address.includes(":") ? `[${address}]` : address)),
  ordinary.map((address) => (address.includes(":") ? `[${address}]` : address)),
  fc.domain(),
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
)
const built = fc
  .tuple(
    fc.constantFrom("http://", "https://", "HTTPS://", "ftp://", "https:/", "//", "ws://"),
    fc.constantFrom("", "", "", "u:p@", "8.8.8.8@", "@"),
    host,
    fc.constantFrom("", "", "", ":80", ":443", ":22", ":0", ":"),
    fc.constantFrom("", "/", "/x?y#z", "\\\\@127.0.0.1/", "#@127.0.0.1", "\\n"),
  )
  .map((parts) => parts.join(""))
const url = fc.oneof(
  built,
  built,
  fc.webUrl(),
  fc.string({ maxLength: 40 }).map((rest) => `https://${rest}`),
  fc.string(),
)

test("E-7 for any URL and any answers of the resolver a socket goes to public addresses only", async () => {
  let connected = 0
  const property = fc.asyncProperty(url, answers, async (text, addresses) => {
    went = []
    const fetch = createFetch({ resolver: createFakeResolver(addresses), now: () => now })
    await assert.rejects(fetch(text), (error: { readonly code?: unknown }) => /^net\./.test(String(error.code)))
    for (const address of went) assert.ok(isPublicAddress(address), `${JSON.stringify(text)} went to ${address}`)
    connected += went.length
  })
  await fc.assert(property, { numRuns: 3_000 })
  assert.ok(connected > 100, `only ${connected} sockets: the property has seen too little`)
})
