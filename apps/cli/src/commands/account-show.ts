/** `kez account show`: one account, or all that are here. No passphrase is needed, and nobody is asked. */
import type { ChainReplay } from "@kez/core"
import { accountView, formatAccountView } from "../account/account-view.ts"
import { type AccountRecord, chooseAccount, listAccounts, nameOfAccount } from "../account/records.ts"
import type { Context } from "../context.ts"
import type { Handler } from "../run.ts"
import { readStore } from "../store/access.ts"

export const run: Handler<{ readonly account?: string; readonly all?: boolean }> = async (
  context,
  { args, account, all },
) => {
  const wanted = args[0] ?? account
  if (all === true) {
    const views = await Promise.all(
      listAccounts(context.paths).map(async (record) => accountView(context, record, await chainOf(context, record))),
    )
    return {
      schema: "kez.accounts/1",
      data: { accounts: views },
      text:
        views.length === 0 ? "no accounts here" : views.map((view) => formatAccountView(context, view)).join("\n\n"),
      ...(views.length === 0 ? { next: "kez account create HANDLE@HOST" } : {}),
    }
  }
  const record = await chooseAccount(context, wanted)
  const view = accountView(context, record, await chainOf(context, record))
  return {
    schema: "kez.account/1",
    data: view,
    text: formatAccountView(context, view),
    ...(view.state === "ready" ? {} : { next: `kez account create ${nameOfAccount(record)}` }),
  }
}

async function chainOf(context: Context, { chain }: AccountRecord): Promise<ChainReplay | undefined> {
  if (chain === undefined) return undefined
  return readStore<ChainReplay | undefined>(context, undefined, async (store) =>
    (await import("../store/chains.ts")).loadChain(store, chain),
  )
}
