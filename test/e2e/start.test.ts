/** `npm start` on a fresh folder: all of it there, both people proven, and nothing left of it after Ctrl-C. */
import assert from "node:assert/strict"
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, type TestContext, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { promisify } from "node:util"
import { skipWithoutNats } from "../support/broker.ts"
import { isFree } from "../support/ports.ts"
import { freePortBase, processesWith, slowdown, startTrial, type Trial } from "../support/trial.ts"

const ROOT = join(import.meta.dirname, "../..")
const secondStartMs = 5_000
const eventuallyMs = 30_000
const skip = process.platform === "linux" ? skipWithoutNats : "looks into /proc"

const base = mkdtempSync(join(tmpdir(), "kez-start-"))
const folder = join(base, "trial")
let ports = 0
after(() => rmSync(base, { recursive: true, force: true }))
before(async () => {
  ports = await freePortBase()
})

const start = (t: Parameters<typeof startTrial>[0], ...more: readonly string[]): Trial =>
  startTrial(t, ["--folder", folder, "--port-base", String(ports), ...more])

/** Where there is no kez-iroh, no command for files is printed. */
function fileCommands(trial: Trial): readonly string[] {
  return /^ok kez-iroh: moves files/m.test(trial.said()) ? ["send README.md", "receive alice"] : []
}

/** A command as it was printed, in a shell. */
async function runPrinted(command: string): Promise<string> {
  const { stdout } = await promisify(execFile)("sh", ["-c", command], { cwd: ROOT, encoding: "utf8" })
  return stdout
}

/** A printed chat command, whose input stays open until it is ended. */
function openPrinted(
  t: TestContext,
  command: string,
): { readonly said: () => string; type(text: string): void; end(): Promise<void> } {
  const child = spawn("sh", ["-c", `exec env ${command}`], { cwd: ROOT, stdio: ["pipe", "pipe", "pipe"] })
  const closed = once(child, "close")
  let text = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (more: string) => {
      text += more
    })
  }
  t.after(() => child.kill("SIGKILL"))
  return {
    said: () => text,
    type: (line) => child.stdin.write(`${line}\n`),
    async end() {
      child.stdin.end()
      await closed
    },
  }
}

async function eventually(what: () => boolean, explain: () => string): Promise<void> {
  const until = Date.now() + eventuallyMs
  while (!what()) {
    if (Date.now() > until) assert.fail(explain())
    await sleep(20)
  }
}

async function assertNothingLeft(): Promise<void> {
  assert.deepEqual(processesWith(folder), [])
  for (const step of [0, 1, 2, 3, 4, 5]) assert.equal(await isFree(ports + step), true, `port ${ports + step}`)
}

test("npm start brings all up, two people prove themselves and chat, and Ctrl-C leaves nothing", {
  skip,
}, async (t) => {
  const trial = start(t)
  await trial.ready()
  for (const name of ["sig-server", "nats-server 2", "chat-server", "local site", "alice@localhost, bob@localhost"]) {
    assert.match(trial.said(), new RegExp(`^ok ${name}`, "m"))
  }
  const commands = [...trial.said().matchAll(/^ {4}(KEZ_HOME=.*)$/gm)].map(([, command]) => command ?? "")
  assert.deepEqual(
    commands.map((command) => /\.\/kez (\S+ \S+)/.exec(command)?.[1]),
    ["chat bob", "chat alice", ...fileCommands(trial), "verify id"],
  )
  const shown = await runPrinted(commands.at(-1) ?? "")
  assert.equal(shown.match(/✓/g)?.length, 2, shown)
  for (const [reader, name] of [
    ["alice", "bob"],
    ["bob", "alice"],
  ] as const) {
    const ids = `ap:${name}@social.localhost kez:${name}@localhost`
    const { data } = JSON.parse(await runPrinted(`KEZ_HOME=${folder}/${reader} ./kez verify id ${ids} --json`))
    assert.deepEqual([data.valid, data.total], [2, 2])
    const account = JSON.parse(await runPrinted(`KEZ_HOME=${folder}/${name} ./kez account show --json`))
    assert.equal(account.data.archive, "on")
    assert.equal(
      readFileSync(join(folder, name, "recovery-words.txt"), "utf8")
        .trim()
        .split(" ").length,
      24,
    )
    assert.equal(statSync(join(folder, name, "recovery-words.txt")).mode & 0o777, 0o600)
  }
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  const [bob, alice] = [commands[1], commands[0]].map((command) => openPrinted(t, command ?? ""))
  alice?.type("hello from the other terminal")
  await eventually(
    () => bob?.said().includes("alice@localhost: hello from the other terminal") === true,
    () => `alice: ${alice?.said()}\nbob: ${bob?.said()}`,
  )
  await Promise.all([alice?.end(), bob?.end()])
  const second = start(t)
  assert.equal(await second.ended(), 1)
  assert.match(second.said(), /running already with .*process \d+ \[store\.busy\]/)
  trial.interrupt()
  // The shell between npm and us may die of the same Ctrl-C, and npm then does, too.
  const code = await trial.ended()
  assert.ok(code === 0 || trial.child.signalCode === "SIGINT", trial.said())
  assert.match(trial.said(), /^ok stopped: chat-server, sig-server, nats-server, local site/m)
  assert.doesNotMatch(trial.said(), /npm error/i)
  await assertNothingLeft()
})

test("npm start is there again within 5 s, and stops all when one server dies", { skip }, async (t) => {
  assert.ok(existsSync(join(folder, "alice/ready.json")), "the test before has made it")
  const words = readFileSync(join(folder, "alice/recovery-words.txt"), "utf8")
  // Other tests run at the same time: what counts is the time on a computer that does nothing else.
  const before = slowdown()
  const began = performance.now()
  const trial = start(t)
  await trial.ready()
  const tookMs = performance.now() - began
  const aloneMs = tookMs / Math.max(before, slowdown())
  t.diagnostic(`second start: ${Math.round(tookMs)} ms, ${Math.round(aloneMs)} ms alone`)
  assert.ok(aloneMs < secondStartMs, `${tookMs} ms, ${aloneMs} ms alone`)
  assert.equal(readFileSync(join(folder, "alice/recovery-words.txt"), "utf8"), words)
  const { children } = JSON.parse(readFileSync(join(folder, "running.json"), "utf8"))
  process.kill(children.find(({ name }: { name: string }) => name === "chat-server").pid, "SIGKILL")
  assert.equal(await trial.ended(), 1)
  assert.match(trial.said(), /^failed chat-server: ended by itself \(signal SIGKILL\)/m)
  assert.match(trial.said(), /"msg":"listening"/, "the end of its log")
  await assertNothingLeft()
})
