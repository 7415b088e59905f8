/** D-13 Two kez-sig-server, one follows the other: either may be killed, and nothing is lost or there twice. SPEC §8 */
import assert from "node:assert/strict"
import { test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { envelopeDigest, formatChain, formatEnvelope, type SigchainEvent } from "../../packages/core/src/index.ts"
import { add, addDevice, headOf } from "../../packages/core/test/support/chains.ts"
import { keyNamed } from "../../packages/core/test/support/keys.ts"
import { type SigServer, startSigServer } from "../support/sig-server.ts"

const unlimited = ["chain", "ip", "genesis"].flatMap((name) => [`--${name}-burst`, "0"])

function post(server: SigServer, path: string, body: string): Promise<Response> {
  return fetch(`${server.url}/v1/chains/${path}`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json" },
  })
}

/** Chains side by side, each on its own key. */
function makeChains(count: number, length: number): readonly (readonly SigchainEvent[])[] {
  return Array.from({ length: count }, (_, c) => {
    const owner = keyNamed(`mirrored ${c}`)
    const events: SigchainEvent[] = []
    for (let i = 0; i < length; i++) events.push(add(events.at(-1), `dns:n${i}.example`, owner))
    return events
  })
}

const idOf = ([first]: readonly SigchainEvent[]): string => envelopeDigest(first ?? assert.fail())

/** Posts until it is acknowledged: a store that was killed answers again later. */
async function insist(server: () => SigServer, id: string, event: SigchainEvent): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const answer = await post(server(), `${id}/events`, formatEnvelope(event)).catch(() => undefined)
    if (answer?.status === 201 || answer?.status === 200) return
    await sleep(25)
  }
  assert.fail("it was never acknowledged")
}

async function read(server: SigServer, path: string) {
  const answer = await fetch(`${server.url}${path}`)
  return { status: answer.status, etag: answer.headers.get("etag"), body: await answer.text() }
}

async function until(what: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000
  while (!(await what().catch(() => false))) {
    assert.ok(performance.now() < deadline, "it never happened")
    await sleep(25)
  }
}

/** Every line of the feed without its cursor. */
async function feedOf(server: SigServer): Promise<readonly string[]> {
  const lines: string[] = []
  for (let after = 0; ; ) {
    const { body } = await read(server, `/v1/events?after=${after}&limit=1000`)
    const page = body.split("\n").filter((line) => line !== "")
    if (page.length === 0) return lines.toSorted()
    lines.push(...page.map((line) => line.replace(/"cursor":\d+,/, "")))
    after = JSON.parse(page.at(-1) ?? "").cursor
  }
}

async function figure(server: SigServer, name: string): Promise<number> {
  const text = await (await fetch(`${server.metricsUrl}/metrics`)).text()
  const line = text.split("\n").find((one) => one.startsWith(`${name} `)) ?? assert.fail(`${name} is missing`)
  return Number(line.slice(name.length + 1))
}

test("D-13 either store is killed while it is written: every event arrives once, and readers see the same bytes", async (t) => {
  const chains = makeChains(12, 20)
  const first = await startSigServer(t, { args: unlimited })
  const again = () => startSigServer(t, { folder: first.folder, args: [...unlimited, "--port", String(first.port)] })
  let source = first
  const mirrorArgs = ["--mirror", source.url]
  const firstMirror = await startSigServer(t, { args: mirrorArgs })
  let mirror = firstMirror
  let acknowledged = 0
  const writing = Promise.all(
    chains.map(async (events) => {
      for (const event of events) {
        await insist(() => source, idOf(events), event)
        acknowledged++
      }
    }),
  )
  await until(async () => acknowledged > 60)
  await mirror.end("SIGKILL")
  mirror = await startSigServer(t, { folder: firstMirror.folder, args: mirrorArgs })
  await until(async () => acknowledged > 120)
  await source.end("SIGKILL")
  source = await again()
  await writing
  const wanted = await feedOf(source)
  assert.equal(wanted.length, chains.flat().length)
  await until(async () => (await feedOf(mirror)).length === wanted.length)
  // Once more, and the mirror has nothing to do.
  await mirror.end("SIGKILL")
  mirror = await startSigServer(t, { folder: firstMirror.folder, args: mirrorArgs })
  let lag = 0
  await until(async () => {
    const before = lag
    lag = await figure(mirror, "kez_sig_mirror_lag_seconds")
    return lag < before
  })
  assert.deepEqual(await feedOf(mirror), wanted)
  for (const events of chains) {
    const [here, there] = [
      await read(source, `/v1/chains/${idOf(events)}`),
      await read(mirror, `/v1/chains/${idOf(events)}`),
    ]
    assert.deepEqual(there, here)
    assert.equal(there.body, formatChain(events))
  }
  assert.ok((await figure(mirror, "kez_sig_mirror_lag_seconds")) < 10)
})

