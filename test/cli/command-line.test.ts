/** What holds for every command: one JSON object, help with examples, exit codes, pipes, no waiting for nobody. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import type { Command } from "commander"
import { examplesFor, pathOf } from "../../apps/cli/src/program/help.ts"
import { createProgram } from "../../apps/cli/src/program.ts"
import { runKez } from "../support/cli.ts"
import { makeHome, readAnswer } from "./support/home.ts"

const ROOT = join(import.meta.dirname, "../..")
const MAIN = join(ROOT, "apps/cli/src/main.ts")

function allCommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(allCommands)]
}

test("every command has a purpose and up to four examples, a group at least two, each of which is kez itself", () => {
  for (const command of allCommands(createProgram())) {
    const examples = examplesFor(command)
    assert.ok(command.description().endsWith("."), `${pathOf(command)}: ${command.description()}`)
    const least = command.commands.length > 0 ? 2 : 1
    assert.ok(examples.length >= least && examples.length <= 4, `${pathOf(command)} has ${examples.length} examples`)
    for (const example of examples) assert.match(example, /\bkez /)
  }
})

test("every example parses: its commands and options exist", async () => {
  for (const command of allCommands(createProgram())) {
    for (const example of examplesFor(command).filter((line) => line.startsWith("kez "))) {
      const words = (example.split(/ [<>|]/)[0] ?? "").match(/'[^']*'|"[^"]*"|\S+/g)?.slice(1) ?? []
      const program = createProgram()
      for (const each of allCommands(program)) each.action(() => {})
      await program.parseAsync(
        words.map((word) => word.replace(/^['"]|['"]$/g, "")),
        { from: "user" },
      )
    }
  }
})

test("--help shows examples before options, on stdout, with 0", async () => {
  const { code, stdout, stderr } = await runKez(["identity", "new", "--help"])
  assert.deepEqual([code, stderr], [0, ""])
  assert.ok(stdout.indexOf("\nExamples\n") < stdout.indexOf("\nOptions\n"))
  assert.deepEqual(await runKez(["help", "identity", "new"]), { code, stdout, stderr })
})

test("kez alone shows help; a group alone shows its help on stderr with 2", async () => {
  const alone = await runKez([])
  assert.equal(alone.code, 0)
  assert.match(alone.stdout, /kez identity new/)
  const group = await runKez(["identity"])
  assert.deepEqual([group.code, group.stdout], [2, ""])
  assert.match(group.stderr, /Usage {2}kez identity/)
})

for (const [args, hint] of [
  [["identty"], "identity"],
  [["identity", "unlok"], "unlock"],
  [["identity", "new", "--mnemonic-word", "12"], "--mnemonic-words"],
  [["help", "exit-code"], "exit-codes"],
  [["identity", "lst"], "list"],
] as const) {
  test(`kez ${args.join(" ")} asks whether ${hint} was meant`, async () => {
    const { code, stdout, stderr } = await runKez(args)
    assert.deepEqual([code, stdout], [2, ""])
    assert.match(stderr, new RegExp(`^kez: .* \\[usage\\]\nhint: Did you mean ${hint}\\?\n$`))
  })
}

for (const [typed, hint] of [
  ["dns:example.org", "To check an account: kez verify id IDENTITY"],
  ["examples/claim.md", "To check a file: kez verify file PATH"],
] as const) {
  test(`kez verify ${typed} is told its command`, async () => {
    const { code, stderr } = await runKez(["verify", typed])
    assert.equal(code, 2)
    assert.match(stderr, new RegExp(`^kez: .* \\[usage\\]\nhint: ${hint}\n$`))
  })
}

test("a usage error repeats no argument: it may be a secret", async () => {
  const secret = "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5"
  for (const args of [
    [secret],
    ["identity", secret],
    ["identity", "list", secret],
    [`--nsec=${secret}`],
    ["help", secret],
  ]) {
    for (const more of [[], ["--json"]]) {
      const { code, stdout, stderr } = await runKez([...args, ...more])
      assert.equal(code, 2)
      assert.ok(!(stdout + stderr).includes(secret.slice(0, 20)), stdout + stderr)
    }
  }
})

for (const topic of ["exit-codes", "environment", "channels", "json"]) {
  test(`kez help ${topic} is a page`, async () => {
    const { code, stdout } = await runKez(["help", topic])
    assert.equal(code, 0)
    assert.ok(stdout.split("\n").length > 5)
  })
}

test("--json is one object for every outcome: results, refusals, usage errors, versions", async () => {
  await using home = makeHome()
  await home.make("zero")
  for (const [args, schema, ok] of [
    [["--version"], "kez.version/1", true],
    [["identity", "list"], "kez.identities/1", true],
    [["identity", "show"], "kez.identity/1", true],
    [["identity", "use", "zero"], "kez.identity/1", true],
    [["identity", "lock"], "kez.lock/1", true],
    [["identity", "mnemonic", "--reveal-words"], "kez.mnemonic/1", true],
    [["config", "show"], "kez.config/1", true],
    [["doctor", "--offline"], "kez.doctor/1", true],
    [["completion", "bash"], "kez.completion/1", true],
    [["help", "json"], "kez.help/1", true],
    [["identity", "remove", "zero", "--yes"], "kez.identity_removed/1", true],
    [["identity", "show"], "kez.error/1", false],
    [["identity", "mnemonic"], "kez.error/1", false],
    [["identity"], "kez.error/1", false],
    [["nothing"], "kez.error/1", false],
    [["--profile", "A/B", "identity", "list"], "kez.error/1", false],
  ] as const) {
    const result = await home.run([...args, "--json"])
    const answer = readAnswer(result)
    assert.deepEqual([answer.schema, answer.ok, result.stderr], [schema, ok, ""], args.join(" "))
    assert.equal(result.code === 0, ok, args.join(" "))
    if (!ok) assert.match(answer.error.code, /^[a-z]+(?:\.[a-z_]+)?$/)
  }
})

test("every schema has a section in docs/json.md", async () => {
  const { globSync } = await import("node:fs")
  const document = readFileSync(join(ROOT, "docs/json.md"), "utf8")
  const files = globSync("apps/cli/src/**/*.ts", { cwd: ROOT }).map((path) => readFileSync(join(ROOT, path), "utf8"))
  const schemas = new Set(files.flatMap((text) => text.match(/(?<=")kez\.[a-z_]+\/1(?=")/g) ?? []))
  assert.ok(schemas.size > 10)
  const missing = [...schemas].filter((schema) => !document.includes(`\n## \`${schema}\`\n`))
  assert.deepEqual(missing.sort(), [])
})

