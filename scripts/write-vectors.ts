/** Writes vectors/, or with --check says whether it is what this script writes. The expectations are written by hand, in scripts/vectors. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { vectorFiles } from "./vectors/files.ts"

const folder = join(import.meta.dirname, "..", "vectors")
const check = process.argv.includes("--check")

mkdirSync(folder, { recursive: true })
for (const [name, text] of await vectorFiles()) {
  const path = join(folder, name)
  if (!check) writeFileSync(path, text)
  else if (readFileSync(path, "utf8") !== text) {
    console.error(`vectors/${name} is not what scripts/write-vectors.ts writes`)
    process.exitCode = 1
  }
}
if (!check) console.log(`vectors/: ${(await vectorFiles()).size} files written`)
