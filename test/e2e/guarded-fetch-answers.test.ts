/** The guarded fetch against hostile answers: sizes, encodings, broken HTTP and certificates. SPEC §7.2, adversarial C.6. */
import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import type { RequestListener } from "node:http"
import { type TestContext, test } from "node:test"
import { promisify } from "node:util"
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from "node:zlib"
import { createFetch, type FetchOptions, fetchLimits } from "../../packages/channels/src/index.ts"
import {
  type Certificate,
  createCertificate,
  openSslMissing,
} from "../../packages/channels/test/support/certificates.ts"
import { startHttpServer, startHttpsServer, startRawServer } from "../../packages/channels/test/support/http-server.ts"
import { limits } from "../../packages/core/src/index.ts"

const page = "https://a.example/page"
const resolver = { resolveAddresses: async () => ({ status: "no_name" as const, addresses: [] }) }

function createTestFetch(origin: string, ca?: string) {
  return createFetch({ resolver, now: () => 0, hosts: { "a.example": origin }, ...(ca === undefined ? {} : { ca }) })
}

/** One fetch from a server that answers so. */
async function fetchOnce(t: TestContext, listener: RequestListener, options: FetchOptions = {}) {
  const server = await startHttpServer(listener)
  t.after(() => server.close())
  const answer = await createTestFetch(server.origin)(page, options).finally(() => server.allClosed())
  return Buffer.from(answer.body).toString()
}

/** One fetch from a server that sends these bytes to whoever connects. */
async function fetchRaw(t: TestContext, bytes: string) {
  const server = await startRawServer((socket) => socket.once("data", () => socket.end(bytes, "latin1")))
  t.after(() => server.close())
  return createTestFetch(server.origin)(page).finally(() => server.allClosed())
}

const encoders = {
  gzip: gzipSync,
  "x-gzip": gzipSync,
  br: (bytes: Uint8Array) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
  deflate: deflateSync,
  "deflate, raw": deflateRawSync,
} as const

for (const [name, encode] of Object.entries(encoders)) {
  const encoding = name.split(",")[0] ?? name
  const send =
    (bytes: Uint8Array): RequestListener =>
    (_request, response) =>
      response.writeHead(200, { "content-encoding": encoding }).end(encode(bytes))

  test(`fetch() decodes ${name}, up to 1 MiB and no more`, async (t) => {
    assert.equal(await fetchOnce(t, send(Buffer.from("kez"))), "kez")
    const largest = Buffer.alloc(fetchLimits.maxBodyBytes, "k")
    assert.equal((await fetchOnce(t, send(largest))).length, largest.length)
    await assert.rejects(fetchOnce(t, send(Buffer.alloc(largest.length + 1, "k"))), { code: "limit.body" })
  })

  test(`N13 a ${name} bomb is refused with limit.body, in little memory`, async (t) => {
    const bomb = encode(Buffer.alloc(100 * 1024 * 1024))
    const before = process.memoryUsage.rss()
    const sendBomb: RequestListener = (_request, response) => {
      response.writeHead(200, { "content-encoding": encoding }).end(bomb)
    }
    await assert.rejects(fetchOnce(t, sendBomb), { code: "limit.body" })
    const grown = process.memoryUsage.rss() - before
    assert.ok(grown < 32 * 1024 * 1024, `${grown} bytes`)
  })

  test(`N13 a damaged ${name} stream is refused with net.http`, async (t) => {
    const whole = encode(Buffer.from("kez ".repeat(100)))
    const cut: RequestListener = (_request, response) => {
      response.writeHead(200, { "content-encoding": encoding }).end(whole.subarray(0, -5))
    }
    await assert.rejects(fetchOnce(t, cut), { code: "net.http" })
  })
}

test("N13 several or unknown encodings are refused with net.http", async (t) => {
  for (const encoding of ["gzip, gzip", "zstd", "compress"]) {
    const send: RequestListener = (_request, response) => {
      response.writeHead(200, { "content-encoding": encoding }).end(gzipSync(gzipSync("kez")))
    }
    await assert.rejects(fetchOnce(t, send), { code: "net.http" }, encoding)
  }
})

