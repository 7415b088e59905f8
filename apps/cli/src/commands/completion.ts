/** `kez completion SHELL`: prints the script. */
import { type Shell, scripts } from "../completion/scripts.ts"
import { listLevels } from "../completion/tree.ts"
import type { Context } from "../context.ts"
import { createProgram } from "../program.ts"
import type { Outcome } from "../run.ts"

export async function run(_context: Context, { args }: { readonly args: readonly string[] }): Promise<Outcome> {
  const shell = args[0] as Shell // commander has checked it
  const script = scripts[shell](listLevels(createProgram()))
  return { schema: "kez.completion/1", data: { shell, script }, text: script }
}
