/** kez-iroh as npm packages: made by the release script, installed from the archives into an empty folder, found there by kez, and run. */
import assert from "node:assert/strict"
import { execFile, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { after, before, describe, test } from "node:test"
import { promisify } from "node:util"
import { readEnv } from "../../apps/cli/src/config.ts"
import { findIroh } from "../../apps/cli/src/files/find-iroh.ts"
import manifest from "../../package.json" with { type: "json" }
import { buildIroh } from "../support/files-people.ts"
import { ROOT, skipWithoutIroh } from "../support/iroh.ts"
import { findServer, skipWithout } from "../support/servers.ts"

const run = promisify(execFile)
const { version } = manifest
const cargoBin = join(process.env["HOME"] ?? "", ".cargo/bin")
const hasCargo = findServer("cargo", [cargoBin]) !== undefined
const skip = skipWithoutIroh() || (hasCargo ? skipWithout("strip") : "licences of crates are read with cargo")

describe("kez-iroh as npm packages", { skip }, () => {
  const base = mkdtempSync(join(tmpdir(), "kez-release-"))
  const out = join(base, "dist")
  const place = join(base, "place")
  let archives: readonly string[] = []
  let platform = ""
  after(() => rmSync(base, { recursive: true, force: true }))
  before(async () => {
    mkdirSync(place)
    const env = { ...process.env, PATH: `${process.env["PATH"]}:${cargoBin}` }
    const args = [join(ROOT, "scripts/release/iroh.ts"), "--out", out, "--program", (await buildIroh()).KEZ_IROH]
    const { stdout } = await run(process.execPath, args, { env })
    archives = stdout.trim().split("\n")
    platform = /kez-(iroh-.*)-\d+\.\d+\.\d+\.tgz/.exec(basename(archives[0] ?? ""))?.[1] ?? ""
    // What is missing is looked for nowhere: nothing of it is published.
    await run("npm", ["install", "--offline", "--no-audit", "--no-fund", ...archives], { cwd: place })
  })
  const inPackage = (name: string): string => join(place, "node_modules/@kez", platform, name)

  test("an archive for this platform and one that names all, with sums that fit", () => {
    const sums = readFileSync(join(out, "SHA256SUMS"), "utf8").trim().split("\n")
    assert.deepEqual(
      sums,
      archives.map((path) => `${createHash("sha256").update(readFileSync(path)).digest("hex")}  ${basename(path)}`),
    )
    assert.deepEqual(archives.length, 2)
    const own = createHash("sha256")
      .update(readFileSync(inPackage("kez-iroh")))
      .digest("hex")
    assert.equal(readFileSync(inPackage("SHA256SUMS"), "utf8"), `${own}  kez-iroh\n`)
  })

  test("both say where they run, of which version, and run nothing when they are installed", () => {
    const own = JSON.parse(readFileSync(inPackage("package.json"), "utf8"))
    assert.deepEqual([own.version, own.os, own.cpu], [version, [process.platform], [process.arch]])
    const main = JSON.parse(readFileSync(join(place, "node_modules/@kez/iroh/package.json"), "utf8"))
    assert.equal(main.optionalDependencies[own.name], version)
    for (const { scripts, dependencies } of [own, main])
      assert.deepEqual([scripts, dependencies], [undefined, undefined])
  })

  test("licences are there, of every crate too", () => {
    for (const name of ["LICENSE-MIT", "LICENSE-APACHE"]) {
      assert.equal(readFileSync(inPackage(name), "utf8"), readFileSync(join(ROOT, name), "utf8"))
      assert.ok(existsSync(join(place, "node_modules/@kez/iroh", name)))
    }
    const text = readFileSync(inPackage("THIRD-PARTY-LICENSES.txt"), "utf8")
    for (const form of [
      /^iroh 1\.\d+\.\d+: MIT OR Apache-2\.0$/m,
      /^ring \d+\.\d+\.\d+: Apache-2\.0 AND ISC$/m,
      // The text of ISC.
      /Permission to use, copy, modify, and\/or distribute this software/,
    ])
      assert.ok(form.test(text), String(form))
    assert.equal(/^(?:clap|kez-iroh|tempfile) \d/m.test(text), false, "what is not in the program")
  })

  test("the program is stripped and starts, by itself and by the main package", async () => {
    assert.equal(statSync(inPackage("kez-iroh")).mode & 0o777, 0o755)
    assert.ok(statSync(inPackage("kez-iroh")).size < statSync((await buildIroh()).KEZ_IROH).size)
    for (const program of [inPackage("kez-iroh"), join(place, "node_modules/.bin/kez-iroh")]) {
      assert.equal((await run(program, ["--version"])).stdout, `kez-iroh ${version}\n`)
    }
  })

  test("kez finds it where it is installed", () => {
    const from = join(place, "app.js")
    const found = findIroh({ env: readEnv({}) }, { arch: process.arch, cwd: base, from })
    assert.equal(found, inPackage("kez-iroh"))
  })

  test("the main package says so where there is none for the platform, or none installed", () => {
    const fake = join(base, "riscv64.mjs")
    writeFileSync(fake, `Object.defineProperty(process, "arch", { value: "riscv64" })\n`)
    const launcher = join(place, "node_modules/@kez/iroh/bin/kez-iroh.js")
    const foreign = spawnSync(process.execPath, ["--import", fake, launcher, "--version"], { encoding: "utf8" })
    assert.equal(foreign.status, 1)
    assert.match(foreign.stderr, /^kez-iroh: there is no package for \w+-riscv64\nhint: .*sh scripts\/iroh\.sh/)
    rmSync(join(place, "node_modules/@kez", platform), { recursive: true })
    const bare = spawnSync(process.execPath, [launcher, "--version"], { encoding: "utf8" })
    assert.equal(bare.status, 1)
    assert.match(bare.stderr, /is not installed\nhint: npm leaves it out with --omit=optional: npm install @kez\/iroh-/)
  })
})

test("scripts/iroh.sh refuses an option that it does not know, and builds nothing", () => {
  for (const args of [["--relase"], ["--find", "x"], [""]]) {
    const { status, stdout, stderr } = spawnSync("sh", [join(ROOT, "scripts/iroh.sh"), ...args], { encoding: "utf8" })
    assert.deepEqual([status, stdout], [2, ""])
    assert.match(stderr, /expected nothing, --find, --able, --check or --test\. Nothing was built/)
  }
})