test("a mirror shows both branches of a fork, takes no posts, says why it cannot follow, and stops at once", async (t) => {
  const source = await startSigServer(t)
  const mirror = await startSigServer(t, { env: { KEZ_SIG_MIRROR: `${source.url}/` } })
  const owner = keyNamed("mirrored fork")
  const device = keyNamed("mirrored device")
  const genesis = addDevice(undefined, device, owner)
  const id = envelopeDigest(genesis)
  const rivals = ["a", "b"].map((name) => add(genesis, `dns:${name}.example`, device))
  for (const event of [genesis, ...rivals]) await post(source, `${id}/events`, formatEnvelope(event))
  await until(async () => (await feedOf(mirror)).length === 3)
  for (const path of [`/v1/chains/${id}`, `/v1/chains/${id}/forks`, `/v1/chains/${owner.key}/head`]) {
    assert.deepEqual(await read(mirror, path), await read(source, path))
  }
  const settled = add(genesis, "dns:c.example", owner)
  const head = headOf(genesis, { chain: id, by: owner })
  for (const [end, envelope] of [
    ["events", settled],
    ["heads", head],
  ] as const) {
    const refused = await post(mirror, `${id}/${end}`, formatEnvelope(envelope))
    const { code, status, detail } = JSON.parse(await refused.text())
    assert.deepEqual(
      [refused.status, status, code, refused.headers.get("allow")],
      [405, 405, "publish.refused", "GET, HEAD"],
    )
    assert.match(detail, /mirrors/)
  }
  assert.deepEqual([await read(mirror, `/v1/chains/${id}/forks`)], [await read(source, `/v1/chains/${id}/forks`)])
  await source.end("SIGKILL")
  await until(async () => mirror.log().some((line) => line.includes('"code":"net.refused"')))
  assert.equal((await read(mirror, `/v1/chains/${id}`)).status, 200)
  assert.equal((await figure(mirror, 'kez_sig_mirror_failures_total{code="net.refused"}')) > 0, true)
  // Counts and codes are all that a log may hold.
  assert.doesNotMatch(mirror.log().join("\n"), new RegExp(`${id}|${owner.key}|\\.example`))
  const began = performance.now()
  assert.equal(await mirror.end(), 0)
  assert.ok(performance.now() - began < 3_000)
})

test("a mirror with --mirror-posts takes what is posted, beside what it follows", async (t) => {
  const source = await startSigServer(t)
  const mirror = await startSigServer(t, { args: ["--mirror", source.url, "--mirror-posts", "true"] })
  const [ours = [], theirs = []] = makeChains(2, 1)
  assert.equal((await post(mirror, `${idOf(ours)}/events`, formatEnvelope(ours[0] ?? assert.fail()))).status, 201)
  assert.equal((await post(source, `${idOf(theirs)}/events`, formatEnvelope(theirs[0] ?? assert.fail()))).status, 201)
  await until(async () => (await feedOf(mirror)).length === 2)
  assert.equal((await feedOf(source)).length, 1)
})
