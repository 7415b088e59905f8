/** What this repository takes from others: pinned, explained, whole, and without install scripts. */
import assert from "node:assert/strict"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { manifests, ROOT, readJson, readText } from "../support/sources.ts"

/** Packages that may run a script when they are installed. A line here needs a reason in docs/decisions. */
const MAY_HAVE_INSTALL_SCRIPT: readonly string[] = []

interface LockEntry {
  readonly version?: string
  readonly integrity?: string
  readonly resolved?: string
  readonly link?: boolean
  readonly inBundle?: boolean
  readonly hasInstallScript?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}
type Lock = ReadonlyArray<readonly [path: string, entry: LockEntry]>

const readLock = (path = "package-lock.json"): Lock =>
  Object.entries((readJson(path) as { packages: Record<string, LockEntry> }).packages)
const installed = (lock: Lock): Lock => lock.filter(([path, entry]) => path.includes("node_modules/") && !entry.link)
const pathsOf = (lock: Lock): readonly string[] => lock.map(([path]) => path)
const nameOf = (path: string): string => path.replace(/^.*node_modules\//, "")

const withoutIntegrity = (lock: Lock): readonly string[] =>
  pathsOf(installed(lock).filter(([, entry]) => !entry.integrity?.startsWith("sha512-") && !entry.inBundle))

const withHost = (lock: Lock): readonly string[] =>
  pathsOf(lock.filter(([, entry]) => /^[a-z+]+:|^\/\//i.test(entry.resolved ?? "")))

const withScript = (lock: Lock): readonly string[] =>
  pathsOf(lock.filter(([path, entry]) => entry.hasInstallScript && !MAY_HAVE_INSTALL_SCRIPT.includes(nameOf(path))))

/** npm ci refuses a lock file that lacks a package, even one for another platform. */
function missing(lock: Lock): readonly string[] {
  const present = new Set(lock.map(([path]) => nameOf(path)))
  const named = lock.flatMap(([, entry]) => Object.keys({ ...entry.dependencies, ...entry.optionalDependencies }))
  return [...new Set(named)].filter((name) => !present.has(name)).sort()
}

const lockRules = [
  ["gives every package an integrity", withoutIntegrity, { version: "1.0.0" }],
  ["names no host", withHost, { resolved: "https://registry.example/a.tgz", integrity: "sha512-x" }],
  ["has no package with an install script that is not on the list", withScript, { hasInstallScript: true }],
  ["holds every package that another one names", missing, { optionalDependencies: { b: "1.0.0" } }],
] as const

for (const [rule, find, broken] of lockRules) {
  test(`the lock file ${rule}`, () => {
    assert.deepEqual(find(readLock()), [])
  })
  test(`the rule that the lock file ${rule} fails when an entry breaks it`, () => {
    assert.equal(find([["node_modules/a", broken]]).length, 1)
    assert.deepEqual(find([["node_modules/a", { integrity: "sha512-x" }]]), [])
  })
}

/** Curves, hashes and ciphers in two versions would be two libraries to trust. `overrides` in package.json keeps them one. */
const noblePaths = (lock: Lock): readonly string[] =>
  pathsOf(installed(lock)).filter(
    (path) => nameOf(path).startsWith("@noble/") && path !== `node_modules/${nameOf(path)}`,
  )

test("the lock file has one version of each noble package", () => {
  assert.deepEqual(noblePaths(readLock()), [])
})

test("the rule on noble fails when a package brings a second version", () => {
  assert.equal(noblePaths([["node_modules/x/node_modules/@noble/curves", { version: "2.0.1" }]]).length, 1)
  assert.deepEqual(noblePaths([["node_modules/@noble/curves", { version: "2.4.0" }]]), [])
})

/** Servers that tests run against have locks of their own. Their scripts never run: setup-test-servers.sh installs without. */
const PEERS = readdirSync(join(ROOT, "test/peers")).filter((peer) =>
  existsSync(join(ROOT, "test/peers", peer, "package.json")),
)

for (const peer of PEERS) {
  test(`the lock file of test/peers/${peer} gives every package an integrity, and names no host`, () => {
    const lock = readLock(`test/peers/${peer}/package-lock.json`)
    assert.ok(installed(lock).length > 0)
    assert.deepEqual(withoutIntegrity(lock), [])
    assert.deepEqual(withHost(lock), [])
  })
}

interface Dependency {
  readonly manifest: string
  readonly name: string
  readonly version: string
}

const FIELDS = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"] as const
type Manifest = Partial<Record<(typeof FIELDS)[number], Record<string, string>>>

function readDependencies(): readonly Dependency[] {
  const peers = PEERS.map((peer) => `test/peers/${peer}/package.json`)
  return [...manifests(), ...peers].flatMap((manifest) => {
    const fields = readJson(manifest) as Manifest
    const entries = FIELDS.flatMap((field) => Object.entries(fields[field] ?? {}))
    return entries.map(([name, version]) => ({ manifest, name, version }))
  })
}

const isPinned = ({ version }: Pick<Dependency, "version">): boolean => /^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version)

test("every dependency is pinned to one version", () => {
  const loose = readDependencies().filter((dependency) => !isPinned(dependency))
  assert.deepEqual(loose, [])
})

test("the rule on pins fails when a version is a range", () => {
  for (const version of ["^1.2.3", "~1.2.3", "1.2", "*", "latest", ">=1.0.0", "git+https://x.example/y"]) {
    assert.equal(isPinned({ version }), false, version)
  }
})

function isExplained(name: string, document: string): boolean {
  return document.split("\n").some((line) => line.startsWith(`| \`${name}\` |`))
}

test("every dependency has a line in docs/decisions/dependencies.md", () => {
  const document = readText("docs/decisions/dependencies.md")
  const names = readDependencies().map(({ name }) => name)
  const unexplained = names.filter((name) => !name.startsWith("@kez/") && !isExplained(name, document))
  assert.deepEqual(unexplained, [])
})

test("the rule on explained dependencies fails when only another name has a line", () => {
  assert.equal(isExplained("a", "| `ab` | x |"), false)
  assert.equal(isExplained("a", "| `a` | x |"), true)
})
