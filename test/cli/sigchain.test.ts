/** `kez sigchain` as people and scripts run it. */
import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, test } from "node:test"
import { runKez } from "../support/cli.ts"

const dir = mkdtempSync(join(tmpdir(), "kez-sigchain-"))
after(() => rmSync(dir, { recursive: true, force: true }))

/** A home with the identities alice (in use), laptop, phone, safe and tablet, stored without a passphrase. */
const names = ["alice", "laptop", "phone", "safe", "tablet"]
const home = join(dir, "home")
/** Public test words of BIP-39. */
const mnemonics = [
  "legal winner thank year wave sausage worth useful legal winner thank yellow",
  "letter advice cage absurd amount doctor acoustic avoid letter advice cage above",
  "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong",
  "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about",
  "jelly better achieve collect unaware mountain thought cargo oxygen act hood bridge",
]

const keys = new Map<string, string>()

function kez(...args: readonly string[]) {
  return runKez([...args, "--no-input"], { cwd: dir, env: { KEZ_HOME: home } })
}

async function data(...args: readonly string[]) {
  const { code, stdout } = await kez(...args, "--json")
  const answer = JSON.parse(stdout)
  assert.equal(answer.ok, true, stdout)
  return { code, ...answer.data }
}

async function errorOf(...args: readonly string[]) {
  const { code, stdout } = await kez(...args, "--json")
  return [code, JSON.parse(stdout).error?.code]
}

before(async () => {
  for (const [at, name] of names.entries()) {
    const input = mnemonics[at] ?? ""
    const made = await runKez(["identity", "restore", name, "--mnemonic", "-", "--no-passphrase", "--no-input"], {
      input,
      env: { KEZ_HOME: home },
    })
    assert.equal(made.code, 0, made.stderr)
    keys.set(name, (await kez("identity", "show", name, "--id")).stdout.trim())
  }
  await kez("identity", "use", "alice")
})

