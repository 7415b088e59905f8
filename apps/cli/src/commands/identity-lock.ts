/** `kez identity lock`: ends the agents of one or all identities. */
import type { Context } from "../context.ts"
import { agentNames, stopAgents } from "../keys/agent.ts"
import { assertName } from "../paths.ts"
import type { Outcome } from "../run.ts"

export async function run({ paths, flags }: Context, options: { readonly args: readonly string[] }): Promise<Outcome> {
  const wanted = options.args[0] ?? flags.identity
  if (wanted !== undefined) assertName("name", wanted)
  const locked = await stopAgents(paths, wanted === undefined ? agentNames(paths) : [wanted])
  const text = locked.length === 0 ? "Nothing was unlocked." : `Locked: ${locked.join(", ")}.`
  return { schema: "kez.lock/1", data: { locked }, text }
}
