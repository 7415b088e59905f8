/** Which kez-iroh is taken, and what is said where there is none that fits. */
import assert from "node:assert/strict"
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { after, test } from "node:test"
import { KezError } from "@kez/core"
import { readEnv } from "../src/config.ts"
import { findIroh } from "../src/files/find-iroh.ts"
import { version } from "../src/version.ts"

const base = mkdtempSync(join(tmpdir(), "kez-find-"))
after(() => rmSync(base, { recursive: true, force: true }))

let count = 0
/** A folder with programs that say what they are told to, by their paths in it. */
function folderWith(programs: Readonly<Record<string, string>>): string {
  const folder = join(base, String(count++))
  for (const [path, says] of Object.entries(programs)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), `#!/bin/sh\nprintf '%s\\n' '${says}'\n`, { mode: 0o755 })
    if (path.includes("@kez/")) writeFileSync(join(folder, dirname(path), "package.json"), "{}")
  }
  mkdirSync(join(folder, "app"), { recursive: true })
  return folder
}

const right = `kez-iroh ${version}`
const built = "cache/kez/rust-iroh/release/kez-iroh"
const packaged = "node_modules/@kez/iroh-linux-x64-gnu/kez-iroh"

function find(folder: string, env: Readonly<Record<string, string>> = {}, arch = "x64"): string {
  const given = { XDG_CACHE_HOME: join(folder, "cache"), ...env }
  const from = join(folder, "app/here.js")
  return findIroh({ env: readEnv(given, "linux") }, { arch, cwd: "/elsewhere", from })
}

function refusal(run: () => unknown): KezError {
  try {
    run()
  } catch (error) {
    if (error instanceof KezError) return error
    throw error
  }
  return assert.fail("it was found")
}

test("findIroh() takes KEZ_IROH before the package, and the package before what was built", () => {
  const folder = folderWith({ mine: right, [packaged]: right, [built]: right })
  assert.equal(find(folder, { KEZ_IROH: join(folder, "mine") }), join(folder, "mine"))
  assert.equal(find(folder), join(folder, packaged))
  rmSync(join(folder, packaged))
  assert.equal(find(folder), join(folder, built))
})

test("findIroh() takes the package that only the main package can see", () => {
  const hidden = "node_modules/@kez/iroh/node_modules/@kez/iroh-linux-x64-gnu/kez-iroh"
  const folder = folderWith({ "node_modules/@kez/iroh/bin": "", [hidden]: right })
  assert.equal(find(folder), join(folder, hidden))
})

test("findIroh() takes the one of two packages that runs here", () => {
  const musl = "node_modules/@kez/iroh-linux-x64-musl/kez-iroh"
  const folder = folderWith({ [packaged]: right, [musl]: right })
  writeFileSync(join(folder, packaged), "#!/no/such/loader\n", { mode: 0o755 })
  assert.equal(find(folder), join(folder, musl))
})

test("findIroh() goes past a package that another user of the computer has put there", {
  skip: process.getuid?.() === 0 ? false : "only root can give a file away",
}, () => {
  const folder = folderWith({ [packaged]: right, [built]: right })
  chownSync(join(folder, packaged), 10_001, 10_001)
  assert.equal(find(folder), join(folder, built))
})

test("findIroh() looks where cargo was told to build", () => {
  const folder = folderWith({ "target/release/kez-iroh": right })
  assert.equal(find(folder, { CARGO_TARGET_DIR: join(folder, "target") }), join(folder, "target/release/kez-iroh"))
})

test("findIroh() goes past a package of another version, and says so where nothing else is", () => {
  const folder = folderWith({ [packaged]: "kez-iroh 0.0.1", [built]: right })
  assert.equal(find(folder), join(folder, built))
  rmSync(join(folder, built))
  const { code, message, hint } = refusal(() => find(folder))
  assert.equal(code, "file.program")
  assert.match(message, new RegExp(`here as kez-iroh 0\\.0\\.1, and this kez needs ${version.replaceAll(".", "\\.")}`))
  assert.match(hint ?? "", /^To build .* once, where cargo is \(https:\/\/rustup\.rs\): sh \S*\/scripts\/iroh\.sh$/m)
})

test("findIroh() refuses a KEZ_IROH that is no program, another program, or of another version, and looks no further", () => {
  const folder = folderWith({ other: "something 1.0.0", old: "kez-iroh 0.0.1", [packaged]: right, [built]: right })
  for (const [name, said] of [
    ["none", /names no program: .*none/],
    ["other", /names a program that does not say that it is kez-iroh: .*other/],
    ["old", /names kez-iroh 0\.0\.1, and this kez needs/],
  ] as const) {
    const { code, message } = refusal(() => find(folder, { KEZ_IROH: join(folder, name) }))
    assert.equal(code, "file.program")
    assert.match(message, said)
  }
})

test("findIroh() says what to type, and whether there is a package for the platform", () => {
  const folder = folderWith({})
  assert.match(refusal(() => find(folder)).hint ?? "", /npm run release:iroh makes a package/)
  const { hint = "" } = refusal(() => find(folder, {}, "riscv64"))
  assert.match(hint, /There is no package of it for linux-riscv64/)
  assert.equal(hint.split("\n").length, 2)
  assert.doesNotMatch(refusal(() => find(folder)).hint ?? "", /@kez/, "nothing is published, so anybody could be")
})

test("kez-iroh is of the version that kez looks for", () => {
  const cargo = readFileSync(join(import.meta.dirname, "../../../rust/kez-iroh/Cargo.toml"), "utf8")
  assert.equal(/^version = "(.*)"$/m.exec(cargo)?.[1], version)
})
