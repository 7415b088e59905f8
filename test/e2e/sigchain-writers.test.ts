/** Chains under writers that are killed and writers that meet: what was reported as done is there, and nothing forks. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { after, test } from "node:test"
import { createSigner } from "../../packages/core/src/index.ts"
import { runKez } from "../support/cli.ts"

const main = join(import.meta.dirname, "../../apps/cli/src/main.ts")
const kills = 15
const dir = mkdtempSync(join(tmpdir(), "kez-writers-"))
after(() => rmSync(dir, { recursive: true, force: true }))

function person(name: string, fill: number) {
  const secret = new Uint8Array(32).fill(fill)
  const file = join(dir, `${name}.seed`)
  writeFileSync(file, Buffer.from(secret).toString("hex"), { mode: 0o600 })
  const { key } = createSigner("ed25519", secret)
  return { key, env: { KEZ_HOME: join(dir, name) }, seed: ["--ed25519-seed", `@${file}`] }
}

interface Shown {
  readonly status: string
  readonly events: ReadonlyArray<{ readonly seq: number; readonly payload: { readonly subject: string } }>
}

async function show(owner: ReturnType<typeof person>): Promise<Shown> {
  const { stdout, code } = await runKez(["sigchain", "show", owner.key, "--json"], { env: owner.env })
  assert.equal(code, 0, stdout)
  return JSON.parse(stdout).data
}

/** Resolves to whether the command said that it was done before it was killed. */
function addAndKill(owner: ReturnType<typeof person>, subject: string, afterMs: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, "sigchain", "add", subject, ...owner.seed, "--json"], {
      env: { PATH: process.env["PATH"] ?? "", HOME: dir, CI: "true", ...owner.env },
    })
    let said = ""
    child.stdout.on("data", (bytes: Buffer) => {
      said += bytes.toString()
    })
    const timer = setTimeout(() => child.kill("SIGKILL"), afterMs)
    child.on("error", reject)
    child.on("close", () => {
      clearTimeout(timer)
      resolve(said.includes('"ok":true'))
    })
  })
}

test(`kill -9 during appends, ${kills} times, loses nothing that was reported as done`, async () => {
  const owner = person("killed", 21)
  const began = Date.now()
  assert.equal(await addAndKill(owner, "github:first", 60_000), true)
  // Where in its work a command is hit depends on how long it takes here: the times are spread over all of it.
  const tookMs = Date.now() - began
  const done = ["github:first"]
  for (let at = 0; at < kills; at++) {
    const subject = `github:user-${at}`
    if (await addAndKill(owner, subject, tookMs * (0.3 + (0.9 * at) / kills))) done.push(subject)
    const { status, events } = await show(owner)
    const subjects = events.map(({ payload }) => payload.subject)
    assert.equal(status, "ok")
    assert.deepEqual(
      done.filter((one) => !subjects.includes(one)),
      [],
    )
  }
  const store = new DatabaseSync(join(owner.env.KEZ_HOME, "kez.db"))
  assert.deepEqual({ ...store.prepare("PRAGMA integrity_check").get() }, { integrity_check: "ok" })
  store.close()
})

test("appends at the same time all land, one after the other, in one history", async () => {
  const owner = person("met", 22)
  const subjects = Array.from({ length: 6 }, (_, at) => `github:user-${at}`)
  const results = await Promise.all(
    subjects.map((subject) => runKez(["sigchain", "add", subject, ...owner.seed, "--json"], { env: owner.env })),
  )
  const landed = subjects.filter((_, at) => results[at]?.code === 0)
  for (const { code, stdout } of results) if (code !== 0) assert.equal(JSON.parse(stdout).error.code, "store.busy")
  assert.ok(landed.length >= 2)
  const { status, events } = await show(owner)
  assert.equal(status, "ok")
  assert.deepEqual(
    events.map(({ seq }) => seq),
    landed.map((_, seq) => seq),
  )
  assert.deepEqual(events.map(({ payload }) => payload.subject).sort(), landed.sort())
})
