/** `kez account unlock`: the agent holds this device's keys for a while, so that `kez dm` and `kez chat` do not ask. */
import { agentNameOf, deviceOf, formatDevice, hasDevice, openDevice } from "../account/device-file.ts"
import { nameOfAccount, readyAccount } from "../account/records.ts"
import { startAgent } from "../keys/agent.ts"
import type { Handler } from "../run.ts"
import { parseLasting } from "./identity-unlock.ts"
import { untilText } from "./identity-view.ts"

export const run: Handler<{ readonly for?: string; readonly account?: string }> = async (context, options) => {
  const lasting = parseLasting(options.for ?? context.settings.unlockFor.value)
  const record = await readyAccount(context, options.account)
  const device = await openDevice(context, record)
  const until = context.now() + lasting
  const agent = { name: agentNameOf(record), identity: deviceOf(device) }
  const key = { system: "ed25519", secret: device.keys.sign } as const
  const isHere = () => hasDevice(context, record)
  await startAgent(context, agent, { key, until, device: formatDevice(device), isHere })
  const name = nameOfAccount(record)
  return {
    schema: "kez.unlock/1",
    data: { name, identity: agent.identity, unlocked_until: until },
    text: `${name} is unlocked ${untilText(until)}. To end it now: kez account lock`,
  }
}
