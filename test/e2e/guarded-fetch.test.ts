/** The guarded fetch against hostile places: addresses, redirects, the environment. SPEC §7.2, adversarial cases C.6. */
import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { createHash } from "node:crypto"
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import type { RequestListener } from "node:http"
import { Socket } from "node:net"
import { test } from "node:test"
import { promisify } from "node:util"
import { exchange } from "../../packages/channels/src/exchange.ts"
import { createFetch, fetchLimits, UnknownHostError } from "../../packages/channels/src/index.ts"
import { specialAddresses } from "../../packages/channels/test/support/special-addresses.ts"
import {
  createFakeResolver,
  createTestFetch,
  fetchFrom,
  now,
  serve,
} from "../../packages/channels/test/support/test-fetch.ts"

const never = new AbortController().signal

test("fetch() gives status, body, digest, kept headers and the URL as everyone names it", async (t) => {
  const seen: unknown[] = []
  const { fetch } = await fetchFrom(t, (request, response) => {
    seen.push(request.url, request.headers["user-agent"], request.headers.host)
    response.writeHead(200, { "content-type": "text/plain; charset=utf-8", etag: '"1"', "x-other": "1" }).end("kez")
  })
  const answer = await fetch("https://a.example/page?q=1#part", { accept: ["text/plain"] })
  assert.equal(answer.url, "https://a.example/page?q=1")
  assert.equal(answer.status, 200)
  assert.equal(Buffer.from(answer.body).toString(), "kez")
  assert.equal(answer.sha256, createHash("sha256").update("kez").digest("hex"))
  assert.equal(answer.fetchedAt, now)
  assert.equal(answer.headers["content-type"], "text/plain; charset=utf-8")
  assert.equal(answer.headers["etag"], '"1"')
  assert.equal(answer.headers["x-other"], undefined)
  assert.deepEqual(seen.slice(0, 2), ["/page?q=1", "kez/0.4"])
  assert.match(String(seen[2]), /^127\.0\.0\.1:\d+$/)
})

test("P12 statuses are answers, with Retry-After in seconds or as a date", async (t) => {
  const server = await serve(t, (request, response) => {
    const [, status, retryAfter] = (request.url ?? "").split("/")
    if (retryAfter) response.setHeader("retry-after", decodeURIComponent(retryAfter))
    response.writeHead(Number(status)).end()
  })
  const look = async (path: string) => {
    // A fetch of its own each time: one that was told to wait asks no more.
    const fetch = createTestFetch({ hosts: { "a.example": server.origin } })
    const { status, retryAfterSeconds } = await fetch(`https://a.example/${path}`)
    return [status, retryAfterSeconds]
  }
  assert.deepEqual(await look("404"), [404, undefined])
  assert.deepEqual(await look("410"), [410, undefined])
  assert.deepEqual(await look("403"), [403, undefined])
  assert.deepEqual(await look("500"), [500, undefined])
  assert.deepEqual(await look("200/60"), [200, undefined])
  assert.deepEqual(await look("429/60"), [429, 60])
  assert.deepEqual(await look("503/Tue,%2001%20Jan%202030%2012:02:00%20GMT"), [503, 120])
})

test("N2 a host whose address is special is refused with net.address, and nothing is connected", async () => {
  const sockets: unknown[] = []
  const count = (message: unknown) => sockets.push(message)
  subscribe("net.client.socket", count)
  try {
    for (const [address] of specialAddresses) {
      const fetch = createFetch({ resolver: createFakeResolver([address]), now: () => now })
      await assert.rejects(fetch("https://a.example/"), { code: "net.address" }, address)
    }
  } finally {
    unsubscribe("net.client.socket", count)
  }
  assert.equal(sockets.length, 0)
})

test("N4 an answer with one public and one private address is refused with net.address", async () => {
  for (const addresses of [
    ["1.1.1.1", "127.0.0.1"],
    ["2606:4700::1", "1.1.1.1", "fd00::1"],
  ]) {
    const resolver = createFakeResolver(addresses)
    await assert.rejects(createFetch({ resolver, now: () => now })("https://a.example/"), { code: "net.address" })
    assert.deepEqual(resolver.asked, ["a.example"])
  }
})

