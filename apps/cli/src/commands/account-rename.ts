/** `kez account rename` and `kez account move`: another handle on the same server, or on another one. The old one stays taken for good. */
import { deviceSigner } from "@kez/chat"
import { KezError } from "@kez/core"
import { growChain, publishOwnChain, type Reach } from "../account/account-chain.ts"
import { accountView, formatAccountView } from "../account/account-view.ts"
import { askHandle } from "../account/chat-host.ts"
import { openDevice } from "../account/device-file.ts"
import { type InvitationOptions, tryGivenInvitation } from "../account/invitation.ts"
import { primarySigner } from "../account/primary.ts"
import { nameOfAccount, parseAccountName, type ReadyAccount, readyAccount, writeAccount } from "../account/records.ts"
import { type HandleName, moveHandle, registerHandle } from "../account/register.ts"
import type { Context } from "../context.ts"
import type { Handler, Outcome } from "../run.ts"
import { once, reachFor } from "./account-create.ts"
import type { VerifyOptions } from "./verify-options.ts"

export interface MoveOptions extends InvitationOptions, Pick<VerifyOptions, "store" | "resolver" | "timeout"> {
  readonly account?: string
  readonly yes?: boolean
}

/** Within the host. */
export const run: Handler<MoveOptions> = async (context, { args: [typed = ""], ...options }) => {
  const record = await readyAccount(context, options.account)
  const to = await parseAccountName(typed.includes("@", 1) ? typed : `${typed}@${record.host}`)
  if (to.host !== record.host) {
    throw new KezError("usage", `Cannot rename to another server: expected a handle at ${record.host}`, {
      hint: `To move there: kez account move ${nameOfAccount(to)}`,
    })
  }
  return moveTo(context, { record, to, options })
}

export interface MoveWish {
  readonly record: ReadyAccount
  readonly to: HandleName
  readonly options: MoveOptions
}

/** Listed first, then registered, then the old one says where it went: at no moment is the account without a handle. */
export async function moveTo(context: Context, { record, to, options }: MoveWish): Promise<Outcome> {
  const from = nameOfAccount(record)
  if (nameOfAccount(to) === from) throw new KezError("usage", `Cannot rename ${from}: it has this handle already`)
  const invitation = await tryGivenInvitation(context, options)
  const oldReach = await reachFor(context, record.host, options)
  const reach = to.host === record.host ? oldReach : await reachFor(context, to.host, options)
  await assertFree(to, record, reach)
  if (record.moving === undefined) await assertSure(context, { from, to, isSure: options.yes === true })
  const device = await openDevice(context, record)
  const primary = await primarySigner(context, record)
  const signer = deviceSigner(device.keys)
  const askPrimary = once(async () => primary)
  writeAccount(context.paths, { ...record, moving: to })
  await growChain(context, { primary: record.primary, signer: askPrimary, lists: [`kez:${nameOfAccount(to)}`] })
  const both: Reach = { ...reach, stores: [...new Set([...reach.stores, ...oldReach.stores])] }
  const published = await publishOwnChain(context, record.primary, both)
  let current = { ...record, moving: to }
  const registering = { published, signer, reach, invitation }
  if (to.host !== record.host) current = { ...current, ...(await registerHandle(context, current, to, registering)) }
  current = { ...current, ...(await moveHandle(context, current, { ...registering, reach: oldReach, primary, to })) }
  await growChain(context, { primary: record.primary, signer: askPrimary, revokes: [`kez:${from}`] })
  const { replay } = await publishOwnChain(context, record.primary, both)
  const { moving: _, ...moved } = { ...current, ...to }
  writeAccount(context.paths, moved)
  const view = accountView(context, moved, replay)
  return {
    schema: "kez.account/1",
    data: view,
    text: `✓ ${from} is now ${formatAccountView(context, view)}`,
    next:
      to.host === record.host ? "kez chat" : "kez chat; what was written at the old server stays in its own store here",
  }
}

async function assertFree(to: HandleName, record: ReadyAccount, { net, timeoutMs }: Reach): Promise<void> {
  const answer = await askHandle(net, to, timeoutMs)
  if (answer.state === "free" || answer.chain === record.chain) return
  throw new KezError("handle.taken", `Cannot take ${nameOfAccount(to)}: somebody else has it, or had it`, {
    hint: "Choose another handle.",
  })
}

async function assertSure(
  { terminal }: Context,
  { from, to, isSure }: { readonly from: string; readonly to: HandleName; readonly isSure: boolean },
): Promise<void> {
  if (isSure) return
  terminal.say(
    `${from} will lead to ${nameOfAccount(to)} for good: nobody else can ever have it, and your contacts are told.`,
  )
  if (await terminal.confirm({ text: "Go on?", flag: "--yes" })) return
  throw new KezError("input.cancelled", "Cancelled: nothing was changed")
}
