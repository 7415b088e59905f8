/** `kez` and the real kez-sig-server: what one publishes the other checks, serves and tells, on two stores of which one mirrors. SPEC §6, §8 */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { test } from "node:test"
import { makePerson, type Person } from "../support/person.ts"
import { startSigServer } from "../support/sig-server.ts"

const main = join(import.meta.dirname, "../../apps/cli/src/main.ts")
const domain = "dns:mira.dev"

async function ok(person: Person, ...args: readonly string[]) {
  const answer = await person.json(args)
  assert.equal(answer.code, 0, JSON.stringify(answer))
  return answer.data
}

test("publish, verify, watch and revoke work with a real store, and with one that mirrors it", async (t) => {
  const first = await startSigServer(t)
  const second = await startSigServer(t, { args: ["--mirror", first.url] })
  const owner = await makePerson(t, { holds: "ed25519", stores: [first.url] })
  const claim = owner.file("claim.md", "")
  await ok(owner, "claim", "create", domain, "--out", claim, "--force")
  await ok(owner, "sigchain", "add", domain)
  const published = await ok(owner, "sigchain", "publish")
  assert.deepEqual([published.places[0].state, published.places[0].sent], ["whole", 1], JSON.stringify(published))
  assert.ok(published.places[0].head_until)

  const reader = await makePerson(t, { stores: [first.url] })
  const seen = await reader.json(["verify", "file", claim, "--fresh"])
  assert.deepEqual([seen.code, seen.data.status, seen.data.chain.head.seq], [0, "valid", 0], JSON.stringify(seen))

  const env = { PATH: process.env["PATH"], KEZ_HOME: reader.home, HOME: reader.dir, NO_COLOR: "1", TZ: "UTC" }
  const args = [main, "sigchain", "watch", owner.key, "--json"]
  const watching = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "ignore"] })
  t.after(() => void watching.kill("SIGKILL"))
  const lines = createInterface(watching.stdout)[Symbol.asyncIterator]()
  assert.equal(JSON.parse(String((await lines.next()).value)).data.events.length, 0)

  await ok(owner, "sigchain", "revoke", domain)
  await ok(owner, "sigchain", "publish")
  const change = JSON.parse(String((await lines.next()).value))
  assert.equal(change.data.events.length, 1, JSON.stringify(change))

  // A reader who never saw the first store learns of the revocation from the mirror.
  const other = await makePerson(t, { stores: [second.url] })
  for (let tries = 0; tries < 40; tries++) {
    const { code, data } = await other.json(["verify", "file", claim])
    if (data?.status === "revoked") return assert.equal(code, 11)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  assert.fail("the mirror never had it")
})
