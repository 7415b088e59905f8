/** Where kez-iroh is, the program that moves files. Without it everything else works. */
import { accessSync, constants } from "node:fs"
import { join } from "node:path"
import { KezError } from "@kez/core"
import type { Context } from "../context.ts"

/** KEZ_IROH, else what scripts/iroh.sh built for this user. Throws `file.program` with what to do. */
export function findIroh({ env }: Pick<Context, "env">): string {
  if (env.iroh !== undefined) {
    if (isProgram(env.iroh)) return env.iroh
    throw new KezError("file.program", "Cannot move files: KEZ_IROH names no program", {
      hint: "Set it to the path of kez-iroh, or take it away: then the one that was built is looked for.",
    })
  }
  const cache = env.xdgCacheHome ?? (env.userHome === undefined ? undefined : join(env.userHome, ".cache"))
  const name = env.platform === "win32" ? "kez-iroh.exe" : "kez-iroh"
  const built = cache === undefined ? undefined : join(cache, "kez", "rust-iroh", "release", name)
  if (built !== undefined && isProgram(built)) return built
  throw new KezError("file.program", "Cannot move files: kez-iroh, the program that does it, is not on this computer", {
    hint: "To build it, once, where cargo is: sh scripts/iroh.sh\nOr set KEZ_IROH to a built one. Messages work without it.",
  })
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