test("a reader that stops early is no failure", async () => {
  const child = spawn(process.execPath, [MAIN, "completion", "bash"], { stdio: ["ignore", "pipe", "pipe"] })
  child.stdout.destroy()
  let stderr = ""
  child.stderr.on("data", (part) => {
    stderr += part
  })
  const code = await new Promise((resolve) => child.on("close", resolve))
  assert.deepEqual([code, stderr], [0, ""])
})

test("a closed stdin and an open one that says nothing make no command wait", async () => {
  await using home = makeHome()
  for (const args of [
    ["identity", "new", "x"],
    ["identity", "restore"],
    ["identity", "from-mnemonic"],
  ]) {
    for (const stdin of ["ignore", "pipe"] as const) {
      const env = { PATH: process.env["PATH"], HOME: home.dir, KEZ_HOME: home.paths.data }
      const child = spawn(process.execPath, [MAIN, ...args], { stdio: [stdin, "pipe", "pipe"], env, timeout: 10_000 })
      assert.equal(await new Promise((resolve) => child.on("close", resolve)), 2, `${args.join(" ")} with ${stdin}`)
    }
  }
})

test("colours appear only where they are wanted", async () => {
  await using home = makeHome()
  await home.make("zero")
  const colored = (result: { readonly stdout: string }) => result.stdout.includes("\x1b[")
  assert.equal(colored(await home.run(["identity", "list"])), false)
  assert.equal(colored(await home.run(["identity", "list", "--color", "always"])), true)
  assert.equal(colored(await home.run(["identity", "list"], { env: { NO_COLOR: undefined, FORCE_COLOR: "1" } })), true)
  assert.equal(colored(await home.run(["identity", "list"], { env: { FORCE_COLOR: "1" } })), false)
})

