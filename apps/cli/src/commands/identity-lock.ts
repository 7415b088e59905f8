/** `kez identity lock`: ends the agents of one or all identities. */
import type { Context } from "../context.ts"
import { listAgents, stopAgent } from "../keys/agent.ts"
import { assertName } from "../paths.ts"
import type { Outcome } from "../run.ts"

export async function run({ paths, flags }: Context, options: { readonly args: readonly string[] }): Promise<Outcome> {
  const wanted = options.args[0] ?? flags.identity
  if (wanted !== undefined) assertName("name", wanted)
  const names = wanted === undefined ? (await listAgents(paths)).map(({ name }) => name) : [wanted]
  const locked: string[] = []
  for (const name of names) if (await stopAgent(paths, name)) locked.push(name)
  const text = locked.length === 0 ? "Nothing was unlocked." : `Locked: ${locked.join(", ")}.`
  return { schema: "kez.lock/1", data: { locked }, text }
}
