/** kez-sig-server as a process: adversarial.md G1 to G12 as far as HTTP goes, streams, settings, start and stop. SPEC §8 */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { after, suite, test } from "node:test"
import { decodeEnvelope, envelopeDigest, formatChain, formatEnvelope, parseChain, type SigchainEvent } from "@kez/core"
import { add, addDevice, revoke } from "../../packages/core/test/support/chains.ts"
import { keyNamed } from "../../packages/core/test/support/keys.ts"
import type { Cleaner } from "../support/person.ts"
import { openSocket, sendRaw } from "../support/raw-http.ts"
import { runSigServer, type SigServer, startSigServer } from "../support/sig-server.ts"
import { readEvents } from "../support/sse.ts"

const cleaner: Cleaner = { after: (clean) => after(clean) }
const unlimited = ["chain", "ip", "genesis"].flatMap((name) => [`--${name}-burst`, "0"])

/** A chain of its own for each test. */
function makeChain(name: string) {
  const owner = keyNamed(`sig ${name}`)
  const device = keyNamed(`sig ${name} device`)
  const genesis = addDevice(undefined, device, owner)
  return { owner, device, genesis, id: envelopeDigest(genesis) }
}

function post(server: SigServer, path: string, body: string, headers: Readonly<Record<string, string>> = {}) {
  return fetch(`${server.url}${path}`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
  })
}

const json = async (answer: Response): Promise<ReturnType<typeof JSON.parse>> => JSON.parse(await answer.text())

const append = (server: SigServer, id: string, event: SigchainEvent) =>
  post(server, `/v1/chains/${id}/events`, formatEnvelope(event))

async function fill(server: SigServer, id: string, ...events: readonly SigchainEvent[]): Promise<void> {
  for (const event of events) assert.equal((await append(server, id, event)).status, 201)
}

const server = await startSigServer(cleaner, { args: unlimited })

