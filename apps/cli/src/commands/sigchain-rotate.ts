/** `kez sigchain rotate`: another key becomes the primary; the identity, its devices and its subjects stay. SPEC CHAIN-14 */
import { type ChainReplay, envelopeDigest, KezError, type Signer } from "@kez/core"
import { assertCommittable, assertDecided, assertTakes } from "../chain-refusal.ts"
import type { Context } from "../context.ts"
import { formatLeftBehind, formatRepeating, type GoingBack, goingBack, whyGoingBack } from "../going-back.ts"
import { findCurrentName, tryReadIdentity, useIdentity } from "../keys/identities.ts"
import { currentIdentity, signerFor, wholeSignerFor } from "../keys/signers.ts"
import { chainOfKey, type Extended, extendChain, noChain } from "../own-chain.ts"
import { type Repeating, repeatTrusted } from "../revocations.ts"
import type { Handler, Outcome } from "../run.ts"
import { readStore } from "../store/access.ts"
import { appendOutcome } from "./sigchain-append.ts"
import { readNext } from "./sigchain-set-next.ts"

export interface RotateOptions {
  /** Which key alone may follow the new one: a name, a key, or a commitment. */
  readonly next?: string
  /** Where it goes back: sign the revocations that it leaves behind again. */
  readonly keepRevocations?: boolean
  /** Go back without a question. */
  readonly yes?: boolean
}

export const run: Handler<RotateOptions> = async (context, { args: [name = ""], ...options }) => {
  const { key } = await currentIdentity(context)
  const before = await readStore<ChainReplay | undefined>(context, undefined, async (store) => chainOfKey(store, key))
  if (before === undefined) throw noChain(key)
  assertDecided(before)
  const { key: newKey } = await currentIdentity(context, name)
  const next = options.next === undefined ? undefined : await readNext(context, options.next)
  if (next !== undefined) assertCommittable(before, next, [newKey])
  const signer = before.state.next === undefined ? key : newKey
  assertTakes(context, goingBack(before, newKey)?.onto ?? before, rotationTo({ key: newKey }, next), signer)
  const agreed = await assertWanted(context, before, name, options)
  const newPrimary = await signerOfNew(context, name, before)
  let back: GoingBack | undefined
  let repeating: Repeating | undefined
  const extended = await extendChain(context, {
    key,
    // Under a commitment the new key signs alone: the old one may be lost, or in a thief's hands.
    signer: before.state.next === undefined ? await wholeSignerFor(context) : newPrimary,
    headSigner: newPrimary,
    plan: (chain) => {
      if (chain === undefined) throw noChain(key)
      if (next !== undefined) assertCommittable(chain, next, [newPrimary.key])
      back = goingBack(chain, newPrimary.key)
      if (options.yes !== true) assertAgreed(back, agreed)
      repeating = options.keepRevocations === true && back !== undefined ? repeat(back, newPrimary.key) : undefined
      return {
        operations: [rotationTo(newPrimary, next), ...(repeating?.operations ?? [])],
        onto: back?.onto,
      }
    },
  })
  return outcomeOf(context, { extended, name, back, repeating })
}

function rotationTo<K>(newPrimary: K, next: string | undefined) {
  return { op: "rotate", newPrimary, ...(next === undefined ? {} : { next }) } as const
}

function repeat({ onto, leftBehind }: GoingBack, primary: string): Repeating {
  return repeatTrusted(onto, leftBehind, primary)
}

/** The new key's signer, whole where it signs the rotation itself. */
function signerOfNew(context: Context, name: string, chain: ChainReplay): Promise<Signer> {
  return chain.state.next === undefined ? signerFor(context, name) : wholeSignerFor(context, name)
}

/** What the owner agreed to leave behind. Throws `input.missing` where nobody can be asked, `input.cancelled` after a no. */
async function assertWanted(
  context: Context,
  chain: ChainReplay,
  name: string,
  { yes, keepRevocations }: RotateOptions,
): Promise<GoingBack | undefined> {
  const { key } = await currentIdentity(context, name)
  const back = goingBack(chain, key)
  if (back === undefined || yes === true) return back
  const again = keepRevocations === true ? formatRepeating(context, repeat(back, key)) : []
  const why = [whyGoingBack(back), ...again].map((line) => `${line}.`)
  if (context.terminal.interactive) for (const line of why) context.terminal.say(line)
  const text = `Leave the ${formatLeftBehind(back)} after it behind?`
  if (await context.terminal.confirm({ text, flag: `--yes. ${why.join("\n")}`.replace(/\.$/, "") })) return back
  throw new KezError("input.cancelled", "Cancelled: nothing was signed")
}

