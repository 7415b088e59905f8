/** `kez account lock`: the agent of an account ends now. */
import { agentNameOf } from "../account/device-file.ts"
import { listAccounts, nameOfAccount } from "../account/records.ts"
import { stopAgent } from "../keys/agent.ts"
import type { Handler } from "../run.ts"

export const run: Handler<object> = async (context) => {
  const locked: string[] = []
  for (const record of listAccounts(context.paths)) {
    if (await stopAgent(context.paths, agentNameOf(record))) locked.push(nameOfAccount(record))
  }
  return {
    schema: "kez.lock/1",
    data: { locked },
    text: locked.length === 0 ? "nothing was unlocked" : `locked: ${locked.join(", ")}`,
  }
}
