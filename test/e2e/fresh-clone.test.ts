/** The first minute of somebody who clones KEZ: the real install, what triggers another one, and what does not. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { appendFile, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { after, before, type TestContext, test } from "node:test"
import { skipWithoutNats } from "../support/broker.ts"
import { freePortBase } from "../support/trial.ts"

const ROOT = join(import.meta.dirname, "../..")
const INSTALL_MS = 120_000
const UNREACHABLE = 5
/** Stands in for the command, so that these tests are about the launcher. */
const ECHO = `console.log(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd(), major: process.versions.node.split(".")[0] }))\n`

interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

let base = ""
let root = ""
let first: Result = { code: null, stdout: "", stderr: "" }

before(async () => {
  base = await mkdtemp(join(tmpdir(), "kez-clone-"))
  root = join(base, "kez")
  const cloned = await run("git", ["clone", "--quiet", ROOT, root], base)
  assert.equal(cloned.code, 0, cloned.stderr)
  first = await run(join(root, "kez"), ["--version"], base)
})

after(() => rm(base, { recursive: true, force: true }))

/** True when the test has to end here: npm cannot reach its registry, which only CI may count as a failure. */
function isOffline(t: TestContext): boolean {
  if (first.code !== UNREACHABLE || process.env["CI"] === "true") return false
  t.skip("npm cannot reach its registry")
  return true
}

test("kez --version installs and answers when the clone is fresh", async (t) => {
  if (isOffline(t)) return
  assert.equal(first.code, 0, first.stderr)
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"))
  assert.match(first.stdout, new RegExp(`^[^\\n]*${version.replaceAll(".", "\\.")}[^\\n]*\\n$`))
  assert.match(first.stderr, /^(?:kez: [^\n]+\n)+$/)
  assert.match(first.stderr, /^kez: installed in \d+ s$/m)
  const status = await run("git", ["status", "--porcelain"], root)
  assert.equal(status.stdout, "", "the install leaves the clone as git knows it")
})

test("kez does not install when everything is in place", async (t) => {
  if (isOffline(t)) return
  const stamp = join(root, "node_modules/.kez/lock")
  const { mtimeMs } = await stat(stamp)
  const second = await run(join(root, "kez"), ["--version"], base)
  assert.deepEqual(second, { code: 0, stdout: first.stdout, stderr: "" })
  assert.equal((await stat(stamp)).mtimeMs, mtimeMs)
})

test("both servers run from the clone", async (t) => {
  if (isOffline(t)) return
  for (const name of ["kez-sig-server", "kez-chat-server"]) {
    const { code, stdout } = await run(join(root, name), ["version"], base)
    assert.equal(code, 0)
    assert.match(stdout, new RegExp(`^${name} \\d+\\.`))
  }
})

test("npm start brings the whole system up from the clone", { skip: skipWithoutNats }, async (t) => {
  if (isOffline(t)) return
  const started = await run("npm", ["start", "--", "--check", "--port-base", String(await freePortBase())], root)
  assert.equal(started.code, 0, `${started.stdout}${started.stderr}`)
  assert.match(started.stdout, /^ok alice@localhost, bob@localhost: each with a proof on the local site/m)
  const status = await run("git", ["status", "--porcelain"], root)
  assert.equal(status.stdout, "", "what it keeps is ignored by git")
})

test("kez keeps arguments and directory when it is called through a symlink", async (t) => {
  if (isOffline(t)) return
  await writeFile(join(root, "apps/cli/src/main.ts"), ECHO)
  const elsewhere = join(base, "else where")
  await mkdir(elsewhere)
  await symlink("../kez/kez", join(elsewhere, "link"))
  const { stdout, stderr } = await run("./link", ["a b", "", "*"], elsewhere)
  assert.deepEqual(JSON.parse(stdout), { args: ["a b", "", "*"], cwd: elsewhere, major: "24" })
  assert.equal(stderr, "")
})

test("kez installs again when package-lock.json has changed", async (t) => {
  if (isOffline(t)) return
  await appendFile(join(root, "package-lock.json"), "\n")
  const { stdout, stderr } = await run(join(root, "kez"), [], base)
  assert.match(stderr, /package-lock\.json has changed/)
  assert.equal(JSON.parse(stdout).major, "24")
  assert.equal((await run(join(root, "kez"), [], base)).stderr, "")
})

test("kez repairs the installed packages when an install was cut short", async (t) => {
  if (isOffline(t)) return
  await rm(join(root, "node_modules/.kez"), { recursive: true })
  await rm(join(root, "node_modules/commander"), { recursive: true })
  const { stdout, stderr } = await run(join(root, "kez"), [], base)
  assert.match(stderr, /incomplete; installing again/)
  assert.equal(JSON.parse(stdout).major, "24")
  assert.ok((await stat(join(root, "node_modules/commander"))).isDirectory())
})

/** As a person starts it: without what `npm test` and the launcher of this repository put into the environment. */
function outerEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^npm_|^NODE_|^INIT_CWD$|^GIT_/i.test(name))
  const path = (process.env["PATH"] ?? "").split(delimiter).filter((dir) => !dir.startsWith(ROOT))
  return { ...Object.fromEntries(own), PATH: path.join(delimiter), CI: "true" }
}

function run(command: string, args: readonly string[], cwd: string): Promise<Result> {
  return new Promise((resolve, reject) => {
    const stdio: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"]
    const child = spawn(command, args, { cwd, stdio, env: outerEnvironment(), timeout: INSTALL_MS })
    let stdout = ""
    let stderr = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text
    })
    child.on("error", reject)
    child.on("close", (code) => resolve({ code, stdout, stderr }))
  })
}
