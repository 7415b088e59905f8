/** `kez account lock`: the agent of an account ends now. */
import { agentNameOf } from "../account/device-file.ts"
import { listAccounts, nameOfAccount } from "../account/records.ts"
import { stopAgents } from "../keys/agent.ts"
import type { Handler } from "../run.ts"

export const run: Handler<object> = async (context) => {
  const records = listAccounts(context.paths)
  const ended = await stopAgents(context.paths, records.map(agentNameOf))
  const locked = records.filter((record) => ended.includes(agentNameOf(record))).map(nameOfAccount)
  return {
    schema: "kez.lock/1",
    data: { locked },
    text: locked.length === 0 ? "nothing was unlocked" : `locked: ${locked.join(", ")}`,
  }
}
