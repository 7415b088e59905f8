/** The launcher's bad days, with a pretend npm: no network, old Node, two first starts, an install cut short. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type TestContext, test } from "node:test"

const ROOT = join(import.meta.dirname, "../..")

/** Puts a Node where the packaged one would be. What npm does when all is well. */
const NPM_OK = `mkdir -p node_modules/node-here/bin && ln -s '${process.execPath}' node_modules/node-here/bin/node`

interface Clone {
  readonly root: string
  readonly bin: string
  run(command: string, env?: Record<string, string>): Promise<Result>
  npm(script: string): Promise<void>
  npmCalls(): Promise<string[]>
}

interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

async function clone(t: TestContext): Promise<Clone> {
  const base = await mkdtemp(join(tmpdir(), "kez-launcher-"))
  t.after(() => rm(base, { recursive: true, force: true }))
  const root = join(base, "clone with space")
  const bin = join(base, "bin")
  await mkdir(join(root, "scripts"), { recursive: true })
  await mkdir(join(root, "apps/cli/src"), { recursive: true })
  await mkdir(bin)
  for (const file of ["kez", "scripts/node.sh", "scripts/runtime.sh", "scripts/install.sh"]) {
    await cp(join(ROOT, file), join(root, file))
  }
  await writeFile(join(root, "package-lock.json"), "{}\n")
  await writeFile(join(root, "apps/cli/src/main.ts"), "console.log(JSON.stringify(process.argv.slice(2)))\n")
  await executable(join(bin, "node"), "[ \"$1\" = -v ] && echo v18.19.0 && exit; echo '18.19.0 /opt/node18'")
  const self: Clone = {
    root,
    bin,
    run: (command, env = {}) => run(command, root, { PATH: `${bin}:/usr/bin:/bin`, HOME: base, ...env }),
    npm: (script) => executable(join(bin, "npm"), `echo "$1" >>'${bin}/calls'\n${script}`),
    npmCalls: async () => (await readFile(join(bin, "calls"), "utf8").catch(() => "")).split("\n").filter(Boolean),
  }
  await self.npm(NPM_OK)
  return self
}

