/** What `kez sigchain` and `kez claim` refuse, or do not do twice, so that an owner's slip does not last for ever. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { appendEvent, commitmentTo, createSigner, formatChain, parseChain, replayChain } from "@kez/core"
import { keyOfWords } from "../../apps/cli/src/keys/key-text.ts"
import { type Home, makeHome, zeroWords } from "./support/home.ts"

const words = [
  zeroWords,
  "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo vote",
  "legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth title",
]

/** A home with p (in use), q and r; p has listed dns:example.org. */
async function begun(): Promise<{ home: Home; keys: Readonly<Record<string, string>> }> {
  const home = makeHome()
  const keys: Record<string, string> = {}
  for (const [at, name] of ["p", "q", "r"].entries()) {
    keys[name] = (await home.make(name, { words: words[at] ?? "" })).identity
  }
  await home.run(["identity", "use", "p"])
  const first = await home.run(["sigchain", "add", "dns:example.org"])
  assert.equal(first.code, 0, first.stderr)
  return { home, keys }
}

async function json(home: Home, ...args: readonly string[]) {
  const { code, stdout } = await home.run([...args, "--json"])
  return { code, ...JSON.parse(stdout) }
}

test("kez sigchain set-next refuses a key that could never follow, by name and by commitment", async () => {
  const { home, keys } = await begun()
  await using _ = home
  await home.run(["sigchain", "add-device", "q"])
  const device = await json(home, "sigchain", "set-next", "q")
  assert.deepEqual([device.code, device.error.code], [1, "chain.key_in_use"])
  assert.match(device.error.hint, /kez identity new/)
  const digest = await json(home, "sigchain", "set-next", "--commitment", commitmentTo(keys["q"] ?? ""))
  assert.equal(digest.error.code, "chain.key_in_use")
  assert.equal((await json(home, "sigchain", "set-next", "p")).error.code, "chain.key_in_use")
  await home.run(["sigchain", "revoke-device", "q"])
  assert.equal((await json(home, "sigchain", "set-next", "q")).error.code, "chain.key_reuse")
  const done = await home.run(["sigchain", "set-next", "r", "--yes"])
  assert.equal(done.code, 0, done.stderr)
})

test("kez sigchain set-next commits to nothing where nobody can be asked, without --yes", async () => {
  const { home } = await begun()
  await using _ = home
  const { code, error } = await json(home, "sigchain", "set-next", "r")
  assert.deepEqual([code, error?.code], [2, "input.missing"])
  assert.match(`${error.message} ${error.hint}`, /cannot be undone.*--yes/s)
  assert.equal((await json(home, "sigchain", "show")).data.next, null, "nothing was signed")
})

test("kez sigchain add-device refuses the key that was committed to", async () => {
  const { home } = await begun()
  await using _ = home
  await home.run(["sigchain", "set-next", "q", "--yes"])
  const { code, error } = await json(home, "sigchain", "add-device", "q")
  assert.deepEqual([code, error.code], [1, "chain.key_in_use"])
  const again = await home.run(["sigchain", "set-next", "r", "--yes"])
  assert.match(again.stderr, /committed to already.*\[chain\.next_in_force\]\nhint: kez sigchain rotate/)
})

test("kez sigchain rotate begins no chain", async () => {
  await using home = makeHome()
  for (const [at, name] of ["p", "q"].entries()) await home.make(name, { words: words[at] ?? "" })
  await home.run(["identity", "use", "p"])
  for (const more of [[], ["--yes"], ["--next", "nobody"]]) {
    const { code, error } = await json(home, "sigchain", "rotate", "q", ...more)
    assert.deepEqual([code, error?.code], [1, "chain.unknown"])
  }
  assert.equal((await json(home, "sigchain", "show")).error?.code, "chain.unknown", "nothing was signed")
})

