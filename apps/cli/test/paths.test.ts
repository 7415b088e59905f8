/** Where things lie on each system. */
import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { readEnv } from "../src/config.ts"
import { findPaths, isName } from "../src/paths.ts"

const linux = (env: NodeJS.ProcessEnv) => readEnv({ HOME: "/home/u", ...env }, "linux")

test("findPaths() follows XDG on Linux and on macOS", () => {
  const paths = findPaths(linux({}), undefined)
  assert.equal(paths.configFile, "/home/u/.config/kez/config.toml")
  assert.equal(paths.keys, "/home/u/.local/share/kez/keys")
  assert.equal(paths.database, "/home/u/.local/share/kez/kez.db")
  assert.equal(paths.state, "/home/u/.local/state/kez")
  assert.equal(paths.cache, "/home/u/.cache/kez")
  assert.equal(paths.runtime, "/home/u/.local/share/kez/run")
  assert.equal(findPaths(readEnv({ HOME: "/Users/u" }, "darwin"), undefined).data, "/Users/u/.local/share/kez")
  assert.equal(findPaths(linux({ XDG_DATA_HOME: "/d" }), undefined).data, "/d/kez")
  assert.equal(findPaths(linux({ XDG_CACHE_HOME: "/c" }), undefined).cache, "/c/kez")
})

test("findPaths() keeps everything in KEZ_HOME, whatever XDG says", () => {
  const paths = findPaths(linux({ KEZ_HOME: "/k", XDG_DATA_HOME: "/d", XDG_CACHE_HOME: "/c" }), undefined)
  for (const path of Object.values(paths)) assert.ok(path.startsWith("/k"), path)
})

test("findPaths() keeps profiles apart, and their agents", () => {
  const env = linux({})
  const [work, home] = [findPaths(env, "work"), findPaths(env, "home")]
  assert.equal(work.keys, "/home/u/.local/share/kez/profiles/work/keys")
  assert.equal(work.configFile, home.configFile)
  assert.notEqual(work.runtime, home.runtime)
  assert.notEqual(work.cache, home.cache)
})

test("findPaths() finds agents by where the keys are alone, whatever else the environment says", () => {
  const env = { XDG_RUNTIME_DIR: "/run/user/1", XDG_STATE_HOME: "/s", XDG_CONFIG_HOME: "/c", TMPDIR: "/t" }
  const deep = { XDG_DATA_HOME: `/${"deep/".repeat(20)}` }
  for (const home of [{}, deep]) {
    assert.equal(findPaths(linux({ ...home, ...env }), undefined).runtime, findPaths(linux(home), undefined).runtime)
  }
})

test("findPaths() finds the agents of a home by whatever path it is reached", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "kez-paths-"))
  t.after(() => rmSync(dir, { recursive: true }))
  const deep = join(dir, "deep/".repeat(20))
  mkdirSync(deep, { recursive: true })
  symlinkSync(deep, join(dir, "k"))
  const runtimeOf = (home: string) => findPaths(linux({ KEZ_HOME: home }), undefined).runtime
  assert.equal(runtimeOf(join(dir, "k")), runtimeOf(deep))
})

test("findPaths() finds a short place for sockets where the home is deep", () => {
  const { runtime } = findPaths(linux({ KEZ_HOME: `/${"deep/".repeat(20)}` }), undefined)
  assert.ok(runtime.length < 70, runtime)
})

test("findPaths() refuses a profile that would leave its directory", () => {
  for (const name of ["../x", "a/b", "", ".", "A", "x ", "con", "a".repeat(33), "\u0000"]) {
    assert.throws(() => findPaths(linux({}), name), { code: "usage" }, name)
  }
})

test("findPaths() names KEZ_HOME where there is no home", () => {
  assert.throws(() => findPaths(readEnv({}, "linux"), undefined), { code: "usage", hint: /KEZ_HOME/ })
})

test("a name that is none is refused by a rule that it does not fulfil", () => {
  for (const name of ["work-", "_a", "con"]) {
    const rule = /begin and end with a letter or digit, and are no device name of Windows/
    assert.throws(() => findPaths(linux({}), name), { code: "usage", message: rule }, name)
  }
})

test("isName() takes what is a file name everywhere", () => {
  for (const name of ["me", "a-b_c", "2fa", "x"]) assert.ok(isName(name), name)
})