function assertAgreed(back: GoingBack | undefined, agreed: GoingBack | undefined): void {
  const [now, then] = [back, agreed].map((one) => one?.leftBehind.map(envelopeDigest).join())
  if (back === undefined || now === then) return
  throw new KezError("input.cancelled", "Cancelled: the chain has grown since you were asked", {
    hint: "Nothing was signed. Run the command again.",
  })
}

interface Rotated {
  readonly extended: Extended
  readonly name: string
  readonly back: GoingBack | undefined
  readonly repeating: Repeating | undefined
}

async function outcomeOf(context: Context, { extended, name, back, repeating }: Rotated): Promise<Outcome> {
  const { events, replay } = extended
  const old = events[0]?.payload.primary
  const isUsed = old !== undefined && (await useInstead(context, old, name))
  const accounts = await rotateAccounts(context, replay, name)
  const suspended = replay.state.devices.filter((device) => device.suspended).map((device) => device.key)
  return appendOutcome(extended, {
    facts: {
      left_behind: (back?.leftBehind ?? []).map(({ payload: { seq, op } }) => ({ seq, op })),
      suspended,
    },
    warnings: [
      ...(back === undefined ? [] : [leftBehind(back)]),
      ...(repeating === undefined ? [] : formatRepeating(context, { ...repeating, again: [] })),
      ...suspended.map(mayStillSign),
    ],
    notes: [
      "  Claims of the old key stay valid where the chain names them; it can sign nothing new.",
      ...(isUsed ? [`  Commands now act as ${name}.`] : []),
      ...accounts.map(
        (account) => `  ${account}: the words of ${name} read its history once kez chat was online here.`,
      ),
    ],
    ...(isUsed ? {} : { next: `kez identity use ${name}` }),
  })
}

/** [FORK-6] */
function leftBehind(back: GoingBack): string {
  return (
    `${whyGoingBack(back)}, and ${formatLeftBehind(back)} after that have lost. Revocations count all the same, until you lift them: ` +
    "kez sigchain settle lists them, --lift lifts them. Who has the old key can sign more of them at any time; all that it signed, your own " +
    `revocations among them, is lifted by kez sigchain revoke-device ${back.onto.state.primary}, which asks you first`
  )
}

/** A suspended device has no say about what holds now, but its events count. [CHAIN-8] [FORK-7] */
function mayStillSign(device: string): string {
  return (
    `${device} was revoked on a branch that lost, and may still sign events of your chain: ` +
    `kez sigchain revoke-device ${device} unless it is yours; if it is, kez sigchain settle --lift`
  )
}

/** Chat accounts of the chain follow: their primary is the new one, and its words read their history. Their names. */
async function rotateAccounts(context: Context, replay: ChainReplay, name: string): Promise<readonly string[]> {
  const { listAccounts, nameOfAccount, writeAccount } = await import("../account/records.ts")
  const rotated: string[] = []
  for (const record of listAccounts(context.paths)) {
    if (record.chain !== replay.chain) continue
    const [{ tryArchiveKey }, { primaryNamed }] = await Promise.all([
      import("../account/archive-key.ts"),
      import("../account/primary.ts"),
    ])
    const followed = { ...record, chain: replay.chain, identity: name, primary: replay.state.primary }
    const kept = writeAccount(context.paths, await tryArchiveKey(context, followed, primaryNamed(context, name)))
    if (kept.archive_key !== record.archive_key) rotated.push(nameOfAccount(kept))
  }
  return rotated
}

/** Commands act as the new key where they acted as the old one, which nobody accepts any more. */
async function useInstead({ paths, warn }: Context, old: string, name: string): Promise<boolean> {
  const current = findCurrentName(paths)
  if (current === undefined || tryReadIdentity(paths, current)?.identity !== old) return false
  try {
    await useIdentity(paths, name)
    return true
  } catch {
    warn(`the key is rotated, and the identity in use is still ${current}`)
    return false
  }
}
