/** The login of the real GitHub CLI, from a configuration that the test makes. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { text } from "node:stream/consumers"
import { type TestContext, test } from "node:test"
import { findServer, skipWithout } from "../support/servers.ts"

const skip = skipWithout("gh")
const token = `gho_${"kezTest0".repeat(4)}1234`
const asking = `
  const { tryGhToken } = await import(process.argv[1])
  const found = await tryGhToken(process.argv[2])
  process.send({ found })
  process.disconnect()
`

interface Told {
  readonly found: string | undefined
  readonly stdout: string
  readonly stderr: string
}

/** Asks in a process of its own, whose environment is that of a person with this gh. */
async function ask(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  more: NodeJS.ProcessEnv = {},
): Promise<Told> {
  const dir = mkdtempSync(join(tmpdir(), "kez-gh-"))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content, { mode: 0o755 })
  const path = findServer("gh") ?? ""
  const env = { PATH: dirname(path), HOME: dir, GH_CONFIG_DIR: dir, GH_NO_UPDATE_NOTIFIER: "1", ...more }
  if (env.PATH === "own") env.PATH = dir
  const module = join(import.meta.dirname, "../../apps/cli/src/gh-login.ts")
  const child = spawn(process.execPath, ["--input-type=module", "-e", asking, module, "github.com"], {
    env,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  })
  let found: string | undefined
  child.on("message", (message: { readonly found?: string }) => {
    found = message.found
  })
  assert.ok(child.stdout !== null && child.stderr !== null)
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { found, stdout, stderr }
}

test("tryGhToken() takes the token of a gh that is logged in, and shows it nowhere", { skip }, async (t) => {
  const hosts = `github.com:\n    user: jason\n    oauth_token: ${token}\n    git_protocol: https\n`
  const told = await ask(t, { "hosts.yml": hosts })
  assert.deepEqual(told, { found: token, stdout: "", stderr: "" })
})

test("tryGhToken() is undefined when gh is not logged in, or only elsewhere", { skip }, async (t) => {
  assert.deepEqual(await ask(t, {}), { found: undefined, stdout: "", stderr: "" })
  const elsewhere = `ghe.example.com:\n    user: jason\n    oauth_token: ${token}\n`
  assert.equal((await ask(t, { "hosts.yml": elsewhere })).found, undefined)
})

test("tryGhToken() takes what gh takes from the environment", { skip }, async (t) => {
  assert.equal((await ask(t, {}, { GH_TOKEN: token })).found, token)
})

test("tryGhToken() is undefined without gh, and for a gh that says something else", async (t) => {
  assert.equal((await ask(t, {}, { PATH: "own" })).found, undefined)
  const shell = findServer("sh") ?? "/bin/sh"
  const odd = await ask(t, { gh: `#!${shell}\necho "no token, but ${token} is a word"\n` }, { PATH: "own" })
  assert.deepEqual(odd, { found: undefined, stdout: "", stderr: "" })
  const failing = await ask(t, { gh: `#!${shell}\necho ${token}\nexit 1\n` }, { PATH: "own" })
  assert.equal(failing.found, undefined)
})

test("tryGhToken() is undefined when gh is silent for longer than anybody waits", async (t) => {
  const shell = findServer("sh") ?? "/bin/sh"
  const started = performance.now()
  const silent = await ask(t, { gh: `#!${shell}\nwhile :; do :; done\n` }, { PATH: "own" })
  assert.equal(silent.found, undefined)
  assert.ok(performance.now() - started < 15_000)
})
