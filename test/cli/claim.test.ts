/** `kez claim` as people and scripts run it. */
import assert from "node:assert/strict"
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { runKez } from "../support/cli.ts"

const dir = mkdtempSync(join(tmpdir(), "kez-claim-"))
after(() => rmSync(dir, { recursive: true, force: true }))
const seed = ["--ed25519-seed", `@${join(dir, "seed")}`]
writeFileSync(join(dir, "seed"), "42".repeat(32), { mode: 0o600 })
const key = "ed25519:2152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12"

function kez(home: string, ...args: readonly string[]) {
  return runKez(args, { cwd: dir, env: { KEZ_HOME: join(dir, home) } })
}

test("kez claim create prints Markdown to stdout and everything else to stderr", async () => {
  const { code, stdout, stderr } = await kez("a", "claim", "create", "github:Login", ...seed)
  assert.equal(code, 0)
  assert.match(stdout, new RegExp(`^# KEZ claim: github:login\n[\\s\\S]*\nPrimary: ${key}\n[\\s\\S]*\n\`\`\`\n$`))
  assert.match(stderr, /^Next: .*kez claim publish github:login$/m)
  assert.equal(statSync(join(dir, "a", "kez.db")).mode & 0o777, 0o600)
})

for (const [format, form] of [
  ["json", /^\{\n {2}"kez": "claim",/],
  ["compact", /^kez:z1:[A-Za-z0-9_-]+\n$/],
  ["dns", /^_kez\.example\.org\. 3600 IN TXT "kez:z1:[^"]+" "[^"]+"\n$/],
] as const) {
  test(`kez claim create --format ${format} prints what kez verify file reads`, async () => {
    const { stdout } = await kez("a", "claim", "create", "dns:example.org", "--format", format, ...seed)
    assert.match(stdout, form)
    const args = ["verify", "file", "-", "--offline", "--json"]
    const verified = await runKez(args, { input: stdout, env: { KEZ_HOME: join(dir, "other") } })
    assert.equal(verified.code, 0)
    const { status, subject, primary, flags } = JSON.parse(verified.stdout).data
    assert.deepEqual([status, subject, primary], ["valid", "dns:example.org", key])
    assert.deepEqual(flags, ["no_chain", "unpublished"])
  })
}

test("kez claim create --format reference needs a chain, and says how to begin one", async () => {
  const none = await kez("ref", "claim", "create", "github:login", "--format", "reference", ...seed)
  assert.equal(none.code, 1)
  assert.match(none.stderr, /\[chain\.unknown\]\nhint: kez sigchain add/)
  await kez("ref", "sigchain", "add", "dns:example.org", ...seed)
  const made = await kez("ref", "claim", "create", "github:login", "--format", "reference", ...seed)
  assert.match(made.stdout, /^kez:r1:[0-9a-f]{64}\n$/)
  assert.match(made.stderr, /warning: the chain does not list github:login/)
})

test("kez claim create --out writes a file once", async () => {
  const path = join(dir, "kez.md")
  const args = ["claim", "create", "github:login", "--out", "kez.md", ...seed]
  const first = await kez("a", ...args)
  assert.deepEqual([first.code, first.stdout], [0, ""])
  const text = readFileSync(path, "utf8")
  const second = await kez("a", ...args)
  assert.equal(second.code, 1)
  assert.match(second.stderr, /\[store\.exists\]/)
  assert.equal(readFileSync(path, "utf8"), text)
  assert.equal((await kez("a", ...args, "--force")).code, 0)
})

test("kez claim dns uses an earlier claim again, and makes one with --new", async () => {
  const first = await kez("dns", "claim", "dns", "Example.org.", "--json", ...seed)
  const again = await kez("dns", "claim", "dns", "example.org", "--json", ...seed)
  const [made, reused] = [JSON.parse(first.stdout).data, JSON.parse(again.stdout).data]
  assert.deepEqual([made.reused, reused.reused, reused.digest], [false, true, made.digest])
  assert.equal(made.subject, "dns:example.org")
  const other = await kez("dns", "claim", "dns", "example.org", "--new", "--json", ...seed)
  assert.equal(JSON.parse(other.stdout).data.reused, false)
})

test("kez claim list shows what became of the claims", async () => {
  const empty = await kez("list", "claim", "list", "--json")
  assert.deepEqual(JSON.parse(empty.stdout).data, { claims: [] })
  assert.equal(existsSync(join(dir, "list")), false, "looking makes no store")
  await kez("list", "claim", "create", "dns:a.example", "--expires", "1d", ...seed)
  await kez("list", "claim", "create", "dns:b.example", ...seed)
  await kez("list", "sigchain", "add", "dns:a.example", ...seed)
  await kez("list", "sigchain", "revoke", "dns:b.example", ...seed)
  const { claims } = JSON.parse((await kez("list", "claim", "list", "--json")).stdout).data
  const rows = claims.map((c: { subject: string; state: string; listed: boolean }) => [c.subject, c.state, c.listed])
  assert.deepEqual(rows.sort(), [
    ["dns:a.example", "valid", true],
    ["dns:b.example", "revoked", false],
  ])
  const { stdout } = await kez("list", "claim", "list")
  assert.match(stdout, /^SUBJECT +STATE +IN CHAIN/)
  await kez("list", "claim", "create", `dns:${"long-name".repeat(6)}.example`, "--expires", "1d", ...seed)
  const lines = (await kez("list", "claim", "list")).stdout.split("\n")
  assert.deepEqual(
    lines.filter((line) => line.length > 80),
    [],
  )
  const zone = await kez("list", "claim", "list", "--format", "dns", "--out", "claims.zone")
  assert.match(zone.stderr, /^kez: wrote claims\.zone$/m)
  const records = readFileSync(join(dir, "claims.zone"), "utf8").trimEnd().split("\n")
  assert.deepEqual(
    records.map((line) => line.split(" ")[0]?.slice(0, 12)),
    ["_kez.long-na", "_kez.a.examp"],
    "a revoked claim is not printed",
  )
})

for (const [about, args, exit, code] of [
  ["no subject", ["claim", "create"], 2, "usage"],
  ["a subject without a system", ["claim", "create", "example.org"], 2, "identity.syntax"],
  ["an unknown system", ["claim", "create", "did:web:a"], 2, "identity.unsupported"],
  ["an unknown form", ["claim", "create", "github:a", "--format", "pdf"], 2, "usage"],
  ["a DNS record for no domain", ["claim", "create", "github:a", "--format", "dns"], 2, "usage"],
  ["a wrong expiry", ["claim", "create", "github:a", "--expires", "soon"], 2, "usage"],
  ["an expiry in the past", ["claim", "create", "github:a", "--expires", "2020-01-01"], 2, "usage"],
  ["no identity", ["claim", "create", "github:a"], 1, "store.unknown"],
] as const) {
  test(`kez claim refuses ${about}: ${code}`, async () => {
    const key = about === "no identity" ? [] : seed
    const { code: exitCode, stdout } = await kez("bad", ...args, ...key, "--json")
    const answer = JSON.parse(stdout)
    assert.deepEqual([exitCode, answer.ok, answer.error.code], [exit, false, code])
    assert.equal(existsSync(join(dir, "bad", "kez.db")), false)
  })
}
