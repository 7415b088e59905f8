/** Several copies of kez-sig-server on one PostgreSQL: what is posted to one is read and told at the other. SPEC §8 */
import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { envelopeDigest, formatChain, formatEnvelope } from "@kez/core"
import { add, revoke } from "../../packages/core/test/support/chains.ts"
import { keyNamed } from "../../packages/core/test/support/keys.ts"
import { postgresMissing, query, startPostgres } from "../support/postgres.ts"
import { runSigServer, type SigServer, startSigServer } from "../support/sig-server.ts"
import { readEvents } from "../support/sse.ts"

const owner = keyNamed("copies owner")
const genesis = add(undefined, "dns:example.org", owner)
const id = envelopeDigest(genesis)

async function post(server: SigServer, event: typeof genesis): Promise<number> {
  const { status } = await fetch(`${server.url}/v1/chains/${id}/events`, {
    method: "POST",
    body: formatEnvelope(event),
    headers: { "content-type": "application/json" },
  })
  return status
}

test("D-6 a database that fails over and lacks its newest events: no copy serves what is lost, and streams begin anew", {
  skip: postgresMissing,
}, async (t) => {
  const postgres = await startPostgres()
  t.after(() => postgres.close())
  const url = await postgres.createDatabase()
  const server = await startSigServer(t, { env: { KEZ_SIG_DATABASE_URL: url } })
  const [lost, found] = ["lost", "found"].map((name) => add(genesis, `dns:${name}.example`, owner))
  assert.ok(lost !== undefined && found !== undefined)
  for (const event of [genesis, lost]) assert.equal(await post(server, event), 201)
  const stream = await readEvents(`${server.url}/v1/chains/${id}/stream`)
  assert.equal((await stream.next())?.data.digest, envelopeDigest(lost))
  const read = async () => (await fetch(`${server.url}/v1/chains/${id}`)).text()
  assert.equal(await read(), formatChain([genesis, lost]))
  // As after a failover: the newest event is not there, its owner has signed another, and every connection is gone.
  await query(
    url,
    `WITH gone AS (DELETE FROM kez_sig.events WHERE cursor = 2),
      chain AS (UPDATE kez_sig.chains SET size = 1) UPDATE kez_sig.totals SET last_cursor = 1, events = 1`,
  )
  const other = await startSigServer(t, { env: { KEZ_SIG_DATABASE_URL: url } })
  assert.equal(await post(other, found), 201)
  await query(
    url,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'kez-sig-server' AND pid <> pg_backend_pid()`,
  )
  const deadline = performance.now() + 10_000
  while ((await read()) !== formatChain([genesis, found])) {
    assert.ok(performance.now() < deadline, "it still serves what is lost")
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.equal(await stream.next(), undefined, "the stream has ended")
  const again = await readEvents(`${server.url}/v1/chains/${id}/stream`, {
    "last-event-id": `1-${envelopeDigest(lost)}`,
  })
  const { data } = (await again.next()) ?? assert.fail()
  assert.deepEqual([data.from, data.events?.length, data.digest], [0, 2, envelopeDigest(found)])
  again.close()
  // And what is written from now on is heard.
  const live = await readEvents(`${server.url}/v1/chains/${id}/stream`)
  await live.next()
  assert.equal(await post(other, add(found, "dns:next.example", owner)), 201)
  assert.equal((await live.next())?.data.seq, 2)
  live.close()
})

test("two copies serve one history, tell each other, and give each seq once", { skip: postgresMissing }, async (t) => {
  const postgres = await startPostgres()
  t.after(() => postgres.close())
  const env = { KEZ_SIG_DATABASE_URL: await postgres.createDatabase() }
  const [one, two] = await Promise.all([startSigServer(t, { env }), startSigServer(t, { env })])
  assert.equal(await post(one, genesis), 201)
  const stream = await readEvents(`${two.url}/v1/chains/${id}/stream`)
  assert.equal((await stream.next())?.data.seq, 0)
  const revocation = revoke(genesis, "dns:example.org", owner)
  assert.equal(await post(one, revocation), 201)
  assert.equal((await stream.next())?.data.seq, 1)
  stream.close()
  for (const server of [one, two]) {
    for (const name of [id, owner.key]) {
      assert.equal(await (await fetch(`${server.url}/v1/chains/${name}`)).text(), formatChain([genesis, revocation]))
    }
  }
  const next = add(revocation, "dns:next.example", owner)
  const statuses = await Promise.all(Array.from({ length: 40 }, (_, i) => post(i % 2 === 0 ? one : two, next)))
  assert.deepEqual([statuses.filter((status) => status === 201).length, new Set(statuses).size], [1, 2])

  const secret = join(one.folder, "database-url")
  writeFileSync(secret, `${env.KEZ_SIG_DATABASE_URL}\n`)
  const status = await runSigServer(["migrate", "status"], { env: { KEZ_SIG_DATABASE_URL_FILE: secret } })
  assert.deepEqual([status.code, /up to date/.test(status.stdout)], [0, true], status.stderr)
  const file = join(one.folder, "kez.backup")
  assert.equal((await runSigServer(["backup", "--to", file], { env })).code, 0)
  const restored = await runSigServer(["restore", "--from", file, "--data", join(one.folder, "new")])
  assert.deepEqual([restored.code, restored.stderr], [0, ""])
  await postgres.crash()
  const ready = await fetch(`${one.url}/readyz`)
  assert.equal(ready.status, 503)
  assert.equal((await fetch(`${one.url}/livez`)).status, 200)
})
