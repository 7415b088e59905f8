/** The dns channel and its resolver against DNS servers on loopback. SPEC §7.1, adversarial cases Z12 and P9. */
import assert from "node:assert/strict"
import { buffer } from "node:stream/consumers"
import { type TestContext, test } from "node:test"
import type { Answer } from "dns-packet"
import { createNet, createResolver, dns, type Publication } from "../../packages/channels/src/index.ts"
import { createCertificate, openSslMissing } from "../../packages/channels/test/support/certificates.ts"
import {
  answerMessage,
  type DnsHandler,
  type DnsServer,
  startDnsServer,
  txt,
} from "../../packages/channels/test/support/dns-server.ts"
import { startHttpServer, startHttpsServer } from "../../packages/channels/test/support/http-server.ts"

const name = "_kez.example.com"
const proof = "kez:z1:KLUv_SAA"
const never = new AbortController().signal
const found: DnsHandler = ({ type }) => ({ answers: type === "TXT" ? [txt(name, proof)] : [] })
const alias = (owner: string, data: string): Answer => ({ type: "CNAME", name: owner, ttl: 60, data })
const silent: DnsHandler = () => undefined

async function serve(t: TestContext, handler: DnsHandler, options: { tcp?: boolean } = {}): Promise<DnsServer> {
  const server = await startDnsServer(handler, options)
  t.after(() => server.close())
  return server
}

/** A resolver with waits fit for loopback. */
function resolverAt(...servers: readonly string[]) {
  return createResolver({ servers, limits: { totalMs: 2_000, attemptMs: 100 } })
}

/** The code of a publication that is no proof. */
function codeOf(publication: Publication): string {
  return publication.status === "found" ? "found" : publication.code
}

function collect(...servers: readonly string[]): Promise<Publication> {
  return dns.collect("example.com", createNet({ resolver: resolverAt(...servers) }), { signal: never })
}

test("collect() finds a proof in a record of several segments and the hint beside it", async (t) => {
  const long = `kez:z1:${"A".repeat(500)}`
  const segments = [long.slice(0, 255), long.slice(255)]
  const answers = [txt(name, "v=spf1 -all"), txt(name, ...segments), txt(name, "Chain: https://a.example/chain")]
  const server = await serve(t, () => ({ answers }))
  const publication = await collect(server.address)
  assert.equal(publication.status, "found")
  assert.deepEqual(publication.candidates, [{ text: long, foundAt: name }])
  assert.deepEqual(publication.chainHints, ["https://a.example/chain"])
  assert.deepEqual(server.questions, [`TXT ${name} udp`])
})

test("Z12 segments join in the order of the record, and bytes outside ASCII stay in sight", async (t) => {
  const server = await serve(t, () => ({ answers: [txt(name, "kez:z1:b", "a", Buffer.from([0xe9, 0x00, 0x80]))] }))
  const publication = await collect(server.address)
  assert.equal(publication.status === "found" && publication.candidates[0]?.text, "kez:z1:ba\u00e9\u0000\u0080")
})

test("Z12 seventeen records are limit.candidates", async (t) => {
  const answers = Array.from({ length: 17 }, (_, at) => txt(name, `${proof}${at}`))
  const server = await serve(t, () => ({ answers }))
  const publication = await collect(server.address)
  assert.equal(publication.status, "invalid")
  assert.equal(publication.code, "limit.candidates")
})

for (const reply of [{ rcode: "NXDOMAIN" }, { rcode: "NOERROR" }] as const) {
  test(`P9 ${reply.rcode} without records is an answer: proof.not_found`, async (t) => {
    const server = await serve(t, () => reply)
    const publication = await collect(server.address)
    assert.equal(publication.status, "absent")
    assert.equal(publication.code, "proof.not_found")
    assert.ok(server.questions.includes(`TXT ${name}.example.com udp`), "looked for near misses")
  })
}

for (const rcode of ["SERVFAIL", "REFUSED", "FORMERR", "NOTIMP"] as const) {
  test(`P9 ${rcode} is no answer: unreachable, net.dns`, async (t) => {
    const server = await serve(t, () => ({ rcode }))
    const publication = await collect(server.address)
    assert.equal(publication.status, "unreachable")
    assert.equal(publication.code, "net.dns")
    assert.match(publication.evidence[0]?.note ?? "", new RegExp(`${name}.*${server.address}.*${rcode}`))
  })
}

