/** A domain proven, revoked, expired, lost and forged, with the real command and a real DNS server. SPEC §6, §7.1 */
import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { after, before, suite, test } from "node:test"
import { type Knot, startKnot } from "../../apps/cli/test/support/knot.ts"
import {
  appendEvent,
  type Claim,
  createSigner,
  decodeProof,
  encodeProof,
  formatChain,
  parseChain,
  replayChain,
  signClaim,
} from "../../packages/core/src/index.ts"
import { type RunResult, runKez } from "../support/cli.ts"
import { skipWithout } from "../support/servers.ts"

const zone = "kez-e2e.dev"
const day = 86_400

interface Person {
  readonly secret: Uint8Array
  readonly home: string
  /** Runs a command as this person; signing commands find the key in `seed`. */
  kez(args: readonly string[], input?: string): Promise<RunResult>
  readonly seed: readonly string[]
}

suite("a dns claim", { skip: skipWithout("knotd") }, () => {
  let knot: Knot
  let dir: string
  const zoneLines = new Map<string, string>()

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "kez-e2e-"))
    knot = await startKnot(zone)
  })
  after(async () => {
    await knot?.close()
    rmSync(dir, { recursive: true, force: true })
  })

  function person(name: string, fill: number): Person {
    const secret = new Uint8Array(32).fill(fill)
    const home = join(dir, name)
    const file = join(dir, `${name}.seed`)
    writeFileSync(file, Buffer.from(secret).toString("hex"), { mode: 0o600 })
    return {
      secret,
      home,
      kez: (args, input) => runKez(args, { env: { KEZ_HOME: home }, ...(input === undefined ? {} : { input }) }),
      seed: ["--ed25519-seed", `@${file}`],
    }
  }

  async function publish(domain: string, lines: string | undefined): Promise<void> {
    if (lines === undefined) zoneLines.delete(domain)
    else zoneLines.set(domain, lines)
    await knot.publish([...zoneLines.values()])
  }

  async function claimed(owner: Person, domain: string, ...more: readonly string[]): Promise<void> {
    const { code, stdout } = await owner.kez(["claim", "dns", domain, ...owner.seed, ...more])
    assert.equal(code, 0)
    await publish(domain, stdout)
  }

  /** The verdict that `reader` gets, and the exit code. */
  async function verify(reader: Person, domain: string, ...more: readonly string[]) {
    const args = ["verify", "id", `dns:${domain}`, "--resolver", knot.address, "--json", ...more]
    const { code, stdout } = await reader.kez(args)
    return { code, ...JSON.parse(stdout).data }
  }

  test("is proven when the printed lines stand in the zone as they are", async () => {
    const owner = person("proven", 1)
    const reader = person("proven-reader", 2)
    await claimed(owner, `one.${zone}`)
    const { code, status, primary, flags } = await verify(reader, `one.${zone}`)
    assert.deepEqual({ code, status, flags }, { code: 0, status: "valid", flags: ["no_chain"] })
    assert.equal(primary, createSigner("ed25519", owner.secret).key)
    const { stdout } = await reader.kez(["verify", "id", `dns:one.${zone}`, "--resolver", knot.address])
    assert.match(stdout, /^✓ dns:one\.kez-e2e\.dev {2}proven {2}by ed25519:/)
    assert.match(stdout, /not checked for revocation: no chain known/)
  })

  test("is proven from a long record of several strings with a hint beside it, whose silence matters", async () => {
    const owner = person("hinted", 3)
    await claimed(owner, `hint.${zone}`, "--chain-hint", `https://hint.${zone}/chain`)
    const { code, status, reason } = await verify(person("hinted-reader", 4), `hint.${zone}`)
    assert.deepEqual({ code, status, reason }, { code: 5, status: "unreachable", reason: "chain.unreachable" })
  })

  test("is revoked once the chain says so, and proven again by a new claim that the chain names", async () => {
    const owner = person("revoked", 5)
    const domain = `two.${zone}`
    await claimed(owner, domain)
    assert.equal((await owner.kez(["sigchain", "add", `dns:${domain}`, ...owner.seed])).code, 0)
    const listed = await verify(owner, domain)
    assert.deepEqual([listed.code, listed.flags], [0, []])
    assert.equal((await owner.kez(["sigchain", "revoke", `dns:${domain}`, ...owner.seed])).code, 0)
    const revoked = await verify(owner, domain)
    assert.deepEqual([revoked.code, revoked.status, revoked.reason], [11, "revoked", "claim.revoked"])
    // Another reader learns it from the chain alone.
    const chain = join(dir, "two.jsonl")
    const key = createSigner("ed25519", owner.secret).key
    assert.equal((await owner.kez(["sigchain", "export", key, "--out", chain])).code, 0)
    const reader = person("revoked-reader", 6)
    assert.equal((await verify(reader, domain, "--chain", chain)).code, 11)
    assert.equal((await verify(reader, domain)).code, 11, "what was seen once is not forgotten")
    await publish(domain, undefined)
    assert.equal((await verify(reader, domain, "--primary", key)).code, 11, "unpublished and revoked is revoked")

    await claimed(owner, domain)
    assert.equal((await verify(owner, domain)).code, 11, "a new claim alone does not undo a revocation")
    assert.equal((await owner.kez(["sigchain", "add", `dns:${domain}`, ...owner.seed])).code, 0)
    assert.equal(
      (await owner.kez(["claim", "dns", domain, "--json", ...owner.seed])).stdout.includes('"reused":true'),
      true,
    )
    assert.equal((await verify(owner, domain)).code, 0)
  })

  test("is expired after its time, unreachable while the server is down, and not found once it is gone", async () => {
    const owner = person("expired", 7)
    const domain = `three.${zone}`
    const now = Math.floor(Date.now() / 1000)
    const signer = createSigner("ed25519", owner.secret)
    const old = await signClaim({ subject: `dns:${domain}`, createdAt: now - 9 * day, expiresAt: now - day }, signer)
    await publish(domain, encodeProof(old, "dns"))
    const expired = await verify(owner, domain)
    assert.deepEqual([expired.code, expired.status, expired.last_proven], [12, "expired", null])

    await claimed(owner, domain, "--expires", "90d")
    assert.equal((await verify(owner, domain)).code, 0)
    await knot.stop()
    const down = await verify(owner, domain, "--timeout", "2")
    assert.deepEqual([down.code, down.status], [5, "unreachable"])
    assert.equal(down.last_proven.primary, signer.key)
    const text = await owner.kez(["verify", "id", `dns:${domain}`, "--resolver", knot.address, "--timeout", "2"])
    assert.match(text.stdout, /^◌ dns:three\.kez-e2e\.dev {2}can't reach/)
    assert.match(text.stdout, /last proven {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/)
    await knot.start()

    await publish(domain, undefined)
    const gone = await verify(owner, domain)
    assert.deepEqual([gone.code, gone.status, gone.reason], [14, "invalid", "proof.not_found"])
  })

  test("is invalid when one byte of what was signed is another, and when the text is damaged", async () => {
    const owner = person("changed", 8)
    const domain = `four.${zone}`
    await claimed(owner, domain)
    const printed = zoneLines.get(domain) ?? ""
    const proof = decodeProof(printed)
    assert.equal(proof.kind, "claim")
    const { claim } = proof as { claim: Claim }
    const created_at = claim.payload.created_at.replace(/\dZ$/, (end) => (end === "0Z" ? "1Z" : "0Z"))
    const { kez, signature } = claim
    await publish(domain, encodeProof({ kez, payload: { ...claim.payload, created_at }, signature }, "dns"))
    const forged = await verify(owner, domain)
    assert.deepEqual([forged.code, forged.status, forged.reason], [10, "invalid", "signature.invalid"])
    for (const at of [9, 40, 200]) {
      const text = printed.replace(/(kez:z1:)(.*)/s, (_, prefix: string, rest: string) => prefix + swapAt(rest, at))
      await publish(domain, text)
      const damaged = await verify(owner, domain)
      assert.deepEqual([damaged.code, damaged.status], [10, "invalid"], `${at}: ${damaged.reason}`)
    }
    const { code } = await verify(owner, domain, "--primary", `ed25519:${"ab".repeat(32)}`)
    assert.equal(code, 10)
  })

  test("shows a fork, and then that its owner has settled it", async () => {
    const owner = person("forked", 9)
    const domain = `five.${zone}`
    const signer = createSigner("ed25519", owner.secret)
    await claimed(owner, domain)
    await owner.kez(["sigchain", "add", `dns:${domain}`, ...owner.seed])
    const start = parseChain((await owner.kez(["sigchain", "export", signer.key])).stdout)
    await owner.kez(["sigchain", "add", "github:mine", ...owner.seed])
    const now = Math.floor(Date.now() / 1000)
    const stolen = { op: "revoke", subject: `dns:${domain}` } as const
    const { replay } = await appendEvent({ chain: replayChain(start), operation: stolen, now }, signer)
    const imported = await owner.kez(["sigchain", "import", "-", "--json"], formatChain(replay.path))
    assert.equal(imported.code, 0)
    assert.equal(JSON.parse(imported.stdout).data.status, "fork")
    assert.equal((await verify(owner, domain)).code, 13)
    assert.equal((await owner.kez(["sigchain", "add", "github:more", ...owner.seed])).code, 13)

    const shown = JSON.parse((await owner.kez(["sigchain", "settle", "--json", ...owner.seed])).stdout).data
    const mine = shown.splits[0].successors.find((branch: { digest: string }) => branch.digest !== replay.head.digest)
    const settled = await owner.kez(["sigchain", "settle", "--keep", mine.digest, ...owner.seed, "--json"])
    assert.equal(settled.code, 0, settled.stdout)
    const { code, flags } = await verify(owner, domain)
    assert.deepEqual({ code, flags }, { code: 0, flags: ["contested"] })
  })

  test("never goes back to an older history than one that was seen", async () => {
    const owner = person("rolled", 10)
    const reader = person("rolled-reader", 11)
    const domain = `six.${zone}`
    const { key } = createSigner("ed25519", owner.secret)
    const [old, full] = [join(dir, "old.jsonl"), join(dir, "full.jsonl")]
    await claimed(owner, domain)
    await owner.kez(["sigchain", "add", `dns:${domain}`, ...owner.seed])
    await owner.kez(["sigchain", "export", key, "--out", old])
    await owner.kez(["sigchain", "add", "github:mine", ...owner.seed])
    await owner.kez(["sigchain", "export", key, "--out", full])
    const first = await verify(reader, domain, "--chain", full)
    assert.deepEqual([first.code, first.chain.head.seq], [0, 1])
    const older = await verify(reader, domain, "--chain", old)
    assert.deepEqual([older.code, older.chain.head.seq], [0, 1], "the verdict comes from the chain held")
    assert.ok(older.flags.includes("rollback"))
    // The events are lost and the mark is not: as after a damaged disk.
    const store = new DatabaseSync(join(reader.home, "kez.db"))
    store.exec("DELETE FROM events WHERE seq = 1")
    store.close()
    const lost = await verify(reader, domain, "--chain", old)
    assert.deepEqual([lost.code, lost.status, lost.reason], [5, "unreachable", "chain.rollback"])
    assert.equal((await verify(reader, domain, "--chain", full)).code, 0)
    // An owner whose newest events are lost must not sign another history.
    const own = new DatabaseSync(join(owner.home, "kez.db"))
    own.exec("DELETE FROM events WHERE seq = 1")
    own.close()
    const refused = await owner.kez(["sigchain", "add", "github:more", ...owner.seed, "--json"])
    assert.deepEqual([refused.code, JSON.parse(refused.stdout).error.code], [5, "chain.rollback"])
    await owner.kez(["sigchain", "import", full])
    assert.equal((await owner.kez(["sigchain", "add", "github:more", ...owner.seed])).code, 0)
    assert.equal(readFileSync(full, "utf8").split("\n").length, 3)
  })
})

/** The text with another base64url character at a place. */
function swapAt(text: string, at: number): string {
  return text.slice(0, at) + (text.charAt(at) === "A" ? "B" : "A") + text.slice(at + 1)
}
