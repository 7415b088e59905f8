/** `kez identity list`: one line for each identity on this computer. */
import type { Context } from "../context.ts"
import { agentStatus } from "../keys/agent.ts"
import { listIdentities, listOrphans } from "../keys/identities.ts"
import { findKeyFile } from "../keys/key-file-place.ts"
import { paint } from "../output.ts"
import type { Outcome } from "../run.ts"
import { type IdentityView, untilText, viewOf, wordsText } from "./identity-view.ts"

export async function run(context: Context): Promise<Outcome> {
  const { paths } = context
  const records = listIdentities(paths)
  const agents = await Promise.all(records.map(({ name }) => agentStatus(paths, name)))
  const identities = records.map((record, i) => {
    const agent = agents[i]
    return viewOf(context, record, {
      keyFile: findKeyFile(paths.keys, record.name),
      unlockedUntil: agent?.key === record.identity ? agent.until : undefined,
    })
  })
  const orphans = listOrphans(paths)
  return {
    schema: "kez.identities/1",
    data: { identities },
    text: formatList(context, identities),
    warnings: orphans.map((name) => `${name} has a key file and no record. To repair it: kez identity unlock ${name}`),
    ...(identities.length === 0 ? { next: "kez identity new" } : {}),
  }
}

function formatList({ terminal }: Context, views: readonly IdentityView[]): string {
  if (views.length === 0) return "No identities on this computer."
  const nameWidth = Math.max(...views.map(({ name }) => name.length))
  return views
    .map((view) => {
      const notes = [
        wordsText(view),
        ...(view.protection === "none" ? ["NOT ENCRYPTED"] : []),
        ...(view.protection === "not_held" ? ["key not on this computer"] : []),
        ...(view.unlocked_until === undefined ? [] : [`unlocked ${untilText(view.unlocked_until)}`]),
      ]
      const name = paint(terminal.color, "bold", view.name.padEnd(nameWidth))
      const mark = view.is_current ? "*" : " "
      return `${mark} ${name}  ${shortKey(view.identity)}  ${notes.join(", ")}`
    })
    .join("\n")
}

/** Enough to tell one's own identities apart; `show` and --json have the whole. */
function shortKey(identity: string): string {
  const [system = "", value = ""] = identity.split(":")
  return `${system}:${value.slice(0, 8)}…${value.slice(-6)}`.padEnd("ed25519:".length + 15)
}
