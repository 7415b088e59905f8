/**
 * `kez account archive`: the words' part in an account's history. Signs the archive's key where the primary in force has not yet, and opens the archive
 * for a device that no other one let in. The key of a former primary opens what was written in its time.
 */
import { type ChainReplay, KezError } from "@kez/core"
import { bringOwnChain } from "../account/account-chain.ts"
import { archiveSecretOf, withArchiveKey } from "../account/archive-key.ts"
import { heldIdentity } from "../account/primary.ts"
import { nameOfAccount, type ReadyAccount, readyAccount, writeAccount } from "../account/records.ts"
import { type Visit, visitServer } from "../chat/visit.ts"
import type { Context } from "../context.ts"
import { exitCodes } from "../exit-codes.ts"
import { tryGivenKey } from "../keys/key-source.ts"
import { identityOf, type KeyMaterial } from "../keys/key-text.ts"
import { openKey } from "../keys/signers.ts"
import type { Handler } from "../run.ts"
import { count } from "../short-text.ts"
import { reachFor } from "./account-create.ts"
import type { VerifyOptions } from "./verify-options.ts"
import { readWords } from "./words-input.ts"

export interface ArchiveOptions extends Pick<VerifyOptions, "store" | "resolver" | "timeout"> {
  readonly account?: string
}

export const run: Handler<ArchiveOptions> = async (context, { args: [wanted], account, ...options }) => {
  const record = await readyAccount(context, wanted ?? account)
  const reach = await reachFor(context, record.host, options)
  const chain = (await bringOwnChain(context, record.primary, reach)) ?? noChain(record)
  const key = await findKey(context, record, chain)
  const current = await keep(context, record, { chain, key })
  const visit = await visitServer(context, current, await archiveSecretOf(key))
  const { archive, restored } = visit
  const isOn = archive.kind === "on"
  return {
    schema: "kez.account_archive/1",
    data: {
      account: nameOfAccount(current),
      archive: isOn || archive.kind === "off" || archive.kind === "closed" ? archive.kind : "unknown",
      archive_reason: isOn ? null : whyNot(visit),
      restored_messages: restored,
    },
    text: isOn
      ? `✓ your words and your devices can read the history of ${nameOfAccount(current)}${restored === 0 ? "" : `: ${count(restored, "earlier message")} came`}`
      : `◌ the history of ${nameOfAccount(current)} is not here yet: ${whyNot(visit)}`,
    exitCode: isOn ? exitCodes.ok : exitCodes.unreachable,
    next: isOn ? "kez chat" : `kez account archive ${nameOfAccount(current)}`,
  }
}

function whyNot({ archive, reason }: Visit): string {
  return "reason" in archive ? archive.reason : (reason ?? "the server did not answer in time")
}

/** The record as it is from now on: with the primary in force, and its statement where this is its key. */
async function keep(
  context: Context,
  record: ReadyAccount,
  { chain, key }: { readonly chain: ChainReplay; readonly key: KeyMaterial },
): Promise<ReadyAccount> {
  const { primary } = chain.state
  const known = { ...record, primary }
  const current = identityOf(key) === primary ? await withArchiveKey(context, known, key) : known
  writeAccount(context.paths, current)
  return current
}

/** Of this call, else the primary's where it is here, else from the words as they are typed. Throws `key.not_held`. */
async function findKey(
  context: Context,
  record: ReadyAccount,
  { state, everyPrimary }: ChainReplay,
): Promise<KeyMaterial> {
  const given = await tryGivenKey(context)
  const held = heldIdentity(context, { identity: record.identity, primary: state.primary })
  const key = given ?? (held === undefined ? await askKey(context, record) : await openKey(context, held))
  if (everyPrimary.includes(identityOf(key))) return key
  throw new KezError(
    "key.not_held",
    `Cannot open the archive of ${nameOfAccount(record)}: expected the key of ${state.primary}, got ${identityOf(key)}`,
    { hint: "Type the words of this account. After a rotation those before open what was written in their time." },
  )
}

async function askKey(context: Context, record: ReadyAccount): Promise<KeyMaterial> {
  if (context.terminal.interactive) return (await readWords(context, {})).key
  throw new KezError("key.not_held", "Cannot open the archive: the key of the account is not on this computer", {
    hint: `Pass the words for this command alone: kez account archive ${nameOfAccount(record)} --mnemonic @FILE`,
  })
}

function noChain(record: ReadyAccount): never {
  throw new KezError("chain.unknown", `Cannot find the chain of ${nameOfAccount(record)}: no store has it`, {
    hint: "Another store: --store URL",
  })
}
