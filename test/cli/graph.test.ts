/** `kez graph` as people and scripts run it, with a chain from a file and without a network. */
import assert from "node:assert/strict"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, test } from "node:test"
import { runKez } from "../support/cli.ts"

const dir = mkdtempSync(join(tmpdir(), "kez-graph-"))
after(() => rmSync(dir, { recursive: true, force: true }))

/** Public test words of BIP-39: the identity, and its device. */
const words = {
  mira: "legal winner thank year wave sausage worth useful legal winner thank yellow",
  laptop: "letter advice cage absurd amount doctor acoustic avoid letter advice cage above",
}
const keys = new Map<string, string>()
const chainFile = join(dir, "chain.jsonl")
const strangerHome = join(dir, "stranger")

/** Ports that nobody listens on: every look fails at once. */
const offNet = { KEZ_RESOLVER: "127.0.0.1:9" }

function own(...args: readonly string[]) {
  return runKez([...args, "--no-input"], { cwd: dir, env: { KEZ_HOME: join(dir, "home"), ...offNet } })
}

/** Somebody who has nothing but the file. */
function stranger(...args: readonly string[]) {
  return runKez(["graph", ...args], { cwd: dir, env: { KEZ_HOME: strangerHome, ...offNet } })
}

before(async () => {
  for (const [name, input] of Object.entries(words)) {
    const options = { input, env: { KEZ_HOME: join(dir, "home") } }
    const restore = ["identity", "restore", name, "--mnemonic", "-", "--no-passphrase", "--no-input"]
    assert.equal((await runKez(restore, options)).code, 0)
    keys.set(name, (await own("identity", "show", name, "--id")).stdout.trim())
  }
  await own("identity", "use", "mira")
  for (const subject of ["dns:mira.dev", "dns:mira.net", "github:mira"]) {
    assert.equal((await own("claim", "create", subject)).code, 0)
    assert.equal((await own("sigchain", "add", subject)).code, 0)
  }
  assert.equal((await own("sigchain", "add-device", "laptop")).code, 0)
  assert.equal((await own("sigchain", "export", "--out", chainFile)).code, 0)
})

test("kez graph draws a tree and a table that says the same, and makes no store", async () => {
  const { code, stdout, stderr } = await stranger(keys.get("mira") ?? "", "--chain", chainFile, "--offline")
  assert.deepEqual([code, stderr], [0, ""])
  assert.match(
    stdout,
    /^✓ identity {2}one history\n│ ed25519:[0-9a-f]{64}\n│ chain sha256:[0-9a-f]{64}\n│ 4 events, end not signed\n/,
  )
  assert.match(stdout, /├─ accounts {2}0 of 3 proven\n│ {2}├─ ○ dns:mira\.dev {2}not looked at\n/)
  assert.match(
    stdout,
    new RegExp(`└─ devices {2}1\n {3}└─ ✓ active, added by the primary key\n {6}${keys.get("laptop")}\n`),
  )
  assert.match(stdout, /^ACCOUNT +STATUS +LISTED +WHY$/m)
  assert.match(stdout, /^github:mira +○ not looked at +yes/m)
  assert.equal(existsSync(strangerHome), false)
})

test("kez graph --json prints the graph, and where a drawing went", async () => {
  const file = join(dir, "beside.svg")
  const { code, stdout } = await stranger("github:mira", "--chain", chainFile, "--offline", "--json", "--out", file)
  const { schema, ok, data } = JSON.parse(stdout)
  assert.deepEqual([code, schema, ok, data.file], [0, "kez.graph/1", true, file])
  assert.deepEqual(data.asked, { kind: "account", identity: "github:mira" })
  assert.deepEqual(
    [data.identity.primary, data.identity.chain.status, data.identity.chain.head.seq],
    [keys.get("mira"), "ok", 3],
  )
  assert.deepEqual(
    data.accounts.map((one: { subject: string; status: string; listed: boolean }) => [
      one.subject,
      one.status,
      one.listed,
    ]),
    [
      ["dns:mira.dev", "unchecked", true],
      ["dns:mira.net", "unchecked", true],
      ["github:mira", "unchecked", true],
    ],
  )
  assert.deepEqual(
    data.devices.map((one: { key: string }) => one.key),
    [keys.get("laptop")],
  )
  assert.match(readFileSync(file, "utf8"), /^<svg /)
})