test("N5 a second, private DNS answer changes nothing: the first is connected to and the resolver asked once", async () => {
  const resolver = createFakeResolver(["1.1.1.1"], ["127.0.0.1"])
  const controller = new AbortController()
  const connected: unknown[] = []
  const watch = (message: unknown) => {
    const { socket } = message as { socket: unknown }
    assert.ok(socket instanceof Socket)
    // Given up between look-up and connection, so that no packet leaves the machine.
    socket.once("lookup", (_error, address) => {
      connected.push(address)
      controller.abort(new Error("seen"))
    })
  }
  subscribe("net.client.socket", watch)
  try {
    const fetch = createFetch({ resolver, now: () => now })
    await assert.rejects(fetch("https://a.example/", { signal: controller.signal }), /seen/)
  } finally {
    unsubscribe("net.client.socket", watch)
  }
  assert.deepEqual(connected, ["1.1.1.1"])
  assert.deepEqual(resolver.asked, ["a.example"])
})

test("N5 the connection goes to the address given, under the name of the URL, and to the next one if it is dead", async (t) => {
  const hosts: unknown[] = []
  const server = await serve(t, (request, response) => {
    hosts.push(request.headers.host)
    response.end("kez")
  })
  const url = new URL(`http://a.example:${server.port}/`)
  const request = { url, method: "GET", headers: {}, addresses: ["::1", "127.0.0.1"], limits: fetchLimits } as const
  assert.equal((await exchange(request, never)).status, 200)
  assert.deepEqual(hosts, [`a.example:${server.port}`])
})

test("fetch() throws UnknownHostError, code net.dns, when the host has no address", async () => {
  const fetch = createFetch({ resolver: createFakeResolver([]), now: () => now })
  await assert.rejects(fetch("https://a.example/"), (error) => {
    assert.ok(error instanceof UnknownHostError)
    assert.equal(error.code, "net.dns")
    return true
  })
})

test("fetch() throws net.refused when nobody listens", async () => {
  const fetch = createTestFetch({ hosts: { "a.example": "http://127.0.0.1:1" } })
  await assert.rejects(fetch("https://a.example/"), { code: "net.refused" })
})

const refusedRedirects = [
  "https://127.0.0.1/",
  "https://private.example/",
  "http://a.example/",
  "https://a.example:22/",
  "file:///etc/passwd",
  "data:text/plain,kez",
  "ftp://a.example/",
]

for (const location of refusedRedirects) {
  test(`N6 a redirect to ${location} is refused`, async (t) => {
    const { fetch, page } = await fetchFrom(t, (_request, response) => {
      response.writeHead(302, { location }).end()
    })
    await assert.rejects(fetch(page), { code: "net.redirect" })
  })
}

test("N6 a change of host is refused where the caller forbids it, and only there", async (t) => {
  const other = await serve(t, (_request, response) => response.end("other"))
  const first = await serve(t, (_request, response) =>
    response.writeHead(302, { location: "https://b.example/" }).end(),
  )
  const fetch = createTestFetch({ hosts: { "a.example": first.origin, "b.example": other.origin } })
  await assert.rejects(fetch("https://a.example/", { sameHost: true }), { code: "net.redirect" })
  assert.equal(other.connections, 0)
  assert.equal((await fetch("https://a.example/")).url, "https://b.example/")
})

test("N7 three redirects are followed, a fourth and a loop are refused with net.redirect_limit", async (t) => {
  const { server, fetch } = await fetchFrom(t, (request, response) => {
    const left = Number(request.url?.slice(1))
    if (left === 0) response.end("done")
    else response.writeHead(302, { location: `/${left - 1}` }).end()
  })
  assert.equal((await fetch("https://a.example/3")).url, "https://a.example/0")
  await assert.rejects(fetch("https://a.example/4"), { code: "net.redirect_limit" })
  assert.equal(server.connections, 8)
  const loop = await fetchFrom(t, (_request, response) => response.writeHead(301, { location: "/page" }).end())
  await assert.rejects(loop.fetch(loop.page), { code: "net.redirect_limit" })
})

