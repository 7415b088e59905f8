/** `kez account move`: to another chat server. */
import { KezError } from "@kez/core"
import { nameOfAccount, parseAccountName, readyAccount } from "../account/records.ts"
import type { Handler } from "../run.ts"
import { type MoveOptions, moveTo } from "./account-rename.ts"

export const run: Handler<MoveOptions> = async (context, { args: [typed = ""], ...options }) => {
  const record = await readyAccount(context, options.account)
  const to = await parseAccountName(typed)
  if (to.host === record.host) {
    throw new KezError("usage", `Cannot move to ${to.host}: the account is there already`, {
      hint: `For another handle there: kez account rename ${nameOfAccount(to)}`,
    })
  }
  return moveTo(context, { record, to, options })
}