test("P9 a silent server is unreachable, net.timeout, after two attempts", async (t) => {
  const server = await serve(t, silent)
  const publication = await collect(server.address)
  assert.equal(publication.status, "unreachable")
  assert.equal(publication.code, "net.timeout")
  assert.ok(server.questions.length >= 2)
})

test("P9 a truncated answer is asked again over TCP", async (t) => {
  const server = await serve(t, () => ({ truncated: true, answers: [txt(name, proof)] }))
  assert.equal((await collect(server.address)).status, "found")
  assert.deepEqual(server.questions, [`TXT ${name} udp`, `TXT ${name} tcp`])
})

test("P9 a truncated answer without TCP is unreachable, never absent", async (t) => {
  const server = await serve(t, () => ({ truncated: true }), { tcp: false })
  const publication = await collect(server.address)
  assert.equal(publication.status, "unreachable")
  assert.equal(publication.code, "net.refused")
})

test("P9 a CNAME loop in one answer, and one over two answers, is unreachable, net.dns", async (t) => {
  const whole = await serve(t, () => ({ answers: [alias(name, "b.example"), alias("b.example", name)] }))
  const parts = await serve(t, (question) => ({
    answers: [question.name === name ? alias(name, "b.example") : alias("b.example", name)],
  }))
  for (const server of [whole, parts]) {
    const publication = await collect(server.address)
    assert.equal(publication.status, "unreachable")
    assert.equal(publication.code, "net.dns")
    assert.match(publication.evidence[0]?.note ?? "", /CNAME loop/)
  }
})

test("P9 an endless CNAME chain is unreachable and asks a bounded number of times", async (t) => {
  const server = await serve(t, (question) => ({ answers: [alias(question.name, `a${question.name}`.slice(-60))] }))
  assert.equal(codeOf(await collect(server.address)), "net.dns")
  assert.ok(server.questions.length <= 12, server.questions.join(", "))
})

test("P9 a CNAME whose end has no TXT record is an answer, one with a record is a proof", async (t) => {
  const ends = await serve(t, (question) => ({ answers: question.name === name ? [alias(name, "b.example")] : [] }))
  assert.equal((await collect(ends.address)).status, "absent")
  const carries = await serve(t, () => ({ answers: [alias(name, "b.example"), txt("b.example", proof)] }))
  assert.equal((await collect(carries.address)).status, "found")
})

test("P9 bytes that are no DNS message are unreachable", async (t) => {
  const server = await serve(t, () => ({ raw: Buffer.from("not a DNS message") }))
  assert.equal(codeOf(await collect(server.address)), "net.dns")
})

test("P9 a port without a server is unreachable, net.refused", async () => {
  assert.equal(codeOf(await collect("127.0.0.1:1")), "net.refused")
})

test("createResolver() asks the next server after a refusal or silence, and stops at the first answer", async (t) => {
  const broken = await serve(t, () => ({ rcode: "SERVFAIL" }))
  const quiet = await serve(t, silent)
  const good = await serve(t, found)
  const spare = await serve(t, found)
  const answer = await resolverAt(broken.address, quiet.address, good.address, spare.address).resolveTxt(name, never)
  assert.deepEqual(answer, { status: "found", records: [proof], server: good.address })
  assert.deepEqual(spare.questions, [])
  const absent = await serve(t, () => ({ rcode: "NXDOMAIN" }))
  assert.equal((await resolverAt(absent.address, good.address).resolveTxt(name, never)).status, "no_name")
})

test("createResolver() sees a record that appears after it was asked for", async (t) => {
  let published = false
  const server = await serve(t, (...asked) => (published ? found(...asked) : { rcode: "NXDOMAIN" }))
  const resolver = resolverAt(server.address)
  assert.equal((await resolver.resolveTxt(name, never)).status, "no_name")
  published = true
  assert.equal((await resolver.resolveTxt(name, never)).status, "found")
})

test("createResolver() stops at its total time with net.timeout", async (t) => {
  const servers = await Promise.all([serve(t, silent), serve(t, silent)])
  const addresses = servers.map((server) => server.address)
  const resolver = createResolver({ servers: addresses, limits: { totalMs: 150, attemptMs: 10_000 } })
  await assert.rejects(resolver.resolveTxt(name, never), { code: "net.timeout", message: /150 ms/ })
  assert.deepEqual(servers[1]?.questions, [])
})