test("kez graph --svg, --html and --dot print drawings, and the ending of a file names one", async () => {
  const args = [keys.get("mira") ?? "", "--chain", chainFile, "--offline"]
  assert.match(
    (await stranger(...args, "--svg")).stdout,
    /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[\s\S]*<\/svg>\n$/,
  )
  assert.match((await stranger(...args, "--html")).stdout, /^<!doctype html>[\s\S]*<\/html>\n$/)
  assert.match((await stranger(...args, "--dot")).stdout, /^graph kez \{[\s\S]*\}\n$/)
  const file = join(dir, "mira.html")
  const { stdout, stderr } = await stranger(...args, "--out", file)
  assert.deepEqual([stdout, stderr], ["", `kez: wrote ${file}\n`])
  assert.match(readFileSync(file, "utf8"), /^<!doctype html>/)
  assert.equal((await stranger(...args, "--out", file)).code, 1)
  const online = await stranger(...args.slice(0, -1), "--out", file)
  assert.deepEqual([online.code, online.stderr.split(":", 2)], [1, ["kez", ` Cannot write ${file}`]], "before any look")
  assert.equal((await stranger(...args, "--json", "--svg", "--out", "-")).code, 2, "stdout holds the JSON")
  assert.equal((await stranger(...args, "--out", file, "--force")).code, 0)
})

test("kez graph without an argument shows the identity in use, and knows it by its name", async () => {
  for (const args of [[], ["mira"]]) {
    const { code, stdout } = await own("graph", ...args, "--offline", "--json")
    assert.deepEqual([code, JSON.parse(stdout).data.identity.primary], [0, keys.get("mira")])
  }
  const { data } = JSON.parse((await own("graph", "laptop", "--offline", "--json")).stdout)
  assert.deepEqual([data.identity.primary, data.devices[0].asked], [keys.get("mira"), true])
})

test("kez graph looks at every account, and silence is never red", async () => {
  const { code, stdout, stderr } = await own("graph", "--timeout", "2", "--json")
  const { data } = JSON.parse(stdout)
  assert.deepEqual([code, stderr], [0, ""], "the statuses of accounts are data")
  for (const account of data.accounts) assert.deepEqual([account.status, account.badge.tone], ["unreachable", "muted"])
})

test("kez graph ends as kez verify id does where an account was asked about", async () => {
  const { code, stderr } = await stranger("dns:mira.dev", "--chain", chainFile, "--timeout", "2")
  assert.equal(code, 5)
  assert.match(stderr, /^Next: try again/m)
})

for (const [about, args, exit, code] of [
  ["two forms", ["--svg", "--dot"], 2, "usage"],
  ["a drawing and JSON on one stdout", ["--svg"], 2, "usage"],
  ["a chain id that is too short", ["sha256:12"], 2, "usage"],
  ["a chain that is not known", [`sha256:${"0".repeat(64)}`], 1, "chain.unknown"],
  ["a key without a chain", [`ed25519:${"ab".repeat(32)}`], 1, "chain.unknown"],
  ["an unknown system", ["did:web:a"], 2, "identity.unsupported"],
  ["a name that is no identity here", ["nobody"], 1, "store.unknown"],
  ["a document that is not there", ["dns:a.example", "--chain", "none.jsonl"], 1, "input.unreadable"],
] as const) {
  test(`kez graph refuses ${about}: ${code}`, async () => {
    const { code: exitCode, stdout } = await stranger(...args, "--json", "--offline")
    const answer = JSON.parse(stdout)
    assert.deepEqual([exitCode, answer.ok, answer.error?.code], [exit, false, code])
  })
}

test("kez graph --plain, and a dumb terminal, get words without drawings", async () => {
  const args = [keys.get("mira") ?? "", "--chain", chainFile, "--offline"]
  const plain = await stranger(...args, "--plain")
  assert.match(plain.stdout, /^[\n -~]+$/)
  const dumb = await runKez(["graph", ...args], { env: { KEZ_HOME: strangerHome, TERM: "dumb" } })
  assert.equal(dumb.stdout, plain.stdout)
})

test("kez graph uses what can be read of a damaged chain document, and says so", async () => {
  const cut = join(dir, "cut.jsonl")
  writeFileSync(cut, readFileSync(chainFile, "utf8").split("\n").slice(0, 2).join("\n").concat("\ngarbage\n"))
  const args = ["graph", keys.get("mira") ?? "", "--chain", cut, "--offline", "--json"]
  const { code, stdout } = await runKez(args, { env: offNet })
  const { data, warnings } = JSON.parse(stdout)
  assert.deepEqual([code, data.accounts.length, warnings.length], [0, 2, 1])
  assert.match(warnings[0], /cut\.jsonl .*\[chain\.jsonl\]/)
})