test("kez sigchain rotate makes the new key the identity in use, and the old one claims nothing more", async () => {
  const { home } = await begun()
  await using _ = home
  await home.run(["claim", "dns", "example.org"])
  const rotated = await home.run(["sigchain", "rotate", "q"])
  assert.match(rotated.stdout, /Commands now act as q\./)
  assert.equal((await json(home, "identity", "show", "q")).data.is_current, true)
  for (const args of [
    ["claim", "dns", "example.org"],
    ["claim", "dns", "example.org", "--new"],
    ["claim", "create", "github:p"],
    ["sigchain", "add", "github:p"],
  ]) {
    const { code, error } = await json(home, "--identity", "p", ...args)
    assert.deepEqual([code, error.code, error.hint], [1, "chain.not_authorised", "kez identity use q"])
    assert.match(error.message, /p was replaced by q/)
  }
  assert.equal((await home.run(["claim", "dns", "example.org"])).code, 0)
})

test("kez sigchain add and revoke append nothing twice", async () => {
  const { home } = await begun()
  await using _ = home
  const same = await json(home, "sigchain", "add", "dns:example.org")
  assert.deepEqual([same.code, same.data.events, same.data.head.seq], [0, [], 0])
  assert.match((await home.run(["sigchain", "add", "dns:example.org"])).stdout, /already listed/)
  assert.equal((await json(home, "sigchain", "add", "dns:example.org", "--subject-id", "1")).data.head.seq, 1)
  await home.run(["sigchain", "revoke", "dns:example.org"])
  const twice = await json(home, "sigchain", "revoke", "dns:example.org")
  assert.deepEqual([twice.code, twice.data.events, twice.data.head.seq], [0, [], 2])
  assert.equal((await json(home, "sigchain", "add", "dns:example.org")).data.head.seq, 3)
})

test("kez sigchain revoke warns of a subject that was never listed, and names the nearest that is", async () => {
  const { home } = await begun()
  await using _ = home
  const { code, data, warnings } = await json(home, "sigchain", "revoke", "dns:exmaple.org")
  assert.deepEqual([code, data.events.length], [0, 1])
  assert.match(warnings.join("\n"), /never listed dns:exmaple\.org; did you mean dns:example\.org\?/)
})

test("kez claim create --out keeps no claim whose file could not be written, and names the path as typed", async () => {
  const { home } = await begun()
  await using _ = home
  const path = `${home.dir}/none/kez.md`
  const failed = await json(home, "claim", "create", "github:p", "--out", path)
  assert.equal(failed.error.code, "store.write")
  assert.equal(failed.error.message, `Cannot write ${path}: there is no folder ${home.dir}/none`)
  assert.doesNotMatch(failed.error.hint, /KEZ_HOME/)
  assert.deepEqual((await json(home, "claim", "list")).data.claims, [])
  const out = `${home.dir}/kez.md`
  const made = await home.run(["claim", "create", "github:p", "--out", out])
  assert.match(made.stderr, new RegExp(`^kez: wrote ${out}\nNext: publish ${out}`, "m"))
  assert.equal((await json(home, "claim", "list")).data.claims.length, 1)
  const head = await home.run(["sigchain", "head", "--out", `${home.dir}/head.json`])
  assert.match(head.stderr, /kez: wrote .*head\.json\nNext: .*kez sigchain import .*head\.json/)
})

test("kez claim dns --reference prints the zone line that names the chain", async () => {
  const { home } = await begun()
  await using _ = home
  const hint = "https://example.org/chain.jsonl"
  const { stdout } = await home.run(["claim", "dns", "example.org", "--reference", "--chain-hint", hint])
  assert.match(
    stdout,
    /^_kez\.example\.org\. 3600 IN TXT "kez:r1:[0-9a-f]{64}"\n_kez\.example\.org\. 3600 IN TXT "Chain: https:[^"]+"\n$/,
  )
})

