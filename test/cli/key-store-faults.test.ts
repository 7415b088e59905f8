/** The key store when the process dies, the disk is full, or nothing can be written. */
import assert from "node:assert/strict"
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { pathToFileURL } from "node:url"
import { decryptKey } from "../../apps/cli/src/keys/key-file.ts"
import { identityOf } from "../../apps/cli/src/keys/key-text.ts"
import { type Home, makeHome, readAnswer, zeroIdentity } from "./support/home.ts"

const support = join(import.meta.dirname, "support")
const breaking = `--import=${pathToFileURL(join(support, "broken-files.ts")).href}`

/** Resolves to the exit code, or the signal that ended it. */
function reencrypt(home: Home, passphrases: readonly [string, string], fault: string): Promise<number | string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [breaking, join(support, "reencrypt.ts"), ...passphrases], {
      env: { PATH: process.env["PATH"], HOME: home.dir, KEZ_HOME: home.paths.data, KEZ_TEST_FAULT: fault },
      stdio: "ignore",
    })
    child.on("error", reject)
    child.on("close", (code, signal) => resolve(code ?? signal ?? ""))
  })
}

async function openWith(home: Home, passphrase: string): Promise<boolean> {
  try {
    const key = await decryptKey(readFileSync(join(home.paths.keys, "zero.age"), "utf8"), passphrase)
    return identityOf(key) === zeroIdentity
  } catch {
    return false
  }
}

test("B11 killed before any step of a change of passphrase, the old or the new one opens", async () => {
  let steps = 0
  for (let step = 1; ; step++) {
    await using home = makeHome()
    await home.make("zero", { passphrase: "old" })
    const end = await reencrypt(home, ["old", "new"], `kill:${step}`)
    const [old, fresh] = [await openWith(home, "old"), await openWith(home, "new")]
    assert.equal(Number(old) + Number(fresh), 1, `step ${step}: old ${old}, new ${fresh}`)
    if (end === 0) {
      assert.ok(fresh)
      break
    }
    assert.equal(end, "SIGKILL")
    // What the dead process left behind hinders nobody.
    assert.equal(await reencrypt(home, [fresh ? "new" : "old", "third"], ""), 0, `after step ${step}`)
    assert.ok(await openWith(home, "third"))
    steps = step
  }
  assert.ok(steps >= 5, `only ${steps} steps were tried`)
})

test("B11 killed before any step of identity new, a second try works and nothing is overwritten", async () => {
  for (let step = 1; ; step++) {
    await using home = makeHome()
    const env = { NODE_OPTIONS: breaking, KEZ_TEST_FAULT: `kill:${step}` }
    const args = ["identity", "new", "zero", "--no-passphrase", "--json"]
    const ended = await home.run(args, { env }).catch((error: Error) => error)
    if (!(ended instanceof Error)) {
      assert.ok(step >= 10, `only ${step} steps were tried`)
      break
    }
    assert.match(ended.message, /SIGKILL/)
    const again = readAnswer(await home.run(args))
    if (!again.ok) {
      // The key was stored: it is not thrown away, and unlocking repairs what is missing.
      assert.equal(again.error.code, "store.exists", `step ${step}`)
      assert.equal((await home.run(["identity", "unlock", "zero"])).code, 0, `step ${step}`)
    }
    assert.equal((await home.run(["identity", "show", "zero"])).code, 0, `step ${step}`)
  }
})

test("B12 two changes of passphrase at once: one is done, the other told, none is lost", async () => {
  for (let round = 0; round < 5; round++) {
    await using home = makeHome()
    await home.make("zero", { passphrase: "old" })
    const codes = await Promise.all([reencrypt(home, ["old", "first"], ""), reencrypt(home, ["old", "second"], "")])
    const opens = await Promise.all(["old", "first", "second"].map((passphrase) => openWith(home, passphrase)))
    assert.deepEqual(opens, [false, codes[0] === 0, codes[1] === 0], `codes ${codes}`)
    assert.equal(codes.filter((code) => code === 0).length, 1)
  }
})

for (const [fault, code] of [
  ["ENOSPC:write", "store.write"],
  ["ENOSPC:fsync", "store.write"],
  ["EDQUOT:write", "store.write"],
  ["EIO:fsync", "store.write"],
  ["EROFS:mkdir", "store.write"],
  ["EROFS:open", "store.write"],
  ["EACCES:open", "store.permissions"],
  ["ENOSPC:link", "store.write"],
] as const) {
  test(`D-3 identity new answers ${code} on ${fault} and leaves no half of an identity`, async () => {
    await using home = makeHome()
    const env = { NODE_OPTIONS: breaking, KEZ_TEST_FAULT: fault }
    const result = await home.run(["identity", "new", "one", "--no-passphrase", "--json"], { env })
    assert.equal(result.code, 1)
    const { error } = readAnswer(result)
    assert.equal(error.code, code)
    assert.doesNotMatch(error.message, /bug/)
    assert.deepEqual(leftovers(home), [])
    assert.equal((await home.run(["identity", "new", "one", "--no-passphrase"])).code, 0)
  })
}

