/** Whatever counts as plain, Node reads the same way: one request, of the same method, path and body, and nothing left. adversarial.md G11 */
import assert from "node:assert/strict"
import { createServer } from "node:http"
import { duplexPair } from "node:stream"
import { test } from "node:test"
import fc from "fast-check"
import { behindName, isChainName, isWholeBody, nameIn, postIn, readHeaders } from "../src/plain-request.ts"

const name = `sha256:${"0".repeat(64)}`
const body = '{"a":1}'
const next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"

/** What requests are taken apart for, and what makes two readers differ. */
const pieces = [
  ...[
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    " ",
    "\t",
    ":",
    ": ",
    "\0",
    "\u00a0",
    "\u00ff",
    "a",
    "{",
    ",",
    ";",
    "?",
    "/",
    "#",
    "%20",
  ],
  ...[
    "Content-Length: 7\r\n",
    "content-length:0\r\n",
    "Content-Length: 8\r\n",
    "Content-Length : 7\r\n",
    "Content-Length: 7 \r\n",
  ],
  ...["Transfer-Encoding: chunked\r\n", "transfer-encoding: identity\r\n", "Transfer-Encoding\t: chunked\r\n"],
  ...[
    "Connection: close\r\n",
    "Connection: keep-alive\r\n",
    "Connection: upgrade\r\n",
    "Upgrade: h2c\r\n",
    "Expect: 100-continue\r\n",
  ],
  ...[
    "Host: b\r\n",
    "host:\r\n",
    "X: a\r\n b\r\n",
    "X:\r\n",
    "X: a\rY: b\r\n",
    "X: a\nY: b\r\n",
    "Keep-Alive: 1\r\n",
    "TE: trailers\r\n",
  ],
  ...[
    "GET",
    "POST",
    "HEAD",
    "HTTP/1.0",
    "HTTP/1.1",
    "HTTP/1.1\r\n",
    "/events",
    name,
    "If-None-Match: *\r\n",
    "Range: bytes=0-1\r\n",
  ],
] as const

const read = ["GET ", "/v1/chains/", name, " HTTP/1.1\r\n", "Host: a\r\n", "Accept: */*\r\n", "\r\n"]
const post = [
  ...["POST ", "/v1/chains/", name, "/events", " HTTP/1.1\r\n", "Host: a\r\n", "Content-Type: application/json\r\n"],
  ...["Content-Length: 7\r\n", "\r\n", body],
]

interface Seen {
  readonly method: string
  readonly url: string
  readonly body: string
}

/** As the store takes it; undefined where it is left to Node. */
function plainly(request: Buffer): Seen | undefined {
  const text = request.toString("latin1")
  const found = nameIn(text)
  if (found !== undefined && isChainName(found)) {
    const headers = readHeaders(behindName(text, found))
    const isRead = headers !== undefined && headers.contentLength === undefined
    return isRead ? { method: "GET", url: `/v1/chains/${found}`, body: "" } : undefined
  }
  const posted = postIn(request)
  const headers = posted && readHeaders(posted.behind)
  if (!posted || !headers || !isWholeBody(headers, posted.body)) return undefined
  return { method: "POST", url: `/v1/chains/${posted.name}/events`, body: posted.body.toString("latin1") }
}

/** As Node does, all of it. */
function byNode(bytes: Buffer): Promise<readonly Seen[]> {
  return new Promise((resolve) => {
    const seen: Seen[] = []
    const [ours, theirs] = duplexPair()
    const server = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on("data", (part: Buffer) => parts.push(part))
      request.on("end", () => {
        const { method = "", url = "" } = request
        seen.push({ method, url, body: Buffer.concat(parts).toString("latin1") })
        response.end()
        if (url === "/next") resolve(seen)
      })
    })
    server.on("clientError", () => resolve([...seen, { method: "", url: "refused", body: "" }]))
    server.emit("connection", theirs)
    ours.resume().on("close", () => resolve(seen))
    ours.write(bytes)
  })
}

const change = fc.record({ at: fc.nat(), drops: fc.boolean(), puts: fc.option(fc.constantFrom(...pieces)) })

function changed(
  parts: readonly string[],
  changes: readonly { at: number; drops: boolean; puts: string | null }[],
): string {
  const now = [...parts]
  for (const { at, drops, puts } of changes) now.splice(at % (now.length + 1), drops ? 1 : 0, puts ?? "")
  return now.join("")
}

for (const [what, parts] of [
  ["read", read],
  ["post", post],
  // Each sign by itself, so that changes are within lines as well.
  ["read, sign by sign", read.flatMap((part) => (part === name ? [part] : [...part]))],
  ["post, sign by sign", post.flatMap((part) => (part === name ? [part] : [...part]))],
] as const) {
  test(`G11 a changed ${what} that still counts as plain is the same request to Node, and the next one follows it`, async () => {
    let plain = 0
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 4 }), async (changes) => {
        const request = Buffer.from(changed(parts, changes), "latin1")
        const seen = plainly(request)
        if (seen === undefined) return
        plain += 1
        const [first, second, ...more] = await byNode(Buffer.concat([request, Buffer.from(next)]))
        assert.deepEqual(first, seen)
        assert.equal(second?.url, "/next")
        assert.deepEqual(more, [])
      }),
      { numRuns: 5_000 },
    )
    assert.ok(plain > 100, `${plain} were plain`)
  })
}
