/** The test runner itself: what it counts, what fails it, and that the summary is the last line. */
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { type TestContext, test } from "node:test"

const SCRIPTS = join(import.meta.dirname, "../../scripts")
const IMPORTS = `import assert from "node:assert/strict"\nimport { before, describe, test } from "node:test"\n`

interface Outcome {
  readonly code: number | null
  readonly last: string
  readonly text: string
}

/** Runs the runner in a made-up repository that holds these test files. */
function runTests(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  ci = "",
): Outcome {
  const root = mkdtempSync(join(tmpdir(), "kez-runner-"))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  mkdirSync(join(root, "scripts"))
  for (const name of ["test.ts", "test-iroh.ts", "test-run.ts", "test-report.ts", "test-entry.ts", "test-guard.ts"]) {
    cpSync(join(SCRIPTS, name), join(root, "scripts", name))
  }
  writeFileSync(join(root, "package.json"), '{ "type": "module" }')
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true })
    writeFileSync(join(root, path), path.endsWith(".ts") ? IMPORTS + text : text)
  }
  const { NODE_TEST_CONTEXT: _, ...outer } = process.env
  const env = { ...outer, CI: ci, KEZ_IROH: "" }
  const { status, stdout } = spawnSync(process.execPath, ["scripts/test.ts", ...args], {
    cwd: root,
    env,
    encoding: "utf8",
  })
  return { code: status, last: stdout.trimEnd().split("\n").at(-1) ?? "", text: stdout }
}

const UNIT = "packages/p/test/a.test.ts"
const MORE = "packages/p/test/b.test.ts"
const E2E = "test/e2e/a.test.ts"
const IROH_SH = "scripts/iroh.sh"
/** Not as a test of kez-iroh imports it: this one is none. */
const SUPPORT = "iroh.ts"
const OK = `test("ok", () => {})\n`

/** Builds nothing: writes down what it was asked for, as the program that a test finds. */
const IROH = `[ "$1" = --find ] && exit 3
echo "asked $*" >>"\${0%/*}/../built"
`

test("kez-iroh is built before the first test that needs it, however long that takes, and for no other", (t) => {
  const needsIt = `// from "../support/${SUPPORT}"
import { readFileSync } from "node:fs"
test("found", () => assert.equal(readFileSync("built", "utf8"), EXPECTED))
`
  const with_ = (expected: string): string => needsIt.replace("EXPECTED", JSON.stringify(expected))
  const built = runTests(t, { [IROH_SH]: IROH, [E2E]: with_("asked --able\nasked \n") })
  assert.deepEqual([built.code, built.last], [0, "kez: 1 passed, 0 failed"], built.text)
  assert.match(built.text, /^building kez-iroh for the tests, once: some minutes$/m)
  const own = { [IROH_SH]: IROH, "test/e2e/iroh-workspace.test.ts": with_("asked --able\nasked --check\nasked \n") }
  assert.equal(runTests(t, own).code, 0)
  const none = `import { existsSync } from "node:fs"\ntest("none", () => assert.equal(existsSync("built"), false))\n`
  assert.equal(runTests(t, { [IROH_SH]: IROH, [E2E]: none }).code, 0)
  const unable = runTests(t, { [IROH_SH]: `${IROH}exit 3\n`, [E2E]: with_("asked --able\n") })
  assert.deepEqual([unable.code, unable.text.includes("building")], [0, false])
})

test("the runner counts leaf tests only and adds up unit and separate files", (t) => {
  const nested = `${OK}describe("s", () => { test("in", () => {}) })\ntest("p", (t) => t.test("kid", () => {}))\n`
  const { code, last } = runTests(t, { [UNIT]: nested, [E2E]: OK })
  assert.deepEqual({ code, last }, { code: 0, last: "kez: 4 passed, 0 failed" })
})

test("the runner counts a failure once, names it and shows code, expected and actual", (t) => {
  const { code, last, text } = runTests(t, { [UNIT]: `describe("s", () => { test("bad", () => assert.equal(1, 2)) })` })
  assert.deepEqual({ code, last }, { code: 1, last: "kez: 0 passed, 1 failed" })
  for (const part of ["s > bad", `${UNIT}:3`, "ERR_ASSERTION", "expected: 2", "actual:   1"])
    assert.ok(text.includes(part), part)
})

test("the runner prints every skip with its reason", (t) => {
  const { code, last, text } = runTests(
    t,
    { [UNIT]: `${OK}test("s", { skip: "missing vectors: x" }, () => {})` },
    [],
    "true",
  )
  assert.deepEqual({ code, last }, { code: 0, last: "kez: 1 passed, 0 failed, 1 skipped" })
  assert.match(text, /skipped: s \(missing vectors: x\)/)
})

test("the runner fails for a missing server only when CI=true", (t) => {
  const files = { [UNIT]: `${OK}test("s", { skip: "missing server: knotd" }, () => {})` }
  assert.equal(runTests(t, files).code, 0)
  assert.equal(runTests(t, files, [], "true").code, 1)
})

for (const [name, text] of [
  ["does not load", `import "./not-there.ts"\n${OK}`],
  ["throws while it loads", `throw new Error("x")`],
  ["ends its process", `test("exit", () => process.exit(0))`],
  ["dies of a signal", `test("kill", () => process.kill(process.pid, "SIGKILL"))`],
  ["fails in a hook", `describe("s", () => { before(() => { throw new Error("x") })\n${OK} })`],
] as const) {
  for (const path of [MORE, E2E]) {
    test(`the runner fails when ${path} ${name}, and still counts the other file`, (t) => {
      const { code, last } = runTests(t, { [UNIT]: OK, [path]: text })
      assert.equal(code, 1)
      assert.match(last, /^kez: 1 passed, [12] failed$/)
    })
  }
}

test("the runner counts tests of a shared function for the file that calls it", (t) => {
  const suite = `export function suite() { test("one", () => {}); describe("more", () => { test("two", () => {}) }) }\n`
  const calls = `import { suite } from "./suite.ts"\nsuite()\n`
  const files = {
    "packages/p/test/suite.ts": suite,
    [UNIT]: OK,
    [MORE]: calls,
    "packages/p/test/c.test.ts": calls + OK,
  }
  const { text, last } = runTests(t, files)
  assert.equal(last, "kez: 6 passed, 0 failed")
  for (const [path, count] of [
    [UNIT, 1],
    [MORE, 2],
    ["packages/p/test/c.test.ts", 3],
  ]) {
    assert.match(text, new RegExp(`^ok   ${path}  ${count} passed`, "m"))
  }
})

test("the runner fails when no test ran", (t) => {
  assert.deepEqual(runTests(t, { [UNIT]: "" }).last, "kez: 0 passed, 0 failed")
  assert.equal(runTests(t, { [UNIT]: "" }).code, 1)
  assert.equal(runTests(t, { [UNIT]: OK }, ["elsewhere"]).code, 1)
})

test("the runner keeps the files that the arguments choose", (t) => {
  const files = { [UNIT]: OK, [MORE]: OK + OK, [E2E]: OK + OK + OK }
  assert.equal(runTests(t, files, ["--unit"]).last, "kez: 3 passed, 0 failed")
  assert.equal(runTests(t, files, ["--e2e"]).last, "kez: 3 passed, 0 failed")
  assert.equal(runTests(t, files, ["b.test"]).last, "kez: 2 passed, 0 failed")
  assert.equal(runTests(t, files, ["--nonsense"]).code, 2)
})
