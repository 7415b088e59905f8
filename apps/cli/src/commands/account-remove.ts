/** `kez account remove`: its keys and messages leave this computer. The handle stays its owner's; the words bring the account back. */

import { KezError } from "@kez/core"
import { whatComesBack } from "../account/archive-state.ts"
import { agentNameOf } from "../account/device-file.ts"
import { chooseAccount, forgetAccount, nameOfAccount } from "../account/records.ts"
import { stopAgent } from "../keys/agent.ts"
import type { Handler } from "../run.ts"

export const run: Handler<{ readonly yes?: boolean }> = async (context, { args: [wanted], yes }) => {
  const { terminal, paths } = context
  const record = await chooseAccount(context, wanted)
  const name = nameOfAccount(record)
  if (yes !== true) {
    terminal.say(`This deletes the keys of this device of ${name}, and all messages stored here.`)
    terminal.say(`The 24 words make a new device. ${whatComesBack(paths, record)}`)
    const isSure = await terminal.confirm({ text: `Remove ${name} from this computer?`, flag: "--yes" })
    if (!isSure) throw new KezError("input.cancelled", "Cancelled: nothing was deleted")
  }
  await stopAgent(paths, agentNameOf(record))
  forgetAccount(paths, record)
  // Of an unlock that had opened the device's key file before.
  await stopAgent(paths, agentNameOf(record))
  return {
    schema: "kez.account_removed/1",
    data: { account: name, device: record.device ?? null },
    text: `${name} is not on this computer any more`,
    ...(record.device === undefined
      ? {}
      : { next: `kez sigchain revoke-device ${record.device}, for it is still in the chain` }),
  }
}
