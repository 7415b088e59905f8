/** `kez identity use`: whom commands act as when nobody is named. */
import type { Context } from "../context.ts"
import { readIdentity, useIdentity } from "../keys/identities.ts"
import { findKeyFile } from "../keys/key-file-place.ts"
import type { Outcome } from "../run.ts"
import { viewOf } from "./identity-view.ts"

export async function run(context: Context, { args }: { readonly args: readonly string[] }): Promise<Outcome> {
  const record = readIdentity(context.paths, args[0] ?? "")
  await useIdentity(context.paths, record.name)
  const view = viewOf(context, record, { keyFile: findKeyFile(context.paths.keys, record.name) })
  return { schema: "kez.identity/1", data: view, text: `Commands now act as ${record.name}, ${record.identity}.` }
}