test("N7 the body of a redirect is not read, and its connection is destroyed", async (t) => {
  const { server, fetch } = await fetchFrom(t, (request, response) => {
    if (request.url === "/there") response.end("kez")
    else response.writeHead(302, { location: "/there", "content-length": "1000000" }).write("k")
  })
  assert.equal((await fetch("https://a.example/here")).status, 200)
  const started = performance.now()
  await server.allClosed()
  assert.ok(performance.now() - started < 1_000, "not only once it was idle")
})

test("fetch() refuses to send a body anywhere but to the place named", async (t) => {
  const { server, fetch, page } = await fetchFrom(t, (_request, response) => {
    response.writeHead(307, { location: "/other" }).end()
  })
  const body = new TextEncoder().encode("{}")
  await assert.rejects(fetch(page, { method: "POST", body }), { code: "net.redirect" })
  assert.equal(server.connections, 1)
})

test("fetch() sends method, headers and body", async (t) => {
  const { fetch, page } = await fetchFrom(t, async (request, response) => {
    let body = ""
    for await (const chunk of request) body += chunk
    response.end(`${request.method} ${request.headers["content-type"]} ${request.headers["content-length"]} ${body}`)
  })
  const body = new TextEncoder().encode("{}")
  const answer = await fetch(page, { method: "PATCH", headers: { "content-type": "application/json" }, body })
  assert.equal(Buffer.from(answer.body).toString(), "PATCH application/json 2 {}")
})

test("N17 proxy variables and switches against TLS in the environment are ignored", async (t) => {
  const proxy = await serve(t, (_request, response) => response.end("proxy"))
  const origin = await serve(t, (_request, response) => response.end("origin"))
  const program = `
    import { createFetch } from "@kez/channels"
    const resolver = { resolveAddresses: async () => ({ status: "no_name", addresses: [] }) }
    const fetch = createFetch({ resolver, now: () => 0, hosts: { "a.example": ${JSON.stringify(origin.origin)} } })
    process.stdout.write((await fetch("https://a.example/")).body)
  `
  const environment = {
    HTTP_PROXY: proxy.origin,
    http_proxy: proxy.origin,
    HTTPS_PROXY: proxy.origin,
    ALL_PROXY: proxy.origin,
    NODE_USE_ENV_PROXY: "1",
  }
  const run = promisify(execFile)
  const args = ["--input-type=module", "--eval", program]
  const { stdout } = await run(process.execPath, args, { cwd: import.meta.dirname, env: environment })
  assert.equal(stdout, "origin")
  assert.equal(proxy.connections, 0)
})

test("N18 a cookie is never sent back, and the caller's headers stay behind when the origin changes", async (t) => {
  const seen: (readonly unknown[])[] = []
  const note: RequestListener = (request, response) => {
    seen.push([request.url, request.headers.cookie, request.headers.authorization])
    response.setHeader("set-cookie", "id=1; Path=/")
    if (request.url === "/same") response.writeHead(302, { location: "/there" }).end()
    else if (request.url === "/leave") response.writeHead(302, { location: "https://b.example/back" }).end()
    else if (request.url === "/back") response.writeHead(302, { location: "https://a.example/there" }).end()
    else response.end("kez")
  }
  const a = await serve(t, note)
  const b = await serve(t, note)
  const fetch = createTestFetch({ hosts: { "a.example": a.origin, "b.example": b.origin } })
  const headers = { authorization: "Bearer token" }
  await fetch("https://a.example/same", { headers })
  const answer = await fetch("https://a.example/leave", { headers })
  assert.deepEqual(seen, [
    ["/same", undefined, "Bearer token"],
    ["/there", undefined, "Bearer token"],
    ["/leave", undefined, "Bearer token"],
    ["/back", undefined, undefined],
    ["/there", undefined, undefined],
  ])
  assert.equal(answer.headers["set-cookie"], undefined)
})
