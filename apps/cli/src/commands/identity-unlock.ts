/** `kez identity unlock`: starts the agent of an identity. */
import { KezError } from "@kez/core"
import type { Context } from "../context.ts"
import { startAgent } from "../keys/agent.ts"
import { findCurrentName, listOrphans, tryReadIdentity } from "../keys/identities.ts"
import { findKeyFile } from "../keys/key-file-place.ts"
import { currentRecord } from "../keys/signers.ts"
import { unlockOrAdopt } from "../keys/unlock.ts"
import type { Outcome } from "../run.ts"
import { untilText } from "./identity-view.ts"

const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }
const maxSeconds = 86_400

export async function run(
  context: Context,
  options: { readonly args: readonly string[]; readonly for?: string },
): Promise<Outcome> {
  const { paths } = context
  const lasting = parseLasting(options.for ?? context.settings.unlockFor.value)
  const wanted = options.args[0] ?? context.flags.identity ?? findCurrentName(paths)
  const isOrphan = wanted !== undefined && listOrphans(paths).includes(wanted)
  const name = isOrphan ? wanted : currentRecord(context, wanted).name
  const { key, record } = await unlockOrAdopt(context, name)
  const until = context.now() + lasting
  const isHere = () =>
    tryReadIdentity(paths, name)?.identity === record.identity && findKeyFile(paths.keys, name) !== undefined
  await startAgent(context, record, { key, until, isHere })
  return {
    schema: "kez.unlock/1",
    data: { name, identity: record.identity, unlocked_until: until },
    text: `${name} is unlocked ${untilText(until)}. To end it now: kez identity lock ${name}`,
  }
}

/** Seconds of `90s`, `15m`, `8h` or `1d`. */
export function parseLasting(text: string): number {
  const match = /^([1-9][0-9]{0,5})([smhd])$/.exec(text)
  const lasting = Number(match?.[1]) * (seconds[match?.[2] ?? ""] ?? Number.NaN)
  if (lasting <= maxSeconds) return lasting
  throw new KezError("usage", "Cannot unlock for that long: expected a time such as 90s, 15m or 8h, at most 24h")
}