test("config.toml is honoured, and a typing error in it is told", async () => {
  await using home = makeHome()
  await home.make("zero")
  writeFileSync(home.paths.configFile, 'unlock_for = "1h"\n')
  const shown = await home.run(["config", "show", "--origin"])
  assert.match(shown.stdout, /unlock_for +1h +config\.toml/)
  writeFileSync(home.paths.configFile, 'unlock_fro = "1h"\n')
  const refused = await home.run(["config", "show"])
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /\[usage\]\nhint: Did you mean unlock_for\?/)
})

test("config show names relays, hosts and resolvers in force, and of a token only that it is set", async () => {
  await using home = makeHome()
  await home.make("zero")
  writeFileSync(home.paths.configFile, '[hosts]\nlocalhost = "http://127.0.0.1:7878"\n')
  const env = { GITHUB_TOKEN: "ghp_secret", KEZ_RELAYS: "wss://a.example" }
  const shown = await home.run(["config", "show", "--origin"], { env })
  assert.match(shown.stdout, /^hosts +localhost=http:\/\/127\.0\.0\.1:7878 +config\.toml$/m)
  assert.match(shown.stdout, /^relays +wss:\/\/a\.example +environment$/m)
  assert.match(shown.stdout, /^github_token +set +environment$/m)
  const json = await home.run(["config", "show", "--json"], { env })
  assert.doesNotMatch(shown.stdout + json.stdout, /ghp_secret/)
  assert.match((await home.run(["config", "show"])).stdout, /^relays +wss:\/\/[^,]+,wss:.*\n(.*\n)*github_token +-$/m)
})

test("doctor names no identity and no key", async () => {
  await using home = makeHome()
  const record = await home.make("secretname", { backup: "pending" })
  const { stdout } = await home.run(["doctor", "--offline"])
  assert.doesNotMatch(stdout, /secretname/)
  assert.ok(!stdout.includes(record.identity))
  assert.match(stdout, /! paper +1 never checked/)
})

test("doctor tells of a damaged store and an unreadable record, and calls nothing checked that it could not read", async () => {
  await using home = makeHome()
  await home.make("zero")
  writeFileSync(home.paths.database, "no database at all, but long enough to be taken for one".repeat(20))
  writeFileSync(join(home.paths.identities, "zero.json"), "{")
  const { code, stdout } = await home.run(["doctor", "--offline"])
  assert.equal(code, 1)
  assert.match(stdout, /✕ database .*\[store\.corrupt\]/)
  assert.match(stdout, /✕ identities .*\[store\.corrupt\]/)
  assert.match(stdout, /! key files +unknown[\s\S]*! paper +unknown/)
  assert.match(stdout, /\n2 problems, 2 warnings\.\n$/)
})

test("doctor counts warnings", async () => {
  await using home = makeHome()
  await home.make("zero", { backup: "pending" })
  assert.match((await home.run(["doctor", "--offline"])).stdout, /\nNo problems, 2 warnings\.\n$/)
})

test("doctor sees a home that cannot be made", async () => {
  await using home = makeHome()
  const parent = join(home.dir, "closed")
  mkdirSync(parent, { mode: 0o500 })
  const isAllowed = process.getuid?.() === 0 // no mode stops root, but a place that is no directory does
  const state = isAllowed ? home.file("file", "") : parent
  const env = { KEZ_HOME: undefined, XDG_CONFIG_HOME: home.dir, XDG_DATA_HOME: join(state, "data") }
  const { code, stdout } = await home.run(["doctor", "--offline"], { env })
  assert.equal(code, 1)
  assert.match(stdout, /✕ data .*cannot be made/)
})
