/** vectors/ is frozen: a change in it is a change of the protocol, made by its script and seen in review. */
import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { vectorFiles } from "../../scripts/vectors/files.ts"
import { generatedParts } from "../../scripts/vectors/spec-parts.ts"

const folder = join(import.meta.dirname, "..", "..", "vectors")

test("vectors/ holds exactly what scripts/write-vectors.ts writes", async () => {
  const files = await vectorFiles()
  assert.deepEqual(readdirSync(folder).toSorted(), [...files.keys()].toSorted())
  for (const [name, text] of files) assert.equal(readFileSync(join(folder, name), "utf8"), text, name)
})

test("SPEC.md holds the codes and the worked example that scripts/write-spec.ts writes", async () => {
  const spec = readFileSync(join(folder, "..", "SPEC.md"), "utf8")
  for (const [name, text] of await generatedParts()) {
    assert.ok(spec.includes(`<!-- ${name} -->\n${text}\n<!-- end of ${name} -->`), name)
  }
})