test("kez sigchain revoke-device takes out the key that was committed to only with --yes", async () => {
  await using home = makeHome()
  const [primary, device] = [1, 2].map((byte) => createSigner("ed25519", new Uint8Array(32).fill(byte)))
  assert.ok(primary !== undefined && device !== undefined)
  const now = 1_767_225_600
  const first = await appendEvent({ chain: undefined, operation: { op: "add_device", device }, now }, primary)
  const next = { op: "set_next", next: commitmentTo(device.key) } as const
  const { replay } = await appendEvent({ chain: first.replay, operation: next, now }, primary)
  const seed = ["--ed25519-seed", `@${home.file("seed", "01".repeat(32))}`]
  await home.run(["sigchain", "import", home.file("chain.jsonl", formatChain(replay.path))])
  const revoke = ["sigchain", "revoke-device", device.key, ...seed]
  const refused = await json(home, ...revoke)
  assert.deepEqual([refused.code, refused.error.code], [1, "chain.prerotation"])
  assert.match(refused.error.hint, /^That keeps nobody out who holds it: /)
  assert.equal((await json(home, ...revoke, "--yes")).code, 0)
})

test("a password in the URL of a store is refused, and not said again", async () => {
  const { home } = await begun()
  await using _ = home
  const { code, stdout, stderr } = await home.run([
    "sigchain",
    "fetch",
    "--store",
    "https://me:hunter2@sig.example.org",
  ])
  assert.equal(code, 2)
  assert.match(stderr, /Cannot use --store with a name or password in it/)
  assert.doesNotMatch(stdout + stderr, /hunter2/)
})

test("kez sigchain finds what cannot be before it asks for a passphrase", async () => {
  await using home = makeHome()
  const right = { env: { KEZ_PASSPHRASE: "right" } }
  const p = await home.make("p", { words: zeroWords, passphrase: "right" })
  for (const [at, name] of ["q", "r"].entries()) await home.make(name, { words: words[at + 1] ?? "" })
  await home.run(["identity", "use", "p"])
  for (const step of [
    ["add", "dns:example.org"],
    ["add-device", "q"],
  ]) {
    assert.equal((await home.run(["sigchain", ...step], right)).code, 0)
  }
  const refusals = [
    [["revoke-device", "r"], 2, "usage"],
    [["revoke-device", "p"], 1, "chain.authority"],
    [["set-next", "q"], 1, "chain.key_in_use"],
    [["rotate", "q"], 1, "chain.key_in_use"],
    [["rotate", "r", "--next", "p"], 1, "chain.key_in_use"],
    [["rotate", "r", "--next", "sha256:zz"], 2, "usage"],
    [["settle", "--keep", "sha256:00"], 2, "usage"],
    [["revoke-device", "q"], 4, "key.locked"],
  ] as const
  for (const [step, exit, expected] of refusals) {
    const { code, error } = await json(home, "sigchain", ...step)
    assert.deepEqual([code, error?.code], [exit, expected], step.join(" "))
  }
  const byDevice = await json(home, "--identity", "q", "sigchain", "settle", "--lift", "sha256:00")
  assert.notEqual(byDevice.error?.code, "key.locked")

  const signer = createSigner("ed25519", keyOfWords("ed25519", zeroWords).secret)
  assert.equal(signer.key, p.identity)
  const chain = replayChain(parseChain((await home.run(["sigchain", "export"])).stdout))
  for (const subject of ["github:one", "github:two"]) {
    const { replay } = await appendEvent({ chain, operation: { op: "add", subject }, now: 1_790_000_000 }, signer)
    await home.run(["sigchain", "import", home.file("branch.jsonl", formatChain(replay.path))])
  }
  for (const step of [
    ["revoke-device", "r"],
    ["set-next", "r"],
    ["rotate", "r", "--next", "nobody"],
  ]) {
    const { code, error } = await json(home, "sigchain", ...step)
    assert.deepEqual([code, error?.code], [13, "chain.fork"], step.join(" "))
  }
})
