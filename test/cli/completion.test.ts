/** Completion scripts, run by the shells themselves where they are here. */
import assert from "node:assert/strict"
import { execFileSync, spawnSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { runKez } from "../support/cli.ts"
import { aboutWords, type Home, makeHome } from "./support/home.ts"

const has = (shell: string): string | false =>
  spawnSync("sh", ["-c", `command -v ${shell}`]).status === 0 ? false : `no ${shell} here`

/** Puts a `kez` on the PATH, as an installed one would be. */
function shellEnv(home: Home): NodeJS.ProcessEnv {
  const bin = join(home.dir, "bin")
  mkdirSync(bin, { recursive: true })
  const main = join(import.meta.dirname, "../../apps/cli/src/main.ts")
  writeFileSync(join(bin, "kez"), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, { mode: 0o755 })
  return { PATH: `${bin}:${process.env["PATH"]}`, HOME: home.dir, KEZ_HOME: home.paths.data }
}

for (const [line, expected] of [
  [["kez", "ident"], ["identity"]],
  [["kez", "identity", "unl"], ["unlock"]],
  [["kez", "identity", "show", "a"], ["alice"]],
  [
    ["kez", "identity", "show", ""],
    ["alice", "bob", "--id"],
  ],
  [["kez", "--identity", "b"], ["bob"]],
  [["kez", "--json", "identity", "use", "al"], ["alice"]],
  [["kez", "identity", "new", "--mnem"], ["--mnemonic-words"]],
  [["kez", "completion", "po"], ["powershell"]],
  [["kez", "--color", "n"], ["never"]],
  [["kez", "claim", "create", "dns:example.org", "--format", "m"], ["markdown"]],
  [["kez", "sigchain", "export", "--format", "j"], ["jsonl"]],
  [["kez", "identity", "new", "--key-type", "n"], ["nostr"]],
  [["kez", "sigchain", "add-device", "a"], ["alice"]],
  [["kez", "sigchain", "rotate", "b"], ["bob"]],
  [["kez", "sigchain", "set-next", "al"], ["alice"]],
  [["kez", "help", "exit"], ["exit-codes"]],
  [["kez", "help", "ident"], ["identity"]],
  [["kez", "files", "share", "plan.txt", "--wi"], ["--with"]],
] as const) {
  test(`bash completes "${line.join(" ")}"`, { skip: has("bash") }, async () => {
    await using home = makeHome()
    await home.make("alice")
    await home.make("bob", { words: aboutWords })
    const words = line.map((word) => `'${word}'`).join(" ")
    const script = `eval "$(kez completion bash)"; COMP_WORDS=(${words}); COMP_CWORD=${line.length - 1}; _kez; printf '%s\\n' "\${COMPREPLY[@]}"`
    const found = execFileSync("bash", ["-c", script], { env: shellEnv(home), encoding: "utf8" })
      .trim()
      .split("\n")
    for (const word of expected) assert.ok(found.includes(word), `${word} in ${found.join(" ")}`)
    if (line.at(-1) !== "") assert.deepEqual(found, expected)
  })
}

for (const [shell, args] of [
  ["bash", ["-n"]],
  ["zsh", ["-n"]],
  ["fish", ["--no-execute"]],
] as const) {
  test(`${shell} reads its script without a complaint`, { skip: has(shell) }, async () => {
    await using home = makeHome()
    const script = home.file("script", (await runKez(["completion", shell])).stdout)
    const { status, stderr } = spawnSync(shell, [...args, script], { encoding: "utf8" })
    assert.deepEqual([status, stderr], [0, ""])
  })
}

test("the bash script uses nothing that bash 3.2 lacks", async () => {
  const { stdout } = await runKez(["completion", "bash"])
  assert.doesNotMatch(stdout, /mapfile|readarray|declare -A/)
})

for (const [line, expected] of [
  ["kez claim create x --format m", "markdown"],
  ["kez --color n", "never"],
  ["kez claim --color n", "never"],
  ["kez help exit", "exit-codes"],
  ["kez sigchain rotate a", "alice"],
] as const) {
  test(`fish completes "${line}"`, { skip: has("fish") }, async () => {
    await using home = makeHome()
    await home.make("alice")
    const script = `kez completion fish | source; complete -C "${line}"`
    const found = execFileSync("fish", ["-c", script], { env: shellEnv(home), encoding: "utf8" })
    assert.deepEqual(found.trim().split("\n"), [expected])
  })
}

test("every script names every command", async () => {
  for (const shell of ["bash", "zsh", "fish", "powershell"]) {
    const { stdout } = await runKez(["completion", shell])
    for (const word of ["identity", "from-mnemonic", "doctor", "claim", "verify", "sigchain"]) {
      assert.ok(stdout.includes(word), `${word} in ${shell}`)
    }
  }
})

test("__complete says nothing about faults", async () => {
  for (const args of [["identities"], ["profiles"], ["nonsense"], []]) {
    const result = await runKez(["__complete", ...args], { env: { KEZ_HOME: "/dev/null/x", KEZ_PROFILE: "../x" } })
    assert.deepEqual(result, { code: 0, stdout: "", stderr: "" })
  }
})
