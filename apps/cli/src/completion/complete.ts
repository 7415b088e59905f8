/** `kez __complete identities | profiles`: names for the completion scripts. Offline, quick, silent about every fault. */
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { readEnv } from "../config.ts"
import { writeOut } from "../output.ts"
import { findPaths, isName } from "../paths.ts"

export async function complete(args: readonly string[]): Promise<void> {
  const [what] = args
  try {
    const env = readEnv()
    const dir =
      what === "profiles" ? join(findPaths(env, undefined).data, "profiles") : findPaths(env, env.profile).identities
    const names = readdirSync(dir)
      .map((file) => file.replace(/\.json$/, ""))
      .filter(isName)
    writeOut(
      names
        .sort()
        .map((name) => `${name}\n`)
        .join(""),
    )
  } catch {
    // Completion that prints errors into the line being typed helps nobody.
  }
}
