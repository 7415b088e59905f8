/** Writes the generated parts of SPEC.md, the table of codes and the worked example, or with --check compares them. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { generatedParts } from "./vectors/spec-parts.ts"

const path = join(import.meta.dirname, "..", "SPEC.md")
const before = readFileSync(path, "utf8")
let after = before
for (const [name, text] of await generatedParts()) {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`]
  const from = after.indexOf(begin)
  const to = after.indexOf(end)
  if (from === -1 || to === -1) throw new Error(`SPEC.md has no part ${name}`)
  after = `${after.slice(0, from + begin.length)}\n${text}\n${after.slice(to)}`
}
if (!process.argv.includes("--check")) writeFileSync(path, after)
else if (after !== before) {
  console.error("SPEC.md: its codes or its example are not what scripts/write-spec.ts writes")
  process.exitCode = 1
}
