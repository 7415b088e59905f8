/** One script for a page, made of the sources by rolldown, as a web app would load it. Whatever of it a page does not have is told. */
import { builtinModules } from "node:module"
import { rolldown } from "rolldown"
import { ROOT } from "./sources.ts"

export interface PageBundle {
  readonly code: string
  /** Modules that the script would load, and a page does not have: Node's own. */
  readonly missing: readonly string[]
}

const builtins = new Set(builtinModules)
const isBuiltin = (name: string): boolean => name.startsWith("node:") || builtins.has(name.split("/")[0] ?? "")

/** `entry`: a path from the root of the repository. */
export async function bundlePage(entry: string): Promise<PageBundle> {
  const bundle = await rolldown({
    cwd: ROOT,
    input: entry,
    platform: "browser",
    logLevel: "silent",
    // Their packages do not say that loading them does nothing. So what of MLS is not called stays out, and the HPKE that we do not run.
    treeshake: { moduleSideEffects: (id) => !/node_modules\/(?:ts-mls|@hpke)\//.test(id) },
    plugins: [
      {
        name: "no-node",
        async resolveId(source, importer, { kind }) {
          if (!isBuiltin(source)) return null
          // Packages may say what a page gets in its place (`browser` in their package.json).
          const instead = await this.resolve(source, importer, { kind, skipSelf: true })
          return instead !== null && instead.external === false ? instead : { id: source, external: true }
        },
      },
    ],
  })
  try {
    const { output } = await bundle.generate({ format: "esm", minify: true, codeSplitting: false })
    const [{ code, imports, dynamicImports }] = output
    return { code, missing: [...imports, ...dynamicImports].sort() }
  } finally {
    await bundle.close()
  }
}
