/**
 * `npm run release:iroh`: kez-iroh for this platform as npm packages in dist/, packed and with checksums. Nothing is published.
 * docs/decisions/iroh-release.md
 */
import { execFile } from "node:child_process"
import { createHash } from "node:crypto"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { join, resolve } from "node:path"
import { parseArgs, promisify } from "node:util"
import { irohPackages } from "@kez/chat/iroh"
import { KezError } from "@kez/core"
import manifest from "../../package.json" with { type: "json" }
import { assertNamesNoPlace, assertRuns, buildForOthers, hostTarget, stripTo } from "./iroh-build.ts"
import { layMainPackage, layPlatformPackage } from "./iroh-layout.ts"
import { cratesOf, thirdPartyText } from "./third-party.ts"

const root = join(import.meta.dirname, "../..")
const usage = `npm run release:iroh [-- --out DIR] [--program PATH]

Builds kez-iroh for this platform and packs it for npm. Nothing is published.

  --out DIR       where to (default: dist/iroh)
  --program PATH  pack this one instead of building it`

try {
  const { values } = parseArgs({
    options: { out: { type: "string" }, program: { type: "string" }, help: { type: "boolean", short: "h" } },
  })
  if (values.help === true) console.log(usage)
  else await release(resolve(values.out ?? join(root, "dist/iroh")), values.program)
} catch (error) {
  if (!(error instanceof Error)) throw error
  console.error(`kez: ${error.message.trimEnd()}`)
  process.exitCode = "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS") ? 2 : 1
}

async function release(out: string, given: string | undefined): Promise<void> {
  const triple = await hostTarget()
  const target = irohPackages.find((one) => one.target === triple)
  if (target === undefined) {
    const known = irohPackages.map((one) => one.target).join(", ")
    throw new KezError("usage", `Cannot pack kez-iroh: there is no package for ${triple}, only for ${known}`)
  }
  const { version } = manifest
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache")
  if (given === undefined)
    console.error("kez: building kez-iroh with the paths of this machine left out; the first time takes minutes")
  const built = given ?? (await buildForOthers(root, cache))
  const program = join(out, "kez-iroh")
  await stripTo(built, program)
  if (given === undefined) assertNamesNoPlace(program, root)
  await assertRuns(program, version)
  const crates = await cratesOf(join(root, "rust/kez-iroh/Cargo.toml"), triple)
  const layout = { root, out, version }
  const folders = [
    layPlatformPackage(layout, { target, program, thirdParty: thirdPartyText(crates) }),
    layMainPackage(layout),
  ]
  rmSync(program)
  const packed = await Promise.all(folders.map((folder) => pack(folder, out)))
  const sums = packed.map(
    (name) =>
      `${createHash("sha256")
        .update(readFileSync(join(out, name)))
        .digest("hex")}  ${name}\n`,
  )
  writeFileSync(join(out, "SHA256SUMS"), sums.join(""))
  for (const name of packed) console.log(join(out, name))
}

/** The name of the archive. */
async function pack(folder: string, out: string): Promise<string> {
  const { stdout } = await promisify(execFile)(
    "npm",
    ["pack", "--json", "--ignore-scripts", "--pack-destination", out],
    {
      cwd: folder,
      maxBuffer: 16_777_216,
    },
  )
  const [packed] = JSON.parse(stdout)
  // npm names a package with a scope one way in its answer and another way on the disk.
  return String(packed.filename).replace("@", "").replace("/", "-")
}
