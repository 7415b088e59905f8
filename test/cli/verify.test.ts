/** `kez verify` as people and scripts run it, without a network. */
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { runKez } from "../support/cli.ts"

const dir = mkdtempSync(join(tmpdir(), "kez-verify-"))
after(() => rmSync(dir, { recursive: true, force: true }))
const example = join(import.meta.dirname, "../../examples/claim.md")
const key = "ed25519:2152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12"

function kez(args: readonly string[], input?: string | Uint8Array) {
  const env = { KEZ_HOME: join(dir, "home"), KEZ_RESOLVER: "127.0.0.1:9" }
  return runKez(args, { cwd: dir, env, ...(input === undefined ? {} : { input }) })
}

test("kez verify file shows the example claim of a fresh clone as right, and makes no store", async () => {
  const { code, stdout, stderr } = await kez(["verify", "file", example])
  assert.equal(code, 0)
  assert.match(stdout, /^✓ dns:example\.org {2}signature right {2}by ed25519:2152f8d1…db12\n/)
  assert.match(stdout, /publication not checked: only this text was looked at/)
  assert.match(stdout, /not checked for revocation: no chain known/)
  assert.match(stdout, new RegExp(`key +${key}\n`))
  assert.match(stderr, /^Next: kez verify id dns:example\.org$/m)
  assert.equal(existsSync(join(dir, "home")), false)
})

const offline = ["verify", "file", "-", "--offline", "--json"]
for (const [about, input, exit, reason] of [
  ["a text without a proof", "hello", 14, "proof.not_found"],
  ["an empty text", "", 14, "proof.not_found"],
  ["a block that is cut", "```kez\n{", 10, "proof.cut"],
  ["a token in capitals", "KEZ:Z1:AAAA", 10, "encoding.unsupported"],
  ["a reference without its chain", `kez:r1:${"a".repeat(64)}`, 10, "claim.not_in_chain"],
  ["bytes that are no UTF-8", Uint8Array.of(0xff, 0xfe, 0x80), 10, "text.utf8"],
] as const) {
  test(`kez verify file says ${reason} with exit ${exit} for ${about}`, async () => {
    const { code, stdout } = await kez(offline, input)
    const { ok, schema, data } = JSON.parse(stdout)
    assert.deepEqual([code, ok, schema, data.reason], [exit, true, "kez.verify/1", reason])
  })
}

test("kez verify file asks for the chain that was required, and compares the key that was expected", async () => {
  const required = await kez(["verify", "file", example, "--offline", "--require-chain", "--json"])
  assert.deepEqual([required.code, JSON.parse(required.stdout).data.reason], [5, "chain.required"])
  const fresh = await kez(["verify", "file", example, "--offline", "--fresh", "--json"])
  assert.deepEqual([fresh.code, JSON.parse(fresh.stdout).data.reason], [5, "chain.required"])
  const right = await kez(["verify", "file", example, "--offline", "--primary", key])
  assert.equal(right.code, 0)
  const wrong = await kez(["verify", "file", example, "--offline", "--primary", `ed25519:${"ab".repeat(32)}`, "--json"])
  assert.deepEqual([wrong.code, JSON.parse(wrong.stdout).data.reason], [10, "proof.primary_mismatch"])
})

for (const [about, args, exit, code] of [
  ["a missing file", ["verify", "file", "none.md"], 1, "input.unreadable"],
  ["a directory", ["verify", "file", "/"], 1, "input.unreadable"],
  ["no file", ["verify", "file"], 2, "usage"],
  ["a text above the limit", ["verify", "file", "/dev/zero"], 10, "limit.size"],
  ["no key", ["verify", "file", example, "--primary", "dns:a.example"], 10, "schema.value"],
  ["a wrong time-out", ["verify", "file", example, "--timeout", "soon"], 2, "usage"],
  ["a resolver that is none", ["verify", "id", "dns:a.example", "--resolver", "a.example"], 2, "usage"],
  ["a key, which has no channel", ["verify", "id", `ed25519:${"42".repeat(32)}`], 2, "channel.unsupported"],
  ["an unknown system", ["verify", "id", "did:web:a"], 2, "identity.unsupported"],
] as const) {
  test(`kez verify refuses ${about}: ${code}`, async () => {
    const { code: exitCode, stdout } = await kez([...args, "--json"])
    const answer = JSON.parse(stdout)
    assert.deepEqual([exitCode, answer.ok, answer.error?.code], [exit, false, code])
  })
}

test("kez verify file does not trust a damaged store, keeps it, and says what to do", async () => {
  const home = join(dir, "damaged")
  const env = { KEZ_HOME: home }
  await runKez(["claim", "create", "github:a", "--ed25519-seed", "42".repeat(32)], { env })
  writeFileSync(join(home, "kez.db"), "garbage ".repeat(2_000))
  rmSync(join(home, "kez.db-wal"), { force: true })
  const { code, stderr } = await runKez(["verify", "file", example, "--offline"], { env })
  assert.equal(code, 1)
  assert.match(stderr, /\[store\.corrupt\]\nhint: Nothing was deleted/)
  assert.ok(existsSync(join(home, "kez.db")))
})

test("kez verify id is unreachable, never red, while no resolver answers", async () => {
  const { code, stdout } = await kez(["verify", "id", "dns:example.org", "--timeout", "3"])
  assert.equal(code, 5)
  assert.match(stdout, /^◌ dns:example\.org {2}can't reach\n/)
})

test("kez verify file says which answer it got when a chain or a text is missing", async () => {
  const required = await kez(["verify", "file", example, "--offline", "--require-chain"])
  assert.match(required.stdout, /^◌ dns:example\.org {2}no chain known/)
  assert.match(required.stderr, /^Next: .*kez sigchain import FILE, or --chain FILE$/m)
  assert.match((await kez(["verify", "file", "-", "--offline"], "")).stdout, /There is no proof in this text\./)
  const main = join(import.meta.dirname, "../../apps/cli/src/main.ts")
  const env = { PATH: process.env["PATH"], KEZ_HOME: join(dir, "home"), HOME: dir }
  const nothing = spawnSync(process.execPath, [main, "verify", "file", "-", "--offline"], { stdio: "ignore", env })
  assert.equal(nothing.status, 14, "/dev/null is an empty text")
})
