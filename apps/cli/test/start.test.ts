/** What a start loads: Core takes as long as Node itself, so commands that need no cryptography stay without it. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { test } from "node:test"

const SRC = join(import.meta.dirname, "../src")
const IMPORT = /^(?:import|export)\s(?!type\b)(?:[^"']*?from\s+)?"([^"]+)"/gm

/** Packages that the static imports of a file reach, through all files of the command. */
function packagesOf(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return new Set()
  seen.add(file)
  const packages = new Set<string>()
  for (const [statement, target = ""] of readFileSync(file, "utf8").matchAll(IMPORT)) {
    const isTypeOnly =
      /^import\s*\{[^}]*\}/.test(statement) && [...statement.matchAll(/[{,]\s*(\w+)/g)].every(([, w]) => w === "type")
    if (isTypeOnly) continue
    if (!target.startsWith(".")) packages.add(target)
    else if (target.endsWith(".ts"))
      for (const name of packagesOf(join(dirname(file), target), seen)) packages.add(name)
  }
  return packages
}

const foreign = (file: string): readonly string[] =>
  [...packagesOf(join(SRC, file))].filter((name) => !name.startsWith("node:")).sort()

for (const file of ["main.ts", "context.ts", "completion/complete.ts", "keys/signers.ts"]) {
  test(`${file} loads no package`, () => assert.deepEqual(foreign(file), []))
}

test("the tree of commands loads commander alone", () => assert.deepEqual(foreign("program.ts"), ["commander"]))

for (const command of ["identity-list", "identity-show", "identity-use", "identity-lock", "identity-remove"]) {
  test(`${command} loads no package of its own`, () => assert.deepEqual(foreign(`commands/${command}.ts`), []))
}

test("the rule sees what a command that signs loads", () => {
  assert.ok(foreign("commands/identity-new.ts").includes("@kez/core"))
})