test("N14 N20 N21 endless bodies, lines and announced gigabytes are refused with limit.body at 256 KiB", async (t) => {
  let sent = 0
  const endless: RequestListener = (_request, response) => {
    const chunk = Buffer.alloc(16_384, "k")
    const send = () => {
      while (!response.destroyed) {
        sent += chunk.length
        if (!response.write(chunk)) return
      }
    }
    response.on("drain", send)
    send()
  }
  await assert.rejects(fetchOnce(t, endless), { code: "limit.body" })
  // What lies in socket buffers was sent too, but nothing like a gigabyte.
  assert.ok(sent < 32 * 1024 * 1024, `${sent} bytes sent`)
  const announced: RequestListener = (_request, response) => {
    response.writeHead(200, { "content-length": String(2 ** 30) }).write("k")
  }
  await assert.rejects(fetchOnce(t, announced), { code: "limit.body" })
})

test("P12 an error page that is too long is still that error, and no fault of the person", async (t) => {
  for (const status of [404, 429, 503]) {
    const server = await startHttpServer((_request, response) => {
      response.writeHead(status, { "content-type": "text/html" }).end(Buffer.alloc(400_000, "k"))
    })
    t.after(() => server.close())
    const answer = await createTestFetch(server.origin)(page)
    assert.equal(answer.status, status)
    assert.equal(answer.body.length, 0)
    await server.allClosed()
  }
})

test("N16 a page in the place of a document is refused with net.content_type, however long it is", async (t) => {
  const endless: RequestListener = (_request, response) => {
    response.writeHead(200, { "content-type": "text/html", "content-length": String(2 ** 30) }).write("k")
  }
  await assert.rejects(fetchOnce(t, endless, { accept: ["application/json"] }), { code: "net.content_type" })
})

test("N20 a chain of a gigabyte, announced or endless, is refused with limit.body at 8 MiB", async (t) => {
  const caps = { maxWireBytes: limits.maxChainBytes, maxBodyBytes: limits.maxChainBytes }
  const announced: RequestListener = (_request, response) => {
    response.writeHead(200, { "content-length": String(2 ** 30) }).write("k")
  }
  await assert.rejects(fetchOnce(t, announced, caps), { code: "limit.body" })
  let sent = 0
  const endless: RequestListener = (_request, response) => {
    const chunk = Buffer.alloc(65_536, "k")
    const send = () => {
      while (!response.destroyed) {
        sent += chunk.length
        if (!response.write(chunk)) return
      }
    }
    response.on("drain", send)
    send()
  }
  await assert.rejects(fetchOnce(t, endless, caps), { code: "limit.body" })
  assert.ok(sent < 64 * 1024 * 1024, `${sent} bytes sent`)
})

test("N7 N13 N14 N19 the limits of a fetch are those of the specification unless a test says otherwise", () => {
  assert.deepEqual(fetchLimits, {
    totalMs: 10_000,
    idleMs: 3_000,
    maxRedirects: 3,
    maxHeaderBytes: 32_768,
    maxWireBytes: 262_144,
    maxBodyBytes: 1_048_576,
    maxRequestsPerHost: 2,
    maxQueuedPerHost: 64,
  })
})

test("fetch() takes 256 KiB on the wire, and more where the caller allows it", async (t) => {
  const sized =
    (bytes: number): RequestListener =>
    (_request, response) =>
      response.write(Buffer.alloc(bytes, "k"), () => response.end())
  assert.equal((await fetchOnce(t, sized(262_144))).length, 262_144)
  await assert.rejects(fetchOnce(t, sized(262_145)), { code: "limit.body" })
  const more = { maxWireBytes: 400_000, maxBodyBytes: 300_000 }
  assert.equal((await fetchOnce(t, sized(300_000), more)).length, 300_000)
  await assert.rejects(fetchOnce(t, sized(300_001), more), { code: "limit.body" })
})