for (const fault of ["ENOSPC:write", "EROFS:open", "EIO:rename"]) {
  test(`D-3 identity passphrase on ${fault} leaves the old key file as it was`, async () => {
    await using home = makeHome()
    await home.make("zero")
    const path = join(home.paths.keys, "zero.key")
    const before = readFileSync(path, "utf8")
    const env = { NODE_OPTIONS: breaking, KEZ_TEST_FAULT: fault }
    const result = await home.run(["identity", "passphrase", "--no-passphrase"], { env })
    assert.equal(result.code, 1)
    assert.match(result.stderr, /\[store\.write\]/)
    assert.equal(readFileSync(path, "utf8"), before)
    assert.deepEqual(leftovers(home), ["zero.key"])
  })
}

/** Everything in the directory of keys but the lock. */
function leftovers(home: Home): readonly string[] {
  try {
    return readdirSync(home.paths.keys).filter((file) => file !== ".lock")
  } catch {
    return []
  }
}

test("a home that is a file, or inside one, is a typed error for every command", async () => {
  await using home = makeHome()
  const file = home.file("not-a-directory", "")
  for (const kezHome of [file, join(file, "deeper")]) {
    for (const args of [
      ["identity", "list"],
      ["identity", "new", "x", "--no-passphrase"],
      ["identity", "show"],
    ]) {
      const result = await home.run([...args, "--json"], { env: { KEZ_HOME: kezHome } })
      const answer = readAnswer(result)
      if (!answer.ok) assert.match(answer.error.code, /^(?:store|input)\./, JSON.stringify(answer))
    }
  }
})

test("reading works where nothing can be written", async () => {
  await using home = makeHome()
  await home.make("zero")
  rmSync(join(home.paths.keys, ".lock"))
  const env = { NODE_OPTIONS: breaking, KEZ_TEST_FAULT: "EROFS:open" }
  for (const args of [["list"], ["show"], ["mnemonic", "--reveal-words"]]) {
    const result = await home.run(["identity", ...args], { env })
    assert.equal(result.code, 0, result.stderr)
  }
  assert.match((await home.run(["identity", "use", "zero"], { env })).stderr, /\[store\.write\]/)
})

const fullDisk = process.getuid?.() === 0 ? false : "needs to mount a small file system"

test("D-3 on a disk that is really full, then read-only, every command answers in its own words", {
  skip: fullDisk,
}, async (t) => {
  await using home = makeHome()
  const mount = join(home.dir, "small")
  mkdirSync(mount)
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=32k,mode=700", "tmpfs", mount]).status !== 0) {
    t.skip("mounting is not allowed here")
    return
  }
  try {
    const env = { KEZ_HOME: join(mount, "kez") }
    const args = ["identity", "new", "one", "--no-passphrase", "--json"]
    // With room for nothing, for the key alone, and for the key and its record alone.
    for (const pages of [8, 7, 6]) {
      writeFileSync(join(mount, "fill"), Buffer.alloc(pages * 4_096))
      assert.equal(readAnswer(await home.run(args, { env })).error.code, "store.write", `${pages} pages`)
      rmSync(join(mount, "fill"))
      assert.deepEqual(readAnswer(await home.run(["identity", "list", "--json"], { env })).warnings, [])
    }
    assert.equal((await home.run(args, { env })).code, 0)
    spawnSync("mount", ["-o", "remount,ro", mount])
    assert.equal((await home.run(["identity", "show", "one"], { env })).code, 0)
    const refused = readAnswer(await home.run(["identity", "remove", "one", "--yes", "--json"], { env }))
    assert.equal(refused.error.code, "store.write")
  } finally {
    spawnSync("umount", [mount])
  }
})

test("B12 a lock that another process holds for long is store.busy, and is gone when that process dies", async () => {
  await using home = makeHome()
  await home.make("zero")
  const hold = `const { DatabaseSync } = require("node:sqlite")
    new DatabaseSync(${JSON.stringify(join(home.paths.keys, ".lock"))}).exec("BEGIN EXCLUSIVE")
    console.log("held"); setInterval(() => {}, 1000)`
  const holder = spawn(process.execPath, ["-e", hold], { stdio: ["ignore", "pipe", "ignore"] })
  await once(holder.stdout, "data")
  const refused = await home.run(["identity", "use", "zero", "--json"])
  assert.equal(readAnswer(refused).error.code, "store.busy")
  holder.kill("SIGKILL")
  await once(holder, "close")
  assert.equal((await home.run(["identity", "use", "zero"])).code, 0)
})
