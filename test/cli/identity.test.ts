/** `kez identity …` as its own process, without a terminal: what scripts see. */
import assert from "node:assert/strict"
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { aboutWords, makeHome, readAnswer, zeroIdentity, zeroWords } from "./support/home.ts"

test("identity new stores an encrypted key that list and show see without its passphrase", async () => {
  await using home = makeHome()
  const made = await home.run(["identity", "new", "ci"], { env: { KEZ_PASSPHRASE: "open sesame" } })
  assert.equal(made.code, 0, made.stderr)
  assert.match(made.stdout, /^✓ ci {2}\(in use\)\n {2}identity +ed25519:[0-9a-f]{64}\n/)
  assert.match(made.stderr, /^kez: warning: the recovery words of ci are not on paper yet/)
  assert.match(made.stderr, /\nNext: kez identity mnemonic ci\n$/)
  assert.equal(statSync(join(home.paths.keys, "ci.age")).mode & 0o777, 0o600)
  const shown = await home.run(["identity", "show", "--id"])
  assert.match(shown.stdout, /^ed25519:[0-9a-f]{64}\n$/)
  assert.match(made.stdout, new RegExp(shown.stdout.trim()))
  const opened = await home.run(["identity", "mnemonic", "--reveal-words", "--json"], {
    env: { KEZ_PASSPHRASE: "open sesame" },
  })
  assert.equal((readAnswer(opened).data["recovery_words"] as string[]).length, 24)
})

