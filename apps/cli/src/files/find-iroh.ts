/** Where kez-iroh is, the program that moves files. Without it everything else works. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { findIrohProgram, type IrohProgram, irohPackagesFor } from "@kez/chat/iroh"
import { KezError } from "@kez/core"
import type { Context } from "../context.ts"
import { printable } from "../output.ts"
import { version } from "../version.ts"

const root = join(import.meta.dirname, "../../../..")

/** What is looked at besides the environment; other values in tests. */
export interface IrohSurroundings {
  readonly arch: string
  readonly cwd: string
  readonly from?: string
}

/** KEZ_IROH, else the package of this platform, else what scripts/iroh.sh built for this user. Throws `file.program` with what to do. */
export function findIroh(
  { env }: Pick<Context, "env">,
  { arch, cwd, ...more }: IrohSurroundings = { arch: process.arch, cwd: process.cwd() },
): string {
  const { platform, iroh: named, cargoTargetDir } = env
  const cache = env.xdgCacheHome ?? (env.userHome === undefined ? undefined : join(env.userHome, ".cache"))
  const usual = cache === undefined ? undefined : join(cache, "kez", "rust-iroh")
  const targets = [cargoTargetDir, usual].filter((target) => target !== undefined)
  const { path, unfit } = findIrohProgram({ named, targets, platform, arch, version, ...more })
  if (path !== undefined) return path
  const [first] = unfit
  if (named !== undefined) {
    throw new KezError("file.program", `Cannot move files: KEZ_IROH names ${whatItIs(first)}`, {
      hint: `Set it to the path of kez-iroh ${version}, or take it away: then its package and a built one are looked for.`,
    })
  }
  const found = first === undefined ? "is not on this computer" : `is here as ${whatItIs(first)}`
  throw new KezError("file.program", `Cannot move files: kez-iroh, the program that does it, ${found}`, {
    hint:
      `To build ${version}, once, where cargo is (https://rustup.rs): ${buildCommand(cwd)}\n` +
      (irohPackagesFor(platform, arch).length === 0
        ? `There is no package of it for ${platform}-${arch}; KEZ_IROH names a program built elsewhere.`
        : "KEZ_IROH names one that was built elsewhere; npm run release:iroh makes a package of it there.") +
      " Messages work without it.",
  })
}

function whatItIs(found: IrohProgram | undefined): string {
  const path = printable(found?.path ?? "", 300)
  if (found?.version !== undefined) return `kez-iroh ${found.version}, and this kez needs ${version}: ${path}`
  return found?.isProgram === true ? `a program that does not say that it is kez-iroh: ${path}` : `no program: ${path}`
}

/** As it can be typed where the person is. */
function buildCommand(cwd: string): string {
  const script = join(root, "scripts/iroh.sh")
  if (cwd === root || !existsSync(script)) return "sh scripts/iroh.sh"
  return `sh ${/^[\w./-]+$/.test(script) ? script : `'${script.replaceAll("'", "'\\''")}'`}`
}
