/** `kez identity remove`: deletes a key from this computer. */
import type { Context } from "../context.ts"
import { fault } from "../fault.ts"
import { stopAgent } from "../keys/agent.ts"
import { listOrphans, readIdentity, removeIdentity } from "../keys/identities.ts"
import { assertName } from "../paths.ts"
import type { Outcome } from "../run.ts"

export async function run(
  context: Context,
  options: { readonly args: readonly string[]; readonly yes?: boolean },
): Promise<Outcome> {
  const { paths, terminal } = context
  const name = options.args[0] ?? ""
  assertName("name", name)
  const record = listOrphans(paths).includes(name) ? undefined : readIdentity(paths, name)
  if (record?.backup !== "confirmed") {
    const risk = `nobody has checked that the recovery words of ${name} are on paper: without them it cannot come back`
    if (terminal.interactive) terminal.say(`Warning: ${risk}`)
    else context.warn(risk)
  }
  if (options.yes !== true) {
    const isSure = await terminal.confirm({ text: `Delete the key of ${name} from this computer?`, flag: "--yes" })
    if (!isSure) throw fault("input.cancelled", `Cancelled: ${name} is still here`)
  }
  await stopAgent(paths, name)
  await removeIdentity(paths, name)
  // Of an unlock that had opened the key before.
  await stopAgent(paths, name)
  return {
    schema: "kez.identity_removed/1",
    data: { name, identity: record?.identity ?? null },
    text: `${name} is no longer on this computer.`,
  }
}
