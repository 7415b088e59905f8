/** Exit codes are an interface: scripts depend on each number. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { codes } from "@kez/core"
import { exitCodeOf, exitMeanings } from "../src/exit-codes.ts"

const published: Readonly<Record<string, number>> = {
  usage: 2,
  "input.missing": 2,
  "identity.syntax": 2,
  "key.encoding": 2,
  "input.cancelled": 3,
  "key.locked": 4,
  "key.unlock": 4,
  "key.not_held": 4,
  "limit.work": 4,
  "net.timeout": 5,
  "net.status": 5,
  "chain.unreachable": 5,
  "signature.invalid": 10,
  "proof.cut": 10,
  "json.duplicate": 10,
  "limit.size": 10,
  "claim.revoked": 11,
  "claim.expired": 12,
  "chain.fork": 13,
  "proof.not_found": 14,
  "store.write": 1,
  "store.exists": 1,
  "store.permissions": 1,
  "mnemonic.word": 2,
  "mnemonic.length": 2,
  "input.recall": 1,
}

for (const [code, expected] of Object.entries(published)) {
  test(`exitCodeOf() is ${expected} for ${code}`, () => assert.equal(exitCodeOf(code), expected))
}

test("exitCodeOf() gives every code of the closed list a published exit code that is not 0", () => {
  const meant = new Set<number>(exitMeanings.map(([code]) => code))
  for (const code of codes) {
    assert.notEqual(exitCodeOf(code), 0, code)
    assert.ok(meant.has(exitCodeOf(code)), code)
  }
})

test("exitCodeOf() is the published table, which other implementations are held to", () => {
  const path = join(import.meta.dirname, "..", "..", "..", "docs", "exit-codes.json")
  const own = Object.fromEntries(codes.map((code) => [code, exitCodeOf(code)]))
  assert.equal(readFileSync(path, "utf8"), `${JSON.stringify(own, null, 2)}\n`)
})

test("exitCodeOf() is 1 for what is not in the list, members of every object among it", () => {
  for (const code of ["internal", "", "toString", "__proto__", "constructor.x"]) assert.equal(exitCodeOf(code), 1, code)
})