test("createResolver() throws the reason of a caller who gave up", async (t) => {
  const server = await serve(t, silent)
  const reason = new Error("gave up")
  const controller = new AbortController()
  const asked = createResolver({ servers: [server.address] }).resolveTxt(name, controller.signal)
  setImmediate(() => controller.abort(reason))
  await assert.rejects(asked, (error) => error === reason)
  const limited = createResolver({ servers: [server.address] }).resolveTxt(name, AbortSignal.timeout(20))
  await assert.rejects(limited, { code: "net.timeout" })
})

test("createResolver() refuses texts that are no server", () => {
  for (const server of ["localhost", "1.2.3.4:99999", "", "1.2.3"]) {
    assert.throws(() => createResolver({ servers: [server] }), { code: "net.dns" }, server)
  }
  for (const server of ["http://127.0.0.1/dns-query", "udp://1.2.3.4"]) {
    assert.throws(() => createResolver({ servers: [server] }), { code: "net.url" }, server)
  }
})

test("resolveAddresses() joins A and AAAA and takes half an answer", async (t) => {
  const v4: Answer = { type: "A", name: "a.example", data: "192.0.2.1" }
  const v6: Answer = { type: "AAAA", name: "a.example", data: "2001:db8::1" }
  const both = await serve(t, ({ type }) => ({ answers: [type === "A" ? v4 : v6] }))
  const half = await serve(t, ({ type }) => (type === "A" ? { answers: [v4] } : { rcode: "SERVFAIL" }))
  const none = await serve(t, () => ({ rcode: "NXDOMAIN" }))
  const unsure = await serve(t, ({ type }) => ({ rcode: type === "A" ? "NXDOMAIN" : "SERVFAIL" }))
  const resolve = (server: DnsServer) => resolverAt(server.address).resolveAddresses("a.example", never)
  assert.deepEqual((await resolve(both)).addresses, ["192.0.2.1", "2001:db8::1"])
  assert.deepEqual((await resolve(half)).addresses, ["192.0.2.1"])
  assert.deepEqual(await resolve(none), { status: "no_name", addresses: [] })
  await assert.rejects(resolve(unsure), { code: "net.dns" })
})

test("createResolver() asks over HTTPS in wire format, with TLS checked", { skip: openSslMissing }, async (t) => {
  const certificate = createCertificate(["DNS:localhost"])
  const seen: string[] = []
  const server = await startHttpsServer(certificate, async (request, response) => {
    const query = await buffer(request)
    seen.push(`${request.method} ${request.url} ${request.headers["content-type"]}`)
    response.setHeader("content-type", "application/dns-message")
    response.end(answerMessage(query, found))
  })
  t.after(() => server.close())
  const url = `${server.origin}/dns-query`
  const resolver = createResolver({ servers: [url], ca: certificate.cert })
  assert.deepEqual(await resolver.resolveTxt(name, never), { status: "found", records: [proof], server: url })
  assert.deepEqual(seen, ["POST /dns-query application/dns-message"])
  const distrustful = createResolver({ servers: [url] })
  await assert.rejects(distrustful.resolveTxt(name, never), { code: "net.tls" })
  assert.equal(seen.length, 1)
})

test("P9 a DoH server that answers with HTTP 500 or a page is unreachable", { skip: openSslMissing }, async (t) => {
  const certificate = createCertificate(["DNS:localhost"])
  let status = 500
  const server = await startHttpsServer(certificate, (_request, response) => {
    response.writeHead(status, { "content-type": "text/html" }).end("<html>")
  })
  t.after(() => server.close())
  const resolver = createResolver({ servers: [`${server.origin}/dns-query`], ca: certificate.cert })
  for (status of [500, 200]) {
    await assert.rejects(resolver.resolveTxt(name, never), { code: "net.dns", message: new RegExp(`HTTP ${status}`) })
  }
})

test("collect() makes no web request", async (t) => {
  const web = await startHttpServer((_request, response) => response.end("no"))
  t.after(() => web.close())
  const server = await serve(t, found)
  const net = createNet({ resolver: resolverAt(server.address), hosts: { "example.com": web.origin } })
  assert.equal((await dns.collect("example.com", net, { signal: never })).status, "found")
  assert.equal(web.connections, 0)
})
