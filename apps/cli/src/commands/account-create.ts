/**
 * `kez account create`: an identity with its words on paper, this device's keys, the chain, the handle. Each step is stored before the
 * next one begins: interrupted anywhere, the same command goes on.
 */
import { formatHex, formatTime, KezError } from "@kez/core"
import { bringOwnChain, type Reach } from "../account/account-chain.ts"
import { accountView, formatAccountView } from "../account/account-view.ts"
import { aboutHost, askHandle, storesFor } from "../account/chat-host.ts"
import { type Device, drawDevice, hasDevice, openDevice, rememberDevice, storeDevice } from "../account/device-file.ts"
import { type InvitationOptions, tryGivenInvitation } from "../account/invitation.ts"
import { chooseIdentityName, ensurePrimary, type Primary } from "../account/primary.ts"
import { type AccountRecord, listAccounts, nameOfAccount, parseAccountName, writeAccount } from "../account/records.ts"
import type { HandleName } from "../account/register.ts"
import { setUpAccount } from "../account/set-up.ts"
import type { Context } from "../context.ts"
import { newPassphrase } from "../keys/passphrase.ts"
import { drawRandom } from "../keys/random.ts"
import type { Handler } from "../run.ts"
import { formatWordGrid } from "../terminal/recall.ts"
import { readDemands, type VerifyOptions } from "./verify-options.ts"

export interface AccountOptions extends InvitationOptions, Pick<VerifyOptions, "store" | "resolver" | "timeout"> {
  readonly passphrase?: boolean
  readonly revealWords?: boolean
}

export const run: Handler<AccountOptions> = async (context, { args: [typed = ""], ...options }) => {
  const name = await parseAccountName(typed)
  const invitation = await tryGivenInvitation(context, options)
  const before = findBegun(context, name)
  const reach = await reachFor(context, name.host, options)
  await assertMayBeFree(context, name, { before, reach })
  const passphrase = once(() => newPassphrase(context, options.passphrase === false))
  const begun = before ?? (await begin(context, name))
  const primary = await ensurePrimary(context, begun.identity, passphrase)
  const device = await ensureDevice(context, begun, passphrase)
  if (!primary.isNew) await assertOneChain(context, { record: begun, name, primary, reach })
  const isRenamed = nameOfAccount(begun) !== nameOfAccount(name)
  const record = writeAccount(context.paths, { ...begun, handle: name.handle, primary: primary.key })
  const finished = await setUpAccount(context, record, {
    device,
    primary,
    reach,
    invitation,
    revokes: isRenamed ? [`kez:${nameOfAccount(begun)}`] : [],
  })
  const view = accountView(context, finished.record, finished.replay)
  const words = options.revealWords === true ? primary.words : undefined
  return {
    schema: "kez.account/1",
    data: words === undefined ? view : { ...view, recovery_words: words },
    text: [`✓ ${formatAccountView(context, view)}`, ...(words === undefined ? [] : formatWordGrid(words, 4))].join(
      "\n",
    ),
    next:
      view.backup === "pending"
        ? `kez identity mnemonic ${view.identity}`
        : "kez chat, or kez contacts add HANDLE@HOST",
  }
}

/** The record to go on with: of this name, else one at the same host that never got its handle. */
function findBegun({ paths, flags }: Context, name: HandleName): AccountRecord | undefined {
  const here = listAccounts(paths).filter(({ host }) => host === name.host)
  const same = here.find(({ handle }) => handle === name.handle)
  if (same?.state === "ready") {
    throw new KezError("store.exists", `Cannot create ${nameOfAccount(name)}: it is on this computer already`, {
      hint: "kez chat opens it; kez account show tells more.",
    })
  }
  const isMeant = ({ state, identity }: AccountRecord): boolean =>
    state === "creating" && (flags.identity === undefined || flags.identity === identity)
  return same ?? here.find(isMeant)
}

export async function reachFor(
  context: Context,
  host: string,
  options: Pick<VerifyOptions, "store" | "resolver" | "timeout">,
): Promise<Reach> {
  const { net: open, timeoutMs } = await readDemands(context, options)
  const net = await open()
  context.terminal.progress(`asking ${host}`)
  const about = await aboutHost(net, host, timeoutMs)
  return { net, timeoutMs, stores: storesFor(context, { host, about, given: options.store ?? [] }) }
}

/** Before anybody writes words on paper for a handle that somebody else has. */
async function assertMayBeFree(
  context: Context,
  name: HandleName,
  { before, reach }: { readonly before: AccountRecord | undefined; readonly reach: Reach },
): Promise<void> {
  const answer = await askHandle(reach.net, name, reach.timeoutMs)
  if (answer.state === "free" || answer.chain === before?.chain) return
  // It may be the chain of the identity that was named: looked at when that one is known.
  if (before !== undefined || context.flags.identity !== undefined) return
  throw notFree(name, answer.state)
}

function notFree(name: HandleName, state: "taken" | "given_up"): KezError {
  const [code, why] =
    state === "taken"
      ? (["handle.taken", "somebody has it"] as const)
      : (["handle.released", "it was given up"] as const)
  return new KezError(code, `Cannot create ${nameOfAccount(name)}: ${why}`, {
    hint: `Choose another handle. If it is yours: kez account restore ${nameOfAccount(name)}`,
  })
}

/** The record before the keys: an interrupted command finds which identity it made for what. */
async function begin(context: Context, name: HandleName): Promise<AccountRecord> {
  const identity = await chooseIdentityName(context, name.handle)
  return writeAccount(context.paths, {
    id: formatHex(drawRandom(8)),
    ...name,
    identity,
    state: "creating",
    statements: [],
    created_at: formatTime(context.now()),
  })
}

export async function ensureDevice(
  context: Context,
  record: AccountRecord,
  passphrase: () => Promise<string | undefined>,
): Promise<Device> {
  if (hasDevice(context, record)) return openDevice(context, record)
  const device = drawDevice()
  await storeDevice(context, record, { device, passphrase: await passphrase() })
  rememberDevice(context, record, device)
  return device
}

/** An identity that was here before may have a chain that this computer has not seen. */
async function assertOneChain(
  context: Context,
  {
    record,
    name,
    primary,
    reach,
  }: { readonly record: AccountRecord; readonly name: HandleName; readonly primary: Primary; readonly reach: Reach },
): Promise<void> {
  const chain = await bringOwnChain(context, primary.key, reach)
  if (chain !== undefined && chain.state.primary !== primary.key) {
    throw new KezError(
      "chain.not_authorised",
      `Cannot use this identity: its chain belongs to ${chain.state.primary} now`,
      {
        hint: "Restore the words of that key, and name it with --identity.",
      },
    )
  }
  if (record.chain !== undefined && chain !== undefined && chain.chain !== record.chain) {
    throw new KezError("chain.fork", `Cannot go on: this identity has another chain than the account, ${chain.chain}`)
  }
  const answer = await askHandle(reach.net, name, reach.timeoutMs)
  if (answer.state !== "free" && answer.chain !== chain?.chain) throw notFree(name, answer.state)
}

export function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined
  return () => {
    asked ??= ask()
    return asked
  }
}