test("kez sigchain: the life of an identity", async (t) => {
  await t.test("without a chain there is nothing to show", async () => {
    assert.deepEqual(await errorOf("sigchain", "show"), [1, "chain.unknown"])
    assert.deepEqual(await errorOf("sigchain", "export"), [1, "chain.unknown"])
    assert.deepEqual(await errorOf("sigchain", "head"), [1, "chain.unknown"])
  })

  await t.test("add lists an account with the newest claim for it", async () => {
    const claim = await data("claim", "create", "github:alice")
    const added = await data("sigchain", "add", "github:alice", "--subject-id", "1234567")
    assert.equal(added.head.seq, 0)
    assert.deepEqual(added.events[0].payload, { subject: "github:alice", subject_id: "1234567", proof: claim.digest })
    assert.equal(typeof added.head.expires_at, "string")
  })

  await t.test("add names the claim of a file, and refuses one for another account", async () => {
    await kez("claim", "create", "dns:alice.example", "--out", "claim.md")
    assert.equal((await data("sigchain", "add", "dns:alice.example", "--proof", "claim.md")).code, 0)
    assert.deepEqual(await errorOf("sigchain", "add", "dns:b.example", "--proof", "claim.md"), [
      10,
      "proof.subject_mismatch",
    ])
    const digest = `sha256:${"a".repeat(64)}`
    const named = await data("sigchain", "add", "dns:c.example", "--proof", digest)
    assert.equal(named.events[0].payload.proof, digest)
    const bare = await kez("sigchain", "add", "dns:d.example")
    assert.match(bare.stderr, /warning: no claim for dns:d\.example was made here/)
  })

  await t.test("devices come and go, with what they added", async () => {
    await data("sigchain", "add-device", "laptop")
    await data("--identity", "laptop", "sigchain", "add-device", "phone")
    const shown = await data("sigchain", "show")
    assert.deepEqual(
      shown.devices.map((device: { key: string }) => device.key),
      [keys.get("laptop"), keys.get("phone")],
    )
    assert.deepEqual(await errorOf("sigchain", "add-device", "laptop"), [1, "chain.key_in_use"])
    assert.deepEqual(await errorOf("--identity", "laptop", "sigchain", "set-next", "safe", "--yes"), [
      1,
      "chain.authority",
    ])
    await data("sigchain", "revoke-device", "laptop", "--keep", "phone")
    const kept = await data("sigchain", "show")
    assert.deepEqual(
      kept.devices.map((device: { key: string }) => device.key),
      [keys.get("phone")],
    )
    assert.deepEqual(await errorOf("sigchain", "add-device", "laptop"), [1, "chain.key_reuse"])
    assert.deepEqual(await errorOf("sigchain", "revoke-device", "laptop"), [2, "usage"])
    assert.deepEqual(await errorOf("--identity", "laptop", "sigchain", "add", "github:x"), [1, "chain.not_authorised"])
  })

  await t.test("the committed key alone can rotate, and then it is the primary", async () => {
    const committed = await kez("sigchain", "set-next", "safe", "--yes")
    assert.match(committed.stdout, /Losing it costs the ability to rotate, not the identity/)
    assert.deepEqual(await errorOf("sigchain", "set-next", "phone", "--yes"), [1, "chain.next_in_force"])
    assert.deepEqual(await errorOf("sigchain", "rotate", "phone"), [1, "chain.prerotation"])
    const rotated = await data("sigchain", "rotate", "safe")
    assert.equal(rotated.primary, keys.get("safe"))
    assert.deepEqual(await errorOf("--identity", "alice", "sigchain", "add", "github:y"), [1, "chain.not_authorised"])
    assert.equal((await data("--identity", "safe", "sigchain", "revoke", "dns:c.example")).code, 0)
    const shown = await data("sigchain", "show", "safe")
    assert.deepEqual(shown.primaries, [keys.get("alice"), keys.get("safe")])
    assert.equal((await data("sigchain", "show", shown.chain.slice(0, 20))).chain, shown.chain)
  })

  await t.test("show is a table for people", async () => {
    const { stdout } = await kez("sigchain", "show", "safe")
    assert.match(stdout, /^chain {5}sha256:[0-9a-f]{64}\nprimary {3}ed25519:/)
    assert.match(stdout, /\nSEQ {2}OP {13}SUBJECT +SIGNER +TIME\n0 {4}add {12}github:alice/)
    assert.match(stdout, /\nsubjects\n[\s\S]*dns:c\.example +revoked[\s\S]*\ndevices\n/)
  })

  await t.test("export and import move a chain, whole or cut, in both forms", async () => {
    const jsonl = await kez("sigchain", "export", "safe")
    const compact = await kez("sigchain", "export", "safe", "--format", "compact")
    assert.match(compact.stdout, /^kez:zc1:/)
    const events = jsonl.stdout.trimEnd().split("\n").length
    for (const [name, input] of [
      ["jsonl", jsonl.stdout],
      ["compact", compact.stdout],
    ] as const) {
      const env = { KEZ_HOME: join(dir, name) }
      const first = await runKez(["sigchain", "import", "-", "--json"], { input, env })
      assert.deepEqual([first.code, JSON.parse(first.stdout).data.added], [0, events])
      const again = await runKez(["sigchain", "import", "-", "--json"], { input, env })
      assert.deepEqual([again.code, JSON.parse(again.stdout).data.added], [0, 0])
      const back = await runKez(["sigchain", "export", keys.get("safe") ?? ""], { env })
      assert.equal(back.stdout, jsonl.stdout)
    }
    const lines = jsonl.stdout.split("\n")
    const env = { KEZ_HOME: join(dir, "bad") }
    const forged = lines.map((line, at) => (at === 2 ? line.replace(/"sig":"../, '"sig":"00') : line)).join("\n")
    const cut = await runKez(["sigchain", "import", "-", "--json"], { input: forged, env })
    const result = JSON.parse(cut.stdout).data
    // The digest of a changed event is another one, so the next does not follow it; what is before both is kept.
    assert.deepEqual([cut.code, result.added], [1, 2])
    assert.deepEqual(
      result.refused.map((refusal: { code: string }) => refusal.code),
      ["signature.invalid", "chain.prev"],
    )
    const noise = await runKez(["sigchain", "import", "-", "--json"], { input: "no chain\n", env })
    assert.deepEqual([noise.code, JSON.parse(noise.stdout).error.code], [10, "chain.jsonl"])
  })

  await t.test("head signs the end of the chain, for others to import", async () => {
    const out = join(dir, "head.json")
    const made = await data("--identity", "safe", "sigchain", "head", "--expires", "1d", "--out", out)
    assert.equal(made.signer, keys.get("safe"))
    const env = { KEZ_HOME: join(dir, "jsonl") }
    const kept = await runKez(["sigchain", "import", out, "--json"], { env })
    assert.equal(JSON.parse(kept.stdout).data.head.expires_at, made.expires_at)
    const shown = await runKez(["sigchain", "show", keys.get("safe") ?? "", "--json"], { env })
    assert.equal(JSON.parse(shown.stdout).data.head.expires_at, made.expires_at)
    const stranger = await runKez(["sigchain", "import", out, "--json"], { env: { KEZ_HOME: join(dir, "new") } })
    assert.deepEqual([stranger.code, JSON.parse(stranger.stdout).error.code], [1, "chain.unknown"])
    assert.deepEqual(await errorOf("--identity", "safe", "sigchain", "head", "--expires", "8d"), [2, "usage"])
    assert.equal(readFileSync(out, "utf8").trimEnd(), made.text)
  })

  await t.test("settle shows the branches, and lifts or keeps revocations as told", async () => {
    // Another copy of the key signs on its own: two histories of one identity.
    const { stdout } = await kez("sigchain", "export", "safe")
    const copy = join(dir, "copy")
    writeFileSync(join(dir, "mine.jsonl"), stdout)
    const words = mnemonics[3] ?? ""
    const args = ["--mnemonic", "-"]
    await runKez(["sigchain", "import", join(dir, "mine.jsonl")], { env: { KEZ_HOME: copy } })
    await runKez(["sigchain", "revoke", "dns:alice.example", ...args], { input: words, env: { KEZ_HOME: copy } })
    const theirs = await runKez(["sigchain", "export", keys.get("safe") ?? ""], { env: { KEZ_HOME: copy } })
    const own = await data("--identity", "safe", "sigchain", "add", "github:mine")
    await kez("--identity", "alice", "sigchain", "add", "github:nothing")
    writeFileSync(join(dir, "theirs.jsonl"), theirs.stdout)
    const imported = await kez("sigchain", "import", "theirs.jsonl")
    assert.match(imported.stderr, /warning: this identity has two conflicting histories/)

    const shown = await data("--identity", "safe", "sigchain", "settle")
    assert.equal(shown.status, "fork")
    assert.equal(shown.splits[0].successors.length, 2)
    const listing = await kez("--identity", "safe", "sigchain", "settle")
    assert.match(listing.stdout, /2 branches at event \d+\n[\s\S]*undecided[\s\S]*devices\n/)
    const branches = shown.splits[0].successors.map((one: { events: { op: string; made_here: boolean }[] }) =>
      one.events.map(({ op, made_here }) => `${op} ${made_here}`),
    )
    assert.deepEqual(branches.sort(), [["add true"], ["revoke false"]])
    assert.match(
      listing.stdout,
      /undecided, signed by the primary key\n {4}\d+ {2}add +github:mine .*made on this computer\n/,
    )
    const branch = ["sigchain", "export", "safe", "--branch", own.head.digest]
    assert.match((await kez(...branch)).stdout, /github:mine/)

    const keep = own.head.digest.slice(0, 20)
    const settled = await data("--identity", "safe", "sigchain", "settle", "--keep", keep, "--keep-revocations")
    assert.deepEqual(
      settled.events.map((event: { op: string }) => event.op),
      ["settle", "revoke"],
    )
    const after = await data("sigchain", "show", "safe")
    assert.deepEqual([after.status, after.contested], ["ok", true])
    const subject = after.subjects.find((entry: { subject: string }) => entry.subject === "dns:alice.example")
    assert.equal(subject.status, "revoked")
  })

  await t.test("a revocation on a losing branch stays in force until the owner lifts it", async () => {
    const env = { KEZ_HOME: join(dir, "thief") }
    const input = mnemonics[4] ?? ""
    await data("--identity", "safe", "sigchain", "add-device", "tablet")
    writeFileSync(join(dir, "before.jsonl"), (await kez("sigchain", "export", "safe")).stdout)
    await runKez(["sigchain", "import", join(dir, "before.jsonl")], { env })
    const stolen = await runKez(["sigchain", "revoke", "github:alice", "--mnemonic", "-"], { input, env })
    assert.equal(stolen.code, 0, stolen.stderr)
    const theirs = await runKez(["sigchain", "export", keys.get("tablet") ?? ""], { env })
    writeFileSync(join(dir, "thief.jsonl"), theirs.stdout)
    await data("--identity", "safe", "sigchain", "add", "github:other")
    const imported = await data("sigchain", "import", "thief.jsonl")
    assert.deepEqual([imported.status, imported.contested], ["ok", true], "the primary outranks a device")

    const statusOf = async (subject: string) => {
      const { subjects } = await data("sigchain", "show", "safe")
      return subjects.find((entry: { subject: string }) => entry.subject === subject).status
    }
    assert.equal(await statusOf("github:alice"), "revoked")
    const { revocations } = await data("--identity", "safe", "sigchain", "settle")
    const one = revocations.find((event: { signer: string }) => event.signer === keys.get("tablet"))
    assert.deepEqual(one.payload, { subject: "github:alice" })
    await data("--identity", "safe", "sigchain", "settle", "--lift", one.digest)
    assert.equal(await statusOf("github:alice"), "active")
  })
})
