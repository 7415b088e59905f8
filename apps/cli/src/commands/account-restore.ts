/** `kez account restore`: the 24 words bring an account to this computer, as a new device of it. What it had here before is replaced only when asked. */
import { type ChainReplay, formatHex, formatTime, KezError } from "@kez/core"
import { bringOwnChain, handlesIn } from "../account/account-chain.ts"
import { type AccountView, accountView, formatAccountView } from "../account/account-view.ts"
import { archiveSecretOf } from "../account/archive-key.ts"
import { whatComesBack } from "../account/archive-state.ts"
import { agentNameOf } from "../account/device-file.ts"
import { tryGivenInvitation } from "../account/invitation.ts"
import { freeName, primaryOf } from "../account/primary.ts"
import {
  type AccountRecord,
  forgetAccount,
  listAccounts,
  nameOfAccount,
  parseAccountName,
  writeAccount,
} from "../account/records.ts"
import type { HandleName } from "../account/register.ts"
import { type FinishedSetUp, setUpAccount } from "../account/set-up.ts"
import { storesOf } from "../chains/store-url.ts"
import type { Context } from "../context.ts"
import { stopAgent } from "../keys/agent.ts"
import { addIdentity, listIdentities, newRecord } from "../keys/identities.ts"
import { encryptKey } from "../keys/key-file.ts"
import { formatKey, identityOf, type KeyMaterial } from "../keys/key-text.ts"
import { newPassphrase } from "../keys/passphrase.ts"
import { drawRandom } from "../keys/random.ts"
import type { Handler } from "../run.ts"
import { count } from "../short-text.ts"
import { type AccountOptions, ensureDevice, once, reachFor } from "./account-create.ts"
import { readDemands } from "./verify-options.ts"
import { type GivenWords, readWords, type WordsOptions } from "./words-input.ts"

export interface RestoreOptions extends AccountOptions, WordsOptions {
  /** The primary's key is not stored. */
  readonly deviceOnly?: boolean
  /** Takes the place of the device that this computer has of the account. */
  readonly replace?: boolean
}

export const run: Handler<RestoreOptions> = async (context, { args: [typed], ...options }) => {
  const wanted = typed === undefined ? undefined : await parseAccountName(typed)
  const invitation = await tryGivenInvitation(context, options)
  const words = await readWords(context, options)
  const key = identityOf(words.key)
  const chain = await findChain(context, { key, wanted, options })
  const name = await chooseHandle(context, chain, wanted)
  const reach = await reachFor(context, name.host, options)
  const { begun, replaced } = begin(context, { name, chain, key, options })
  const passphrase = once(() => newPassphrase(context, options.passphrase === false))
  const identity =
    options.deviceOnly === true ? begun.identity : await keepIdentity(context, begun.identity, { words, passphrase })
  const record = writeAccount(context.paths, { ...begun, identity, primary: key, chain: chain.chain })
  const device = await ensureDevice(context, record, passphrase)
  const primary = primaryOf(words.key)
  const archiveSecret = await archiveSecretOf(words.key)
  const finished = await setUpAccount(context, record, { device, primary, reach, invitation, archiveSecret })
  if (replaced !== undefined) await forget(context, replaced)
  const view = accountView(context, finished.record, finished.replay)
  const { restored } = finished.visit
  return {
    schema: "kez.account/1",
    data: { ...view, restored_messages: restored },
    text: `✓ ${formatAccountView(context, view)}${restored === 0 ? "" : `\n✓ ${count(restored, "earlier message")} came out of your archive`}`,
    warnings: [...unreadWarnings(finished), ...deviceWarnings(view)],
    next: "kez chat",
  }
}

/** The old device and its agent, also that of an unlock that had opened its key file before. */
async function forget({ paths }: Context, record: AccountRecord): Promise<void> {
  await stopAgent(paths, agentNameOf(record))
  forgetAccount(paths, record)
  await stopAgent(paths, agentNameOf(record))
}

/** What was said before is not here: why, and who brings it. */
function unreadWarnings({ record, visit: { archive, reason } }: FinishedSetUp): readonly string[] {
  if (archive.kind === "on") return []
  const why =
    archive.kind === "waiting" || archive.kind === "restoring"
      ? `the server was not reached, or did not answer: ${reason ?? "it took too long"}`
      : archive.reason
  return [
    `your earlier messages are not all here yet (${why.replace(/[.:]$/, "")}). To bring them: kez account archive ${nameOfAccount(record)}, with your words once more; or open kez chat on another device of yours, which lets this one in`,
  ]
}

function deviceWarnings({ other_devices: others }: AccountView): readonly string[] {
  if (others === null || others.length === 0) return []
  return [
    `this account has other devices. One that is lost can still read: kez sigchain revoke-device KEY, for ${others.join(", ")}`,
  ]
}

interface Wish {
  readonly key: string
  readonly wanted: HandleName | undefined
  readonly options: RestoreOptions
}

