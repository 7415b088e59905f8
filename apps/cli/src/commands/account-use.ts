/** `kez account use`: the account that commands work with when none is named. */
import { accountView, formatAccountView } from "../account/account-view.ts"
import { chooseAccount, useAccount } from "../account/records.ts"
import type { Handler } from "../run.ts"

export const run: Handler<object> = async (context, { args: [name = ""] }) => {
  const record = await chooseAccount(context, name)
  useAccount(context.paths, record)
  const view = accountView(context, record)
  return { schema: "kez.account/1", data: view, text: formatAccountView(context, view) }
}