const brokenAnswers: readonly (readonly [title: string, bytes: string])[] = [
  ["two Content-Length", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nkezz"],
  ["Content-Length with chunks", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"],
  ["a header flood of 1 MB", `HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(170_000)}\r\n`],
  ["one header of 1 MB", `HTTP/1.1 200 OK\r\nx: ${"y".repeat(1_000_000)}\r\n\r\n`],
  ["a Location with a control character", "HTTP/1.1 302 Found\r\nlocation: /a\tb\r\n\r\n"],
  ["a Location with bytes outside ASCII", "HTTP/1.1 302 Found\r\nlocation: /\xe9\r\n\r\n"],
  ["a redirect without Location", "HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n"],
  ["a NUL in a header", "HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n"],
  ["a body shorter than announced", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nkez"],
  ["chunks without an end", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nkez\r\n"],
  ["no HTTP", "SSH-2.0-OpenSSH_9.9\r\n"],
  ["nothing", ""],
  ["a change of protocol", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"],
]

for (const [title, bytes] of brokenAnswers) {
  test(`N12 ${title} is refused with net.http`, async (t) => {
    await assert.rejects(fetchRaw(t, bytes), { code: "net.http" })
  })
}

test("N16 a 200 of another type, or of none, is refused with net.content_type; other statuses keep theirs", async (t) => {
  const send: RequestListener = (request, response) => {
    const [, status, type] = (request.url ?? "").split("/")
    if (type) response.setHeader("content-type", decodeURIComponent(type))
    response.writeHead(Number(status)).end("<html>")
  }
  const server = await startHttpServer(send)
  t.after(() => server.close())
  const fetch = createTestFetch(server.origin)
  const accept = ["application/json", "application/activity+json"]
  const look = (path: string) => fetch(`https://a.example/${path}`, { accept })
  await assert.rejects(look("200/text%2Fhtml"), { code: "net.content_type" })
  await assert.rejects(look("200"), { code: "net.content_type" })
  await assert.rejects(look("200/application%2Fjsonp"), { code: "net.content_type" })
  assert.equal((await look("200/Application%2FJSON;%20charset=utf-8")).status, 200)
  assert.equal((await look("200/application%2Factivity+json")).status, 200)
  assert.equal((await look("404/text%2Fhtml")).status, 404)
})

async function fetchTls(t: TestContext, certificate: Certificate, ca?: string) {
  let requests = 0
  const server = await startHttpsServer(certificate, (_request, response) => {
    requests += 1
    response.end("kez")
  })
  t.after(() => server.close())
  const look = createTestFetch(server.origin, ca)(page)
  return { look, requests: () => requests, origin: server.origin }
}

const skip = openSslMissing

test("N11 a certificate for the host of a trusted authority is accepted", { skip }, async (t) => {
  const certificate = createCertificate(["DNS:localhost"])
  const { look } = await fetchTls(t, certificate, certificate.cert)
  assert.equal((await look).status, 200)
})

test("N11 self-signed, expired and misnamed certificates are net.tls, and no request is sent", { skip }, async (t) => {
  const good = createCertificate(["DNS:localhost"])
  const expired = createCertificate(["DNS:localhost"], -1)
  const misnamed = createCertificate(["DNS:other.example"])
  for (const [certificate, ca] of [
    [good, undefined],
    [expired, expired.cert],
    [misnamed, misnamed.cert],
    [good, misnamed.cert],
  ] as const) {
    const { look, requests } = await fetchTls(t, certificate, ca)
    await assert.rejects(look, { code: "net.tls" })
    assert.equal(requests(), 0)
  }
})

test("N11 NODE_TLS_REJECT_UNAUTHORIZED does not switch the check off", { skip }, async (t) => {
  const { look, origin, requests } = await fetchTls(t, createCertificate(["DNS:localhost"]))
  await assert.rejects(look, { code: "net.tls" })
  const program = `
    import { createFetch } from "@kez/channels"
    const resolver = { resolveAddresses: async () => ({ status: "no_name", addresses: [] }) }
    const fetch = createFetch({ resolver, now: () => 0, hosts: { "a.example": ${JSON.stringify(origin)} } })
    const code = await fetch("https://a.example/").then(() => "accepted", (error) => error.code)
    process.stdout.write(code)
  `
  const args = ["--input-type=module", "--eval", program]
  const environment = { NODE_TLS_REJECT_UNAUTHORIZED: "0" }
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: import.meta.dirname, env: environment })
  assert.equal(stdout, "net.tls")
  assert.equal(requests(), 0)
})

test("N11 a server that speaks no TLS is net.tls", async (t) => {
  const server = await startRawServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"), "https")
  t.after(() => server.close())
  await assert.rejects(createTestFetch(server.origin)(page), { code: "net.tls" })
})