/** From the stores of the settings, and those that the chat server names where one is known. */
async function findChain(context: Context, { key, wanted, options }: Wish): Promise<ChainReplay> {
  const { net, timeoutMs } = await readDemands(context, options)
  const stores = storesOf(context, options.store)
  if (wanted === undefined && stores.length === 0) {
    throw new KezError("usage", "Cannot look for the chain of these words: expected the account or a store", {
      hint: "Name the account: kez account restore HANDLE@HOST\nOr a store: --store https://sig.example.org",
    })
  }
  const reach =
    wanted === undefined ? { net: await net(), stores, timeoutMs } : await reachFor(context, wanted.host, options)
  const chain = await bringOwnChain(context, key, reach)
  if (chain === undefined) {
    throw new KezError("chain.unknown", `Cannot find a chain of ${key}: no store has one`, {
      hint: `Stores asked: ${reach.stores.join(", ")}\nAnother one: --store URL. For a new account: kez account create HANDLE@HOST`,
    })
  }
  if (chain.state.primary === key) return chain
  throw new KezError(
    "chain.not_authorised",
    `Cannot restore by these words: the account's key was replaced by ${chain.state.primary}`,
    {
      hint: "Use the words of that key.",
    },
  )
}

async function chooseHandle(context: Context, chain: ChainReplay, wanted: HandleName | undefined): Promise<HandleName> {
  const listed = handlesIn(chain)
  if (wanted !== undefined) {
    if (listed.includes(nameOfAccount(wanted))) return wanted
    const has = listed.length === 0 ? "It lists none." : `It lists ${listed.join(", ")}.`
    throw new KezError(
      "claim.not_in_chain",
      `Cannot restore ${nameOfAccount(wanted)}: the chain of these words does not list it`,
      {
        hint: has,
      },
    )
  }
  const [only, ...others] = listed
  if (only === undefined) {
    throw new KezError(
      "claim.not_in_chain",
      "Cannot restore an account: the chain of these words lists none on a chat server",
      {
        hint: "To make one with this identity: kez identity restore, then kez account create HANDLE@HOST --identity NAME",
      },
    )
  }
  const chosen = others.length === 0 ? only : await askWhich(context, listed)
  return parseAccountName(chosen)
}

function askWhich({ terminal }: Context, listed: readonly string[]): Promise<string> {
  return terminal.choose({
    text: "Which account?",
    flag: `one of ${listed.join(", ")}`,
    choices: listed.map((name) => [name, name] as const),
  })
}

/** A record to go on with, or a new one. An account that is ready here is replaced only with --replace. */
function begin(
  context: Context,
  {
    name,
    chain,
    key,
    options,
  }: { readonly name: HandleName; readonly chain: ChainReplay; readonly key: string; readonly options: RestoreOptions },
): { readonly begun: AccountRecord; readonly replaced: AccountRecord | undefined } {
  const { paths } = context
  const here = listAccounts(paths).filter(({ handle, host }) => handle === name.handle && host === name.host)
  const unfinished = here.find(({ state }) => state === "creating")
  const ready = here.find(({ state }) => state === "ready")
  if (ready !== undefined && options.replace !== true) {
    throw new KezError("store.exists", `Cannot restore ${nameOfAccount(name)}: it is on this computer already`, {
      hint: `kez chat opens it. For a new device in its place, such as after a forgotten passphrase: --replace\n${whatComesBack(paths, ready)}`,
    })
  }
  if (unfinished !== undefined) return { begun: unfinished, replaced: ready }
  const identity =
    listIdentities(paths).find((record) => record.identity === key)?.name ?? freeName(context, name.handle)
  const begun = writeAccount(paths, {
    id: formatHex(drawRandom(8)),
    ...name,
    identity,
    primary: key,
    chain: chain.chain,
    state: "creating",
    statements: [],
    created_at: formatTime(context.now()),
  })
  return { begun, replaced: ready }
}

/** The name under which the primary is here. */
async function keepIdentity(
  context: Context,
  wanted: string,
  { words, passphrase }: { readonly words: GivenWords; readonly passphrase: () => Promise<string | undefined> },
): Promise<string> {
  const { key, isTyped } = words
  const identity = identityOf(key)
  const same = listIdentities(context.paths).find((record) => record.identity === identity)
  if (same !== undefined) return same.name
  const secret = await passphrase()
  const record = newRecord(freeName(context, wanted), identity, {
    words: wordCount(key),
    // Whoever typed them has them.
    backup: isTyped ? "confirmed" : "pending",
    createdAt: formatTime(context.now()),
  })
  const keyText = secret === undefined ? formatKey(key) : await encryptKey(key, secret)
  await addIdentity(context.paths, { record, keyText, isEncrypted: secret !== undefined })
  if (secret === undefined)
    context.warn("the key is stored unencrypted: whoever can read the file, or a backup of it, has it")
  return record.name
}

function wordCount({ entropy }: KeyMaterial): 12 | 24 {
  return entropy?.length === 16 ? 12 : 24
}
