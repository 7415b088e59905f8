/** Imports go down only: apps, then packages, then core. ARCHITECTURE.md, "Shelves". */
import assert from "node:assert/strict"
import { builtinModules } from "node:module"
import { posix } from "node:path"
import { test } from "node:test"
import { allSources, codeOnly, manifests, readJson, type Source } from "../support/sources.ts"

const CORE = "packages/core"
/** The one file of core that may meet Node: it chooses native implementations where they exist. */
const CORE_ON_NODE = "packages/core/src/backend/node.ts"
/** The same in chat, which browsers run too. */
const CHAT = "packages/chat"
const CHAT_ON_NODE = "packages/chat/src/backend/node.ts"
/** And its store there, which nothing but an app imports. */
const CHAT_STORE_ON_NODE = "packages/chat/src/store/sqlite.ts"
/** And the process that moves files. */
const CHAT_FILES_ON_NODE = ["iroh-process.ts", "iroh-program.ts", "node-disk.ts", "reach.ts"].map(
  (name) => `packages/chat/src/files/${name}`,
)
/** Packages that run anywhere, each with its files for Node. */
const ANYWHERE: ReadonlyMap<string, readonly string[]> = new Map([
  [CORE, [CORE_ON_NODE]],
  [CHAT, [CHAT_ON_NODE, CHAT_STORE_ON_NODE, ...CHAT_FILES_ON_NODE]],
])
const IMPORT = /(?<![.\w])(from\s*|import\s*\(?\s*)(["'])([^"'\n]+)\2/g

/** The names of all packages that each workspace declares. */
type Declared = ReadonlyMap<string, ReadonlySet<string>>

function findForbidden(source: Source, declared: Declared): string[] {
  const code = codeOnly(source.text)
  const imports = [...source.text.matchAll(IMPORT)].filter((match) =>
    code.startsWith((match[1] ?? "").slice(0, 4), match.index),
  )
  return imports.flatMap((match) => {
    const specifier = match[3] ?? ""
    const reason = whyForbidden(source.path, specifier, declared)
    return reason === undefined ? [] : [`${source.path}: "${specifier}" ${reason}`]
  })
}

function whyForbidden(path: string, specifier: string, declared: Declared): string | undefined {
  const own = workspaceOf(path)
  if (own === undefined) return undefined
  const isShipped = path.startsWith(`${own}/src/`)
  const target = specifier.startsWith(".") ? posix.join(posix.dirname(path), specifier) : workspacePath(specifier)
  if (target !== undefined) return whyForbiddenInside(own, target, { isShipped, isRelative: specifier.startsWith(".") })
  if (!isShipped || specifier.startsWith("#")) return undefined
  const isBuiltin = specifier.startsWith("node:") || builtinModules.includes(specifier)
  const onNode = ANYWHERE.get(own)
  if (isBuiltin) return onNode?.includes(path) === false ? `is Node, and ${own} runs anywhere` : undefined
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/")
  return declared.get(own)?.has(name) ? undefined : `is not declared in ${own}/package.json`
}

function whyForbiddenInside(
  own: string,
  target: string,
  { isShipped, isRelative }: { readonly isShipped: boolean; readonly isRelative: boolean },
): string | undefined {
  const other = workspaceOf(target)
  if (other === own) return undefined
  if (other === undefined) {
    const isSupport = !isShipped && (target.startsWith("test/support/") || target.startsWith("vectors/"))
    return isSupport ? undefined : "is outside the workspaces"
  }
  if (shelfOf(other) >= shelfOf(own)) return "does not go down"
  return isShipped && isRelative ? "enters a package by path; use its name" : undefined
}

function workspaceOf(path: string): string | undefined {
  return /^(?:packages|apps)\/[^/]+/.exec(path)?.[0]
}

function workspacePath(specifier: string): string | undefined {
  const name = /^@kez\/([^/]+)/.exec(specifier)?.[1]
  if (name === undefined) return undefined
  return workspaceNames().get(`@kez/${name}`) ?? `apps/${name}`
}

function shelfOf(workspace: string): number {
  if (workspace === CORE) return 0
  return workspace.startsWith("packages/") ? 1 : 2
}

interface Manifest {
  readonly name: string
  readonly dependencies?: object
  readonly optionalDependencies?: object
  readonly peerDependencies?: object
}

const readManifest = (path: string): Manifest => readJson(path) as Manifest

function workspaceNames(): ReadonlyMap<string, string> {
  return new Map(manifests().map((path) => [readManifest(path).name, posix.dirname(path)]))
}

function readDeclared(): Declared {
  return new Map(
    manifests().map((path) => {
      const { dependencies, optionalDependencies, peerDependencies } = readManifest(path)
      return [
        posix.dirname(path),
        new Set(Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })),
      ]
    }),
  )
}

const declared: Declared = new Map([
  [CORE, new Set(["@noble/hashes"])],
  ["apps/cli", new Set(["commander"])],
])

const forbidden = [
  ["core imports a package above it", "packages/core/src/a.ts", `import { x } from "@kez/channels"`],
  ["core imports Node", "packages/core/src/a.ts", `import { x } from "node:crypto"`],
  ["chat imports Node", "packages/chat/src/cipher/a.ts", `import { x } from "node:crypto"`],
  ["core imports Node by its old name", "packages/core/src/a.ts", `const { x } = await import("fs/promises")`],
  ["a package imports an app", "packages/channels/src/a.ts", `export { x } from "../../../apps/cli/src/x.ts"`],
  ["a package imports its neighbour", "packages/channels/src/a.ts", `import "@kez/chat"`],
  ["an app imports an app", "apps/cli/src/a.ts", `import { x } from "../../web/src/x.ts"`],
  ["an app enters a package by path", "apps/cli/src/a.ts", `import { x } from "../../../packages/core/src/x.ts"`],
  ["shipped code imports test support", "apps/cli/src/a.ts", `import { x } from "../../../test/support/x.ts"`],
  ["a package is not declared", "apps/cli/src/a.ts", `import { x } from "@scure/base"`],
] as const

for (const [name, path, text] of forbidden) {
  test(`the import rule fails when ${name}`, () => {
    assert.equal(findForbidden({ path, text }, declared).length, 1)
  })
}

const allowed = [
  ["core imports a declared package", "packages/core/src/a.ts", `import { x } from "@noble/hashes/sha2.js"`],
  ["core's own Node file imports Node", CORE_ON_NODE, `import { x } from "node:crypto"`],
  ["chat's own Node file imports Node", CHAT_ON_NODE, `import { x } from "node:crypto"`],
  ["an app imports core", "apps/cli/src/a.ts", `import { x } from "@kez/core"`],
  ["a test imports support", "packages/core/test/a.test.ts", `import { x } from "../../../test/support/x.ts"`],
  ["an import stands in a comment", "packages/core/src/a.ts", `// import { x } from "node:fs"`],
] as const

for (const [name, path, text] of allowed) {
  test(`the import rule passes when ${name}`, () => {
    assert.deepEqual(findForbidden({ path, text }, declared), [])
  })
}

test("imports go down only in every file", () => {
  const real = readDeclared()
  assert.deepEqual(
    allSources().flatMap((source) => findForbidden(source, real)),
    [],
  )
})