async function executable(path: string, script: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${script}\n`)
  await chmod(path, 0o755)
}

function run(command: string, cwd: string, env: Record<string, string>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn("/bin/sh", ["-c", command], { cwd, env, stdio: ["pipe", "pipe", "pipe"], timeout: 30_000 })
    let stdout = ""
    let stderr = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text
    })
    // A command that ends without reading its input closes the pipe first.
    child.stdin.on("error", () => {})
    child.stdin.end("the command's own input\n")
    child.on("error", reject)
    child.on("close", (code) => resolve({ code, stdout, stderr }))
  })
}

test("kez installs on the first start and not on the second", async (t) => {
  const here = await clone(t)
  const first = await here.run("./kez one 'two words' ''")
  assert.deepEqual({ code: first.code, stdout: first.stdout }, { code: 0, stdout: '["one","two words",""]\n' })
  assert.match(first.stderr, /^kez: first start: .*\nkez: installed in \d+ s\n$/)
  assert.deepEqual(await here.run("./kez again"), { code: 0, stdout: '["again"]\n', stderr: "" })
  assert.deepEqual(await here.npmCalls(), ["ci"])
})

test("the launchers of both servers install and hand over, too", async (t) => {
  const here = await clone(t)
  for (const name of ["sig-server", "chat-server"]) {
    await cp(join(ROOT, `kez-${name}`), join(here.root, `kez-${name}`))
    await mkdir(join(here.root, "apps", name, "src"), { recursive: true })
    await cp(join(here.root, "apps/cli/src/main.ts"), join(here.root, "apps", name, "src/main.ts"))
    await symlink(`clone with space/kez-${name}`, join(here.root, "..", name))
    assert.equal((await here.run(`./kez-${name} a 'b c'`)).stdout, '["a","b c"]\n')
    assert.equal((await here.run(`cd .. && ./${name} a`)).stdout, '["a"]\n')
  }
  assert.deepEqual(await here.npmCalls(), ["ci"])
})

test("kez leaves stdin to the command when npm reads it", async (t) => {
  const here = await clone(t)
  await here.npm(`cat >/dev/null; ${NPM_OK}`)
  await writeFile(join(here.root, "apps/cli/src/main.ts"), "process.stdin.pipe(process.stdout)\n")
  assert.equal((await here.run("./kez")).stdout, "the command's own input\n")
})

test("kez installs once when two first starts meet", async (t) => {
  const here = await clone(t)
  await here.npm(`sleep 1; ${NPM_OK}`)
  const [a, b] = await Promise.all([here.run("./kez a"), here.run("./kez b")])
  assert.deepEqual([a?.stdout, b?.stdout], ['["a"]\n', '["b"]\n'])
  assert.deepEqual(await here.npmCalls(), ["ci"])
})

test("kez takes over the lock of a process that is gone", async (t) => {
  const here = await clone(t)
  await mkdir(join(here.root, ".cache/install.lock"), { recursive: true })
  await writeFile(join(here.root, ".cache/install.lock/pid"), "99999999\n")
  assert.equal((await here.run("./kez a")).stdout, '["a"]\n')
})

test("kez installs again when an install was cut short", async (t) => {
  const here = await clone(t)
  await here.npm("mkdir -p node_modules/half; kill -9 $PPID; kill -9 $(cat .cache/install.lock/pid); sleep 1")
  assert.notEqual((await here.run("./kez a")).code, 0)
  await here.npm(NPM_OK)
  const second = await here.run("./kez a")
  assert.equal(second.stdout, '["a"]\n')
  assert.match(second.stderr, /incomplete; installing again/)
})

test("kez installs again when the lock file has changed", async (t) => {
  const here = await clone(t)
  await here.run("./kez a")
  await writeFile(join(here.root, "package-lock.json"), '{"changed":true}\n')
  await here.npm(`rm -rf node_modules; ${NPM_OK}`)
  assert.match((await here.run("./kez a")).stderr, /package-lock.json has changed; installing/)
  assert.equal((await here.run("./kez a")).stderr, "")
})

test("kez says which Node it found and exits 2 when none is new enough", async (t) => {
  const here = await clone(t)
  await here.npm("mkdir -p node_modules")
  const { code, stdout, stderr } = await here.run("./kez a")
  assert.deepEqual({ code, stdout }, { code: 2, stdout: "" })
  assert.match(stderr, /^kez: KEZ needs Node 24; this machine has v18\.19\.0 and /m)
  assert.match(stderr, /^hint: install Node 24\.12 or newer/m)
})

test("kez uses the Node on PATH when it is new enough and none is packaged", async (t) => {
  const here = await clone(t)
  await here.npm("mkdir -p node_modules")
  await rm(join(here.bin, "node"))
  await symlink(process.execPath, join(here.bin, "node"))
  assert.equal((await here.run("./kez a")).stdout, '["a"]\n')
  assert.equal(await readFile(join(here.root, "node_modules/.kez/node"), "utf8"), `${process.execPath}\n`)
})

test("kez names the cause and exits 5 when the registry cannot be reached", async (t) => {
  const here = await clone(t)
  await here.npm("echo 'npm error code ENOTFOUND' >&2; exit 1")
  const { code, stderr } = await here.run("./kez a")
  assert.equal(code, 5)
  assert.match(stderr, /^kez: could not reach the npm registry \(ENOTFOUND\)$/m)
  assert.match(stderr, /^hint: behind a proxy\?/m)
})

test("kez shows the end of what npm said and exits 1 when npm fails otherwise", async (t) => {
  const here = await clone(t)
  await here.npm("echo 'npm error code EINTEGRITY'; exit 1")
  const { code, stderr } = await here.run("./kez a")
  assert.equal(code, 1)
  assert.match(stderr, /npm error code EINTEGRITY[\s\S]*install\.log/)
})

test("kez falls back to npm install once when npm ci refuses the lock file", async (t) => {
  const here = await clone(t)
  await here.npm(`[ "$1" = ci ] && { echo 'npm error code EUSAGE'; exit 1; }\n${NPM_OK}`)
  const { stdout, stderr } = await here.run("./kez a")
  assert.equal(stdout, '["a"]\n')
  assert.match(stderr, /npm install --no-save/)
  assert.deepEqual(await here.npmCalls(), ["ci", "install"])
})

test("kez says what to install and exits 2 when npm is missing", async (t) => {
  const here = await clone(t)
  await rm(join(here.bin, "npm"))
  for (const tool of ["uname", "cmp", "mkdir", "readlink"]) await symlink(`/usr/bin/${tool}`, join(here.bin, tool))
  const { code, stderr } = await here.run("./kez a", { PATH: here.bin })
  assert.equal(code, 2)
  assert.match(stderr, /^kez: npm is missing/)
})

test("kez writes nothing when all is in place", async (t) => {
  const here = await clone(t)
  await here.run("./kez a")
  const { stdout } = await here.run("touch ../mark && sleep 0.1 && ./kez a && find . -newer ../mark")
  assert.equal(stdout, '["a"]\n')
})

test("kez leaves the caller's directory alone when it is called through symlinks", async (t) => {
  const here = await clone(t)
  await writeFile(join(here.root, "apps/cli/src/main.ts"), "console.log(process.cwd())\n")
  await mkdir(join(here.root, "../else where"))
  await symlink("clone with space/kez", join(here.root, "../one"))
  await symlink(join(here.root, "../one"), join(here.root, "../else where/two"))
  const { stdout: elsewhere } = await here.run("cd '../else where' && pwd -P && ./two")
  assert.match(elsewhere, /^(.+)\n\1\n$/)
  for (const shell of ["dash", "bash", "busybox sh", "sh"]) {
    const call = `command -v ${shell} >/dev/null || { echo none; exit; }; cd apps && pwd -P`
    const { stdout, stderr } = await here.run(
      `${call} && ${shell} ../kez && ${shell} "../../else where/two" && ${shell} ../scripts/node.sh -p 'process.cwd()'`,
    )
    if (stdout !== "none\n") assert.match(stdout, /^(.+)\n\1\n\1\n\1\n$/, `${shell}: ${stderr}`)
  }
})
