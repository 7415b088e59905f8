/** `kez identity show`: one identity, from its public record. */
import type { Context } from "../context.ts"
import { agentStatus } from "../keys/agent.ts"
import { findKeyFile } from "../keys/key-file-place.ts"
import { currentRecord } from "../keys/signers.ts"
import type { Outcome } from "../run.ts"
import { formatIdentityView, viewOf } from "./identity-view.ts"

export async function run(
  context: Context,
  options: { readonly args: readonly string[]; readonly id?: boolean },
): Promise<Outcome> {
  const record = currentRecord(context, options.args[0])
  const agent = await agentStatus(context.paths, record.name)
  const view = viewOf(context, record, {
    keyFile: findKeyFile(context.paths.keys, record.name),
    unlockedUntil: agent?.key === record.identity ? agent.until : undefined,
  })
  const text = options.id === true ? record.identity : formatIdentityView(context, view)
  return { schema: "kez.identity/1", data: view, text }
}