test("identity new makes nostr keys, 12 words and unencrypted files when asked", async () => {
  await using home = makeHome()
  const args = ["identity", "new", "n", "--key-type", "nostr", "--mnemonic-words", "12", "--no-passphrase", "--json"]
  const { data, warnings } = readAnswer(await home.run(args))
  assert.match(String(data["identity"]), /^nostr:npub1/)
  assert.deepEqual([data["words"], data["protection"], data["backup"]], [12, "none", "pending"])
  assert.ok(warnings.some((warning) => warning.includes("unencrypted")))
  assert.match(readFileSync(join(home.paths.keys, "n.key"), "utf8"), /^\{"type":"kez\.key","version":1,/)
})

test("identity new without a passphrase, a name or a terminal fails with 2 and names the flag", async () => {
  await using home = makeHome()
  const unprotected = await home.run(["identity", "new", "x"])
  assert.equal(unprotected.code, 2)
  assert.match(unprotected.stderr, /\[input\.missing\]\nhint: .*--passphrase-file.*--no-passphrase/)
  const nameless = await home.run(["identity", "new", "--no-passphrase", "--json"])
  assert.equal(nameless.code, 2)
  assert.match(readAnswer(nameless).error.hint ?? "", /kez identity new NAME/)
  assert.deepEqual(readAnswer(await home.run(["identity", "list", "--json"])).data["identities"], [])
})

test("identity new refuses a taken name and an empty passphrase", async () => {
  await using home = makeHome()
  await home.make("one")
  const again = await home.run(["identity", "new", "one", "--no-passphrase", "--json"])
  assert.equal(readAnswer(again).error.code, "store.exists")
  const empty = await home.run(["identity", "new", "two", "--passphrase-file", home.file("empty", "\n")])
  assert.equal(empty.code, 2)
  assert.match(empty.stderr, /the passphrase is empty \[usage\]/)
})

test("B12 two identity new at once, one name: one is made, the other told", async () => {
  await using home = makeHome()
  const run = () => home.run(["identity", "new", "same", "--no-passphrase", "--json"])
  const results = await Promise.all([run(), run(), run()])
  assert.deepEqual(results.map(({ code }) => code).sort(), [0, 1, 1])
  const winner = readAnswer(results.find(({ code }) => code === 0) ?? { stdout: "" }).data["identity"]
  assert.equal((await home.run(["identity", "show", "same", "--id"])).stdout.trim(), winner)
  const key = JSON.parse(readFileSync(join(home.paths.keys, "same.key"), "utf8")) as { identity: string }
  assert.equal(key.identity, winner)
})

test("B12 four identity new at once, four names: all are kept", async () => {
  await using home = makeHome()
  const names = ["a", "b", "c", "d"]
  const results = await Promise.all(names.map((name) => home.run(["identity", "new", name, "--no-passphrase"])))
  assert.deepEqual(
    results.map(({ code }) => code),
    [0, 0, 0, 0],
  )
  const list = readAnswer(await home.run(["identity", "list", "--json"])).data["identities"] as { name: string }[]
  assert.deepEqual(
    list.map(({ name }) => name),
    names,
  )
})

test("identity restore brings back the identity of the specification's words", async () => {
  await using home = makeHome()
  const words = home.file("words.txt", `${zeroWords.toUpperCase()}\n`)
  const args = ["identity", "restore", "zero", "--mnemonic", `@${words}`, "--no-passphrase", "--json"]
  const { data, warnings } = readAnswer(await home.run([...args, "--expect", zeroIdentity]))
  assert.equal(data["identity"], zeroIdentity)
  assert.equal(data["backup"], "pending", "a file is no paper")
  assert.ok(!warnings.some((warning) => warning.includes("history")))
})

for (const [source, args, input] of [
  ["stdin", ["--mnemonic", "-"], zeroWords],
  ["a descriptor", ["--mnemonic-fd", "0"], zeroWords],
] as const) {
  test(`identity restore reads the words from ${source}`, async () => {
    await using home = makeHome()
    const result = await home.run(["identity", "restore", "zero", "--no-passphrase", "--json", ...args], { input })
    assert.equal(readAnswer(result).data["identity"], zeroIdentity)
  })
}

test("B2 identity restore with words that fit together but are another's is refused and stores nothing", async () => {
  await using home = makeHome()
  const args = ["identity", "restore", "x", "--mnemonic", "-", "--expect", zeroIdentity, "--no-passphrase"]
  const result = await home.run(args, { input: aboutWords })
  assert.equal(result.code, 4)
  assert.match(result.stderr, /\[key\.not_held\]/)
  assert.deepEqual(readAnswer(await home.run(["identity", "list", "--json"])).data["identities"], [])
})

for (const [name, words, code] of [
  ["a wrong word", zeroWords.replace("art", "zoo"), "mnemonic.checksum"],
  ["23 words", zeroWords.replace(" art", ""), "mnemonic.length"],
  ["an unknown word", zeroWords.replace("art", "xyzzy"), "mnemonic.word"],
] as const) {
  test(`B2 identity restore refuses ${name} and repeats none`, async () => {
    await using home = makeHome()
    const args = ["identity", "restore", "x", "--mnemonic", "-", "--no-passphrase", "--json"]
    const result = await home.run(args, { input: words })
    assert.equal(readAnswer(result).error.code, code)
    assert.doesNotMatch(result.stdout + result.stderr, /abandon|xyzzy/)
  })
}

test("identity restore sets a new passphrase for an identity whose passphrase is forgotten", async () => {
  await using home = makeHome()
  await home.make("zero", { passphrase: "forgotten", backup: "pending" })
  const args = ["identity", "restore", "--mnemonic", "-", "--passphrase-file", home.file("new", "new one\n"), "--json"]
  const { data } = readAnswer(await home.run(args, { input: zeroWords }))
  assert.deepEqual([data["name"], data["backup"], data["created_at"]], ["zero", "pending", "2026-01-01T00:00:00Z"])
  const wrong = await home.run(["identity", "mnemonic", "--reveal-words"], { env: { KEZ_PASSPHRASE: "forgotten" } })
  assert.equal(wrong.code, 4)
  const right = await home.run(["identity", "mnemonic", "--reveal-words"], { env: { KEZ_PASSPHRASE: "new one" } })
  assert.equal(right.code, 0)
})

test("identity restore refuses a second copy, and the name of another identity", async () => {
  await using home = makeHome()
  await home.make("zero")
  const copy = await home.run(["identity", "restore", "copy", "--mnemonic", "-", "--json"], { input: zeroWords })
  assert.equal(readAnswer(copy).error.code, "store.exists")
  const other = await home.run(["identity", "restore", "zero", "--mnemonic", "-", "--json"], { input: aboutWords })
  assert.equal(readAnswer(other).error.code, "store.exists")
})

test("identity from-mnemonic prints the identity and stores nothing", async () => {
  await using home = makeHome()
  const result = await home.run(["identity", "from-mnemonic", "--mnemonic", "-"], { input: zeroWords })
  assert.deepEqual(result, { code: 0, stdout: `${zeroIdentity}\n`, stderr: "" })
  assert.throws(() => readdirSync(home.paths.data), { code: "ENOENT" })
})

test("words from a file that is not there are refused in plain words", async () => {
  await using home = makeHome()
  const result = await home.run(["identity", "from-mnemonic", "--mnemonic", "@/nonexist"])
  assert.equal(result.code, 1)
  assert.match(result.stderr, /from \/nonexist: there is no such file \[input\.unreadable\]/)
})

test("a literal value on the command line works, with a warning that does not repeat it", async () => {
  await using home = makeHome()
  const result = await home.run(["identity", "from-mnemonic", "--mnemonic", zeroWords])
  assert.equal(result.stdout, `${zeroIdentity}\n`)
  assert.match(result.stderr, /^kez: warning: the value of --mnemonic is now in the shell's history/)
  assert.doesNotMatch(result.stderr, /abandon/)
})

test("identity use changes who show shows; an unknown name is refused", async () => {
  await using home = makeHome()
  await home.make("one")
  await home.make("two", { words: aboutWords })
  assert.match((await home.run(["identity", "show"])).stdout, /^one/)
  assert.equal((await home.run(["identity", "use", "two"])).code, 0)
  assert.match((await home.run(["identity", "show"])).stdout, /^two/)
  assert.match((await home.run(["--identity", "one", "identity", "show"])).stdout, /^one/)
  const unknown = await home.run(["identity", "use", "three"])
  assert.deepEqual([unknown.code, unknown.stdout], [1, ""])
  assert.match(unknown.stderr, /\[store\.unknown\]\nhint: /)
})

test("identity remove needs --yes where nobody can be asked, and warns of unchecked paper", async () => {
  await using home = makeHome()
  await home.make("one", { backup: "pending" })
  const asked = await home.run(["identity", "remove", "one"])
  assert.equal(asked.code, 2)
  assert.match(asked.stderr, /warning: nobody has checked.*\n.*\[input\.missing\]\nhint: Pass --yes\.\n$/)
  assert.equal((await home.run(["identity", "remove", "one", "--yes"])).code, 0)
  assert.deepEqual(readdirSync(home.paths.keys), [".lock"])
})

test("a pending backup is one warning on commands that sign, none on others and with -q", async () => {
  await using home = makeHome()
  await home.make("one", { backup: "pending" })
  await home.make("two", { words: aboutWords, backup: "pending" })
  for (const [args, count] of [
    [["identity", "show"], 0],
    [["claim", "list"], 0],
    [["claim", "create", "dns:example.org"], 1],
    [["-q", "claim", "create", "dns:example.com"], 0],
    [["sigchain", "add-device", "two"], 1],
    [["sigchain", "show"], 0],
  ] as const) {
    const { stderr } = await home.run(args)
    assert.equal(stderr.split("nobody has checked").length - 1, count, `${args.join(" ")}: ${stderr}`)
  }
})

test("identity passphrase changes what opens the key, and can take the encryption away", async () => {
  await using home = makeHome()
  await home.make("zero", { passphrase: "old" })
  const [oldFile, newFile] = [home.file("old", "old\n"), home.file("new", "new\r\n")]
  const args = ["identity", "passphrase", "--passphrase-file", oldFile]
  assert.equal((await home.run([...args, "--new-passphrase-file", newFile])).code, 0)
  assert.equal((await home.run([...args, "--new-passphrase-file", newFile])).code, 4)
  const none = await home.run(["identity", "passphrase", "--passphrase-file", newFile, "--no-passphrase", "--json"])
  assert.equal(readAnswer(none).data["protection"], "none")
  assert.deepEqual(readdirSync(home.paths.keys).sort(), [".lock", "zero.key"])
})

test("B8 a wrong passphrase and a damaged file answer alike, with 4", async () => {
  await using home = makeHome()
  await home.make("zero", { passphrase: "right" })
  const path = join(home.paths.keys, "zero.age")
  const whole = readFileSync(path, "utf8")
  const open = async (passphrase: string) => {
    const result = await home.run(["identity", "mnemonic", "--reveal-words"], { env: { KEZ_PASSPHRASE: passphrase } })
    return { code: result.code, stderr: result.stderr, stdout: result.stdout }
  }
  const wrong = await open("wrong")
  assert.equal(wrong.code, 4)
  assert.match(wrong.stderr, /\[key\.unlock\]/)
  for (const damaged of [whole.slice(0, 200), whole.replace("B", "C"), "", "not age"]) {
    writeFileSync(path, damaged)
    assert.deepEqual(await open("right"), wrong)
  }
})

test("B10 a key file that others can read is refused with the command that closes it", async () => {
  await using home = makeHome()
  await home.make("zero")
  chmodSync(join(home.paths.keys, "zero.key"), 0o644)
  const result = await home.run(["identity", "mnemonic", "--reveal-words"])
  assert.equal(result.code, 1)
  assert.match(result.stderr, /\[store\.permissions\]\nhint: .*chmod 600 '/)
})

test("a key file that lost its record is repaired by identity unlock", async () => {
  await using home = makeHome()
  await home.make("zero")
  rmSync(join(home.paths.identities, "zero.json"))
  assert.match((await home.run(["identity", "list"])).stderr, /identity unlock zero/)
  assert.match((await home.run(["identity", "show", "zero"])).stderr, /identity unlock zero/)
  assert.equal((await home.run(["identity", "unlock", "zero"])).code, 0)
  assert.equal((await home.run(["identity", "show", "zero", "--id"])).stdout.trim(), zeroIdentity)
})

test("B6 identity restore of a key that was rotated away says whose words are needed", async () => {
  await using home = makeHome()
  await home.make("old")
  const fresh = await home.make("new", { words: aboutWords })
  for (const args of [
    ["add", "dns:example.org"],
    ["rotate", "new"],
  ]) {
    const result = await home.run(["sigchain", ...args])
    assert.equal(result.code, 0, result.stderr)
  }
  const args = ["identity", "restore", "old", "--mnemonic", "-", "--no-passphrase", "--json"]
  const { warnings } = readAnswer(await home.run(args, { input: zeroWords }))
  assert.ok(warnings.some((warning) => warning.startsWith("this key was replaced") && warning.includes(fresh.identity)))
})

test("B5 no output holds a passphrase, a secret or words, with --debug and --json, in success and failure", async () => {
  await using home = makeHome()
  await home.make("zero", { passphrase: "canary-right", words: aboutWords })
  const secretHex = "09451c0f06588db78205e32a793536e15ae263c8f9ee6d14f5c6fd82b8bd20da"
  const words = home.file("words", aboutWords)
  const seed = home.file("seed", secretHex)
  const env = { KEZ_PASSPHRASE: "canary-right" }
  const wrong = { KEZ_PASSPHRASE: "canary-wrong" }
  const claim = ["claim", "create", "dns:example.org"]
  for (const [args, variables] of [
    [["identity", "new", "x"], env],
    [["identity", "mnemonic", "zero"], env],
    [["identity", "mnemonic", "zero", "--reveal-words"], wrong],
    [["identity", "unlock", "zero"], wrong],
    [["identity", "restore", "copy", "--mnemonic", `@${words}`], env],
    [["identity", "from-mnemonic", "--mnemonic", aboutWords.replace("about", "canary-word")], {}],
    [["identity", "passphrase", "zero", "--new-passphrase-file", home.file("new", "canary-new")], wrong],
    [[...claim, "--ed25519-seed", `@${seed}`], {}],
    [[...claim, "--ed25519-seed", secretHex], {}],
    [[...claim, "--nsec", "canary-nsec1"], {}],
    [[...claim, "--key-file", words], {}],
    [[...claim, "--key-file", join(home.dir, "missing")], {}],
    [["doctor", "--offline"], env],
    [["config", "show", "--origin"], env],
  ] as const) {
    for (const more of [["--debug"], ["--json"]]) {
      const { stdout, stderr } = await home.run([...args, ...more], { env: variables })
      for (const secret of ["canary-", secretHex, "abandon"]) {
        assert.ok(!(stdout + stderr).includes(secret), `${args.join(" ")} ${more}: ${secret}\n${stdout}${stderr}`)
      }
    }
  }
})