suite("one store", () => {
  test("G1 to G3: forged 422, gap 409 with the end, again 200; what is stored is served byte for byte", async () => {
    const { owner, genesis, id } = makeChain("g1")
    const second = add(genesis, "dns:a.example", owner)
    await fill(server, id, genesis, second)
    const forged = formatEnvelope(second).replace(/"sig":"[0-9a-f]{8}/, '"sig":"00000000')
    const refused = await post(server, `/v1/chains/${id}/events`, forged)
    assert.equal(refused.status, 422)
    assert.equal((await json(refused)).code, "signature.invalid")
    const third = add(second, "dns:b.example", owner)
    const gap = await append(server, id, add(third, "dns:c.example", owner))
    assert.equal(gap.status, 409)
    const problem = await json(gap)
    assert.deepEqual([problem.code, problem.head.seq], ["chain.gap", 1])
    assert.equal((await append(server, id, second)).status, 200)
    for (const name of [id, owner.key]) {
      const answer = await fetch(`${server.url}/v1/chains/${name}`)
      assert.equal(await answer.text(), formatChain([genesis, second]))
      assert.equal(answer.headers.get("etag"), `"${envelopeDigest(second)}"`)
    }
  })

  test("the fast way and the framework answer alike, byte for byte", async () => {
    const { owner, genesis, id } = makeChain("alike")
    await fill(server, id, genesis, add(genesis, "dns:a.example", owner))
    const read = async (path: string) => {
      const answer = await fetch(`${server.url}${path}`)
      const headers = [...answer.headers].filter(([name]) => name !== "date" && name !== "x-request-id")
      return { status: answer.status, headers, body: await answer.text() }
    }
    // The second read of a name is another one than the first: it asks nobody.
    for (const name of [id, id, owner.key, owner.key]) {
      assert.deepEqual(await read(`/v1/chains/${name}`), await read(`/v1/chains/${name}?`))
    }
    // Who gives the request a name gets it back: from the framework.
    const named = await fetch(`${server.url}/v1/chains/${id}`, { headers: { "X-Request-ID": "mine" } })
    assert.equal(named.headers.get("x-request-id"), "mine")
    for (const name of [`sha256:${"0".repeat(64)}`, `sha256:${"x".repeat(64)}`, `nostr:npub1${"q".repeat(58)}`]) {
      assert.deepEqual(await read(`/v1/chains/${name}`), await read(`/v1/chains/${name}?`))
    }
  })

  test("a read sees every acknowledged write at once, a second chain of the primary too", async () => {
    const { owner, genesis, id } = makeChain("fresh")
    await fill(server, id, genesis)
    let last: SigchainEvent = genesis
    for (let i = 0; i < 20; i++) {
      last = add(last, `dns:n${i}.example`, owner)
      await fill(server, id, last)
      for (const name of [id, owner.key]) {
        const answer = await fetch(`${server.url}/v1/chains/${name}`)
        assert.equal(answer.headers.get("etag"), `"${envelopeDigest(last)}"`)
        await answer.body?.cancel()
      }
    }
    const other = add(undefined, "dns:other.example", owner)
    await fill(server, envelopeDigest(other), other)
    const answer = await fetch(`${server.url}/v1/chains/${owner.key}`)
    assert.equal(answer.status, 409)
    assert.deepEqual((await json(answer)).chains, [id, envelopeDigest(other)].sort())
  })

  test("G8 100 parallel appends to one chain: the evidence is kept, and every answer is true", async () => {
    const { owner, device, genesis, id } = makeChain("g8")
    await fill(server, id, genesis)
    const rivals = Array.from({ length: 100 }, (_, i) => add(genesis, `dns:rival${i}.example`, device))
    const answers = await Promise.all(rivals.map((rival) => append(server, id, rival)))
    const statuses = answers.map(({ status }) => status)
    assert.equal(statuses.filter((status) => status === 201).length, 1)
    assert.ok(
      statuses.every((status) => status === 201 || status === 409 || status === 422),
      `${statuses}`,
    )
    const kept = rivals.filter((_, i) => statuses[i] === 201)
    for (const [i, answer] of answers.entries()) {
      if (answer.status === 409 && (await json(answer)).kept === true) kept.push(rivals[i] ?? genesis)
    }
    const forks = await (await fetch(`${server.url}/v1/chains/${id}/forks`)).text()
    assert.deepEqual(forks.trimEnd().split("\n").sort(), kept.map(formatEnvelope).sort())
    // Whoever owns the chain ends it with one event.
    await fill(server, id, add(genesis, "dns:owner.example", owner))
    assert.equal((await json(await fetch(`${server.url}/v1/chains/${id}/head`))).status, "ok")
  })

  test("100 appends one after the other from 100 connections: one winner for each seq", async () => {
    const { owner, genesis, id } = makeChain("race")
    await fill(server, id, genesis)
    const next = add(genesis, "dns:same.example", owner)
    const answers = await Promise.all(Array.from({ length: 100 }, () => append(server, id, next)))
    const statuses = answers.map(({ status }) => status)
    assert.equal(statuses.filter((status) => status === 201).length, 1)
    assert.equal(statuses.filter((status) => status === 200).length, 99)
  })

  test("G9 bad names are 400, sent as they are", async () => {
    for (const name of ["..%2f..%2fetc%2fpasswd", "%00", "'--", "x".repeat(10_240), "%zz", "%c0%ae"]) {
      const { status } = await sendRaw(
        server.port,
        `GET /v1/chains/${name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      )
      assert.equal(status, 400, name)
    }
    const { status } = await sendRaw(server.port, `GET /v1/chains/${"x".repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`)
    assert.equal(status, 431)
  })

  const smuggled = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
  const shapes = [
    ["two transfer codings", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", `0\r\n\r\n${smuggled}`],
    ["the same coding twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${smuggled}`],
    ["a length and a coding", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${smuggled}`],
    ["two lengths", "Content-Length: 4\r\nContent-Length: 5\r\n", `{}{}${smuggled}`],
    ["a coding that is hidden", "Transfer-Encoding : chunked\r\n", `0\r\n\r\n${smuggled}`],
    ["another coding", "Transfer-Encoding: xchunked\r\n", `0\r\n\r\n${smuggled}`],
    ["chunked that is not last", "Transfer-Encoding: chunked, gzip\r\n", `0\r\n\r\n${smuggled}`],
    ["a folded header", "Content-Length:\r\n 4\r\nX: a\r\n b\r\n", `{}{}${smuggled}`],
    ["a length that is no number", "Content-Length: +4\r\n", `{}{}${smuggled}`],
    ["a chunk size that is no number", "Transfer-Encoding: chunked\r\n", `0x2\r\n{}\r\n0\r\n\r\n${smuggled}`],
    ["a bare LF in the headers", "X: a\nContent-Length: 4\r\n", `{}{}${smuggled}`],
  ] as const

  for (const [what, headers, rest] of shapes) {
    test(`G11 ${what}: 400, and nothing after it is read`, async () => {
      const head = `POST /v1/chains/sha256:${"0".repeat(64)}/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`
      const { status, text, isClosed } = await sendRaw(server.port, `${head}${headers}\r\n${rest}`)
      assert.equal(status, 400, text)
      assert.equal(isClosed, true, text)
      assert.equal(text.split("HTTP/1.1 ").length - 1, 1, text)
    })
  }

  test("a request without Host, of no HTTP, or of another version is refused", async () => {
    for (const bytes of [
      "GET /livez HTTP/1.1\r\n\r\n",
      "hello\r\n\r\n",
      "\u0016\u0003\u0001\u0002\u0000\u0001",
      "GET /livez HTTP/9.9\r\n\r\n",
    ]) {
      const { status, isClosed } = await sendRaw(server.port, bytes)
      assert.ok(status === 400 || status === 505, `${status}`)
      assert.equal(isClosed, true)
    }
  })

  test("a revocation reaches a reader of the stream at once; Last-Event-ID resumes", async () => {
    const { owner, genesis, id } = makeChain("stream")
    await fill(server, id, genesis)
    const stream = await readEvents(`${server.url}/v1/chains/${owner.key}/stream`)
    assert.equal(stream.status, 200)
    assert.equal(stream.headers.get("content-type"), "text/event-stream")
    assert.equal(stream.headers.get("access-control-allow-origin"), "*")
    assert.equal((await stream.next())?.data.seq, 0)
    const revocation = revoke(genesis, "dns:gone.example", owner)
    const began = performance.now()
    await fill(server, id, revocation)
    const told = await stream.next()
    assert.ok(performance.now() - began < 1_000)
    assert.deepEqual([told?.event, told?.data.seq, told?.data.digest], ["head", 1, envelopeDigest(revocation)])
    const [sent] = told?.data.events ?? []
    assert.equal(formatEnvelope(decodeEnvelope(JSON.stringify(sent), "sigchain_event")), formatEnvelope(revocation))
    stream.close()
    const again = await readEvents(`${server.url}/v1/chains/${id}/stream`, { "last-event-id": "0" })
    assert.deepEqual((await again.next())?.data.events, [sent])
    again.close()
    const wrong = await readEvents(`${server.url}/v1/chains/${id}/stream`, { "last-event-id": "x" })
    assert.equal(wrong.status, 400)
  })

  test("streams of one address are bounded, and a reader that leaves makes room", async () => {
    const { genesis, id } = makeChain("many streams")
    await fill(server, id, genesis)
    const streams = await Promise.all(
      Array.from({ length: 20 }, () => readEvents(`${server.url}/v1/chains/${id}/stream`)),
    )
    assert.deepEqual([...new Set(streams.map(({ status }) => status))], [200])
    const refused = await fetch(`${server.url}/v1/chains/${id}/stream`)
    assert.deepEqual([refused.status, refused.headers.get("retry-after")], [429, "60"])
    for (const stream of streams) stream.close()
    for (let i = 0; i < 100; i++) {
      const next = await readEvents(`${server.url}/v1/chains/${id}/stream`)
      next.close()
      if (next.status === 200) return
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    assert.fail("no room again")
  })

  test("the feed gives every event with a cursor, from which a mirror goes on", async () => {
    const { owner, genesis, id } = makeChain("feed")
    const before = (await readFeed(server, 0)).at(-1)?.cursor ?? 0
    const second = add(genesis, "dns:a.example", owner)
    await fill(server, id, genesis, second)
    const lines = await readFeed(server, before)
    assert.deepEqual(
      lines.map(({ chain, event }) => [chain, event.payload.seq]),
      [
        [id, 0],
        [id, 1],
      ],
    )
  })

  test("metrics are served on loopback only, and count", async () => {
    assert.equal((await fetch(`${server.url}/metrics`)).status, 404)
    const answer = await fetch(`${server.metricsUrl}/metrics`)
    assert.match(
      await answer.text(),
      /^kez_sig_http_requests_total\{method="GET",route="\/v1\/chains\/:id",status="200"\} [1-9]/m,
    )
    assert.equal((await fetch(`${server.metricsUrl}/`)).status, 404)
  })

  test("the log names no chain, key or address", () => {
    const log = server.log().join("\n")
    assert.doesNotMatch(log.replaceAll(/"(?:at|metricsAt)":"[^"]*"/g, ""), /[0-9a-f]{64}|npub1|127\.0\.0\.1/)
  })

  test("healthcheck is 0 for a store that is ready", async () => {
    const { code, stdout } = await runSigServer(["healthcheck", "--port", String(server.port)])
    assert.equal(code, 0)
    assert.equal(JSON.parse(stdout).status, "ok")
  })
})

async function readFeed(from: SigServer, after: number) {
  const text = await (await fetch(`${from.url}/v1/events?after=${after}&limit=1000`)).text()
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]))
}

test("slow requests are ended, and others are served meanwhile", async () => {
  // Held open with a byte now and then, none of them ever complete.
  const sockets = Array.from({ length: 50 }, () => openSocket(server.port))
  for (const socket of sockets) socket.write("GET /livez HTTP/1.1\r\nHost: x\r\n")
  const timer = setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write("X: y\r\n")
  }, 500)
  const closed = sockets.map((socket) => new Promise((resolve) => socket.once("close", resolve)))
  assert.equal((await fetch(`${server.url}/livez`)).status, 200)
  await Promise.all(closed)
  clearInterval(timer)
})

test("connections beyond the limit are dropped, and there is room again afterwards", async (t) => {
  const small = await startSigServer(t, { args: ["--max-connections", "5"] })
  const sockets = Array.from({ length: 5 }, () => openSocket(small.port))
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once("connect", resolve))))
  await assert.rejects(fetch(`${small.url}/livez`))
  for (const socket of sockets) socket.destroy()
  for (let i = 0; i < 100; i++) {
    const answer = await fetch(`${small.url}/livez`).catch(() => undefined)
    if (answer?.status === 200) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.fail("no room again")
})

test("SIGTERM: not ready at first, streams end, a request under way is finished, exit 0, nothing is lost", async (t) => {
  const { owner, genesis, id } = makeChain("stop")
  const first = await startSigServer(t, { args: ["--drain-seconds", "1"] })
  await fill(first, id, genesis)
  const stream = await readEvents(`${first.url}/v1/chains/${id}/stream`)
  await stream.next()
  const second = formatEnvelope(add(genesis, "dns:a.example", owner))
  const socket = openSocket(first.port)
  const head = `POST /v1/chains/${id}/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${second.length}\r\n\r\n`
  socket.write(head + second.slice(0, 100))
  const answer = new Promise<string>((resolve) => socket.once("data", (bytes) => resolve(bytes.toString())))
  await fetch(`${first.url}/livez`)
  const ended = first.end("SIGTERM")
  await new Promise((resolve) => setTimeout(resolve, 200))
  assert.equal((await fetch(`${first.url}/readyz`)).status, 503)
  assert.equal((await fetch(`${first.url}/livez`)).status, 200)
  assert.equal(await stream.next(), undefined)
  socket.write(second.slice(100))
  assert.match(await answer, /^HTTP\/1\.1 201 /)
  assert.equal(await ended, 0)
  const again = await startSigServer(t, { folder: first.folder })
  const document = await (await fetch(`${again.url}/v1/chains/${id}`)).text()
  assert.equal(parseChain(document).length, 2)
})

test("a second signal ends it at once", async (t) => {
  const stuck = await startSigServer(t, { args: ["--drain-seconds", "60"] })
  const ended = stuck.end("SIGTERM")
  await new Promise((resolve) => setTimeout(resolve, 300))
  const began = performance.now()
  stuck.child.kill("SIGTERM")
  assert.equal(await ended, 1)
  assert.ok(performance.now() - began < 2_000)
})

test("G7 with its quota used up it answers 507, goes on reading, and says so in /readyz", async (t) => {
  const small = await startSigServer(t, { args: [...unlimited, "--quota-mib", "1"] })
  const { genesis, id } = makeChain("quota")
  await fill(small, id, genesis)
  const statuses = new Set<number>()
  for (let round = 0; round < 60 && !statuses.has(507); round++) {
    const chains = Array.from({ length: 25 }, (_, i) => {
      const owner = keyNamed(`sig quota ${round} ${i}`)
      return add(undefined, "dns:full.example", owner, { subject_id: "x".repeat(500) })
    })
    for (const answer of await Promise.all(chains.map((event) => append(small, envelopeDigest(event), event)))) {
      statuses.add(answer.status)
      if (answer.status === 507) assert.equal((await json(answer)).code, "store.full")
    }
  }
  assert.deepEqual([...statuses].sort(), [201, 507])
  assert.equal((await fetch(`${small.url}/readyz`)).status, 503)
  const read = await fetch(`${small.url}/v1/chains/${id}`)
  assert.equal(await read.text(), formatChain([genesis]))
})

test("backup while it runs, restore into another store, and the chains are the same", async (t) => {
  const { owner, genesis, id } = makeChain("backup")
  const events = [genesis, add(genesis, "dns:a.example", owner)]
  const first = await startSigServer(t)
  await fill(first, id, ...events)
  const file = join(first.folder, "kez.backup")
  const data = join(first.folder, "data")
  const written = await runSigServer(["backup", "--to", file, "--data", data], { folder: first.folder })
  assert.deepEqual([written.code, written.stderr], [0, ""])
  const other = join(first.folder, "other")
  const restored = await runSigServer(["restore", "--from", file, "--data", other], { folder: first.folder })
  assert.deepEqual([restored.code, restored.stderr], [0, ""])
  const second = await startSigServer(t, { folder: first.folder, args: ["--data", other] })
  assert.equal(await (await fetch(`${second.url}/v1/chains/${id}`)).text(), formatChain(events))
  const twice = await runSigServer(["restore", "--from", file, "--data", other], { folder: first.folder })
  assert.deepEqual([twice.code, /store\.exists/.test(twice.stderr)], [1, true])
  const status = await runSigServer(["migrate", "status", "--data", other], { folder: first.folder })
  assert.match(status.stdout, /up to date/)
  assert.ok(readFileSync(file).length > 0)
})

test("a store that follows another has its events, serves them and tells its own readers", async (t) => {
  const { owner, genesis, id } = makeChain("mirror")
  const first = await startSigServer(t)
  await fill(first, id, genesis)
  const second = await startSigServer(t, { args: ["--mirror", first.url] })
  const seqAt = async () => {
    const answer = await fetch(`${second.url}/v1/chains/${id}/head`)
    return answer.status === 200 ? (await json(answer)).seq : undefined
  }
  for (let i = 0; i < 200 && (await seqAt()) !== 0; i++) await new Promise((resolve) => setTimeout(resolve, 50))
  const stream = await readEvents(`${second.url}/v1/chains/${id}/stream`)
  assert.equal((await stream.next())?.data.seq, 0)
  await fill(first, id, revoke(genesis, "dns:gone.example", owner))
  assert.equal((await stream.next())?.data.seq, 1)
  stream.close()
  // Readers hear of an event before the page that it came with is counted.
  let figures = ""
  for (let i = 0; i < 200 && !/mirrored_events_total\{result="stored"\} 2$/m.test(figures); i++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    figures = await (await fetch(`${second.metricsUrl}/metrics`)).text()
  }
  assert.match(figures, /^kez_sig_mirrored_events_total\{result="stored"\} 2$/m)
})

const usages = [
  [["srve"], /Did you mean serve\?/],
  [["--prot", "1"], /Did you mean --port\?/],
  [["--port", "x"], /--port/],
  [["--host", "0.0.0.0"], /KEZ_SIG_BASE_URL/],
  [["--check-config", "--host", "0.0.0.0"], /KEZ_SIG_BASE_URL/],
  [["backup"], /--to/],
] as const

for (const [args, told] of usages) {
  test(`${args.join(" ")} ends with 2 and says what to write`, async () => {
    const { code, stderr } = await runSigServer(args)
    assert.equal(code, 2)
    assert.match(stderr, told)
    assert.doesNotMatch(stderr, /\n {4}at /)
  })
}

test("--check-config is 0 for a right configuration, --print-config shows no secret", async () => {
  assert.equal((await runSigServer(["--check-config"])).code, 0)
  const env = { KEZ_SIG_DATABASE_URL: "postgres://kez:hunter2@db.example/kez" }
  const { code, stdout } = await runSigServer(["--print-config"], { env })
  assert.equal(code, 0)
  assert.doesNotMatch(stdout, /hunter2/)
})

test("a port that is taken is an error in words, and the store is closed again", async () => {
  const { code, stderr } = await runSigServer(["--port", String(server.port), "--metrics-port", "0"])
  assert.equal(code, 1)
  assert.match(stderr, /something else listens there/)
})
