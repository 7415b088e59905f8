/** An owner gets the chain back from a thief of the primary who has burned the committed key. SPEC CHAIN-12, CHAIN-14, FORK-1 */
import assert from "node:assert/strict"
import { test } from "node:test"
import {
  appendEvent,
  type ChainReplay,
  commitmentTo,
  createSigner,
  envelopeDigest,
  formatChain,
  type Operation,
  parseChain,
  replayChain,
} from "@kez/core"
import { keyOfWords } from "../../apps/cli/src/keys/key-text.ts"
import { aboutWords, type Home, makeHome, zeroWords } from "./support/home.ts"

const safeWords = `${"zoo ".repeat(23)}vote`
const [main, safe] = [zeroWords, safeWords].map((words) => createSigner("ed25519", keyOfWords("ed25519", words).secret))
assert.ok(main !== undefined && safe !== undefined)
const thief = main

async function json(home: Home, ...args: readonly string[]) {
  const { code, stdout, stderr } = await home.run([...args, "--json"])
  assert.notEqual(stdout, "", stderr)
  return { code, ...JSON.parse(stdout) }
}

/** A home with main (in use), whose chain lists a domain, safe and phone. */
async function begun(): Promise<Home> {
  const home = makeHome()
  await home.make("main", { words: zeroWords })
  await home.make("safe", { words: safeWords })
  await home.make("phone", { words: aboutWords })
  await home.run(["identity", "use", "main"])
  assert.equal((await home.run(["sigchain", "add", "dns:example.org"])).code, 0)
  return home
}

async function chainOf(home: Home): Promise<ChainReplay> {
  return replayChain(parseChain((await home.run(["sigchain", "export"])).stdout))
}

/** Signs events with the stolen key by other software, and has the owner learn of them. */
async function forge(home: Home, from: ChainReplay, operations: readonly Operation[]): Promise<ChainReplay> {
  let chain = from
  for (const operation of operations) {
    chain = (await appendEvent({ chain, operation, now: 1_790_000_000 }, thief)).replay
  }
  const read = await home.run(["sigchain", "import", home.file("chain.jsonl", formatChain(chain.path))])
  assert.equal(read.code, 0, read.stderr)
  return chain
}

test("kez sigchain rotate recovers where a thief of the primary has revoked the committed key", async () => {
  await using home = await begun()
  assert.equal((await home.run(["sigchain", "set-next", "safe", "--yes"])).code, 0)
  const stolen = await forge(home, await chainOf(home), [
    { op: "revoke_device", keys: [safe.key] },
    { op: "add", subject: "github:mallory" },
  ])
  const burning = stolen.path[2]
  assert.ok(burning !== undefined)

  const rotated = await home.run(["sigchain", "rotate", "safe"])
  assert.equal(rotated.code, 0, rotated.stderr)
  assert.match(rotated.stdout, /rotate .*is event 2 of your chain/)
  assert.match(rotated.stderr, /event 2 revoked the key that you committed to: the rotation follows event 1 instead/)
  await forge(home, stolen, [{ op: "add", subject: "github:mallory2" }])
  const { data } = await json(home, "sigchain", "show")
  assert.deepEqual([data.status, data.contested, data.primary], ["ok", true, safe.key])
  assert.deepEqual(
    data.subjects.map(({ subject }: { subject: string }) => subject),
    ["dns:example.org"],
  )

  // The thief's revocation names the key that adds the next device.
  await home.run(["sigchain", "add-device", "phone"])
  assert.equal((await json(home, "sigchain", "show")).data.devices[0].suspended, true)
  const lifted = await json(home, "sigchain", "settle", "--lift", envelopeDigest(burning))
  assert.equal(lifted.code, 0, lifted.error?.message)
  assert.equal((await json(home, "sigchain", "show")).data.devices[0].suspended, false)
})

test("kez sigchain rotate goes back for no key that was burned before it was committed to", async () => {
  await using home = await begun()
  await home.run(["sigchain", "add-device", "safe"])
  await home.run(["sigchain", "revoke-device", "safe"])
  await forge(home, await chainOf(home), [{ op: "set_next", next: commitmentTo(safe.key) }])
  const refused = await json(home, "sigchain", "rotate", "safe")
  assert.deepEqual([refused.code, refused.error.code], [1, "chain.key_reuse"])
})
