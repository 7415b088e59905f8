/** `kez sigchain revoke-device`: keys that may speak for the identity no longer, and those that they added. SPEC CHAIN-12 */
import { type ChainReplay, commitmentTo, KezError } from "@kez/core"
import { assertDecided, assertTakes, goneWith, misuse } from "../chain-refusal.ts"
import { readKey } from "../find-chain.ts"
import { currentIdentity } from "../keys/signers.ts"
import { assertLifting, assertSameLifting, formatLifted, isLifting, liftedBy, type Revocation } from "../lifting.ts"
import { chainOfKey } from "../own-chain.ts"
import type { Handler } from "../run.ts"
import { readStore } from "../store/access.ts"
import { appendAsSelf } from "./sigchain-append.ts"

export interface RevokeDeviceOptions {
  /** Devices to keep although a revoked key added them. */
  readonly keep?: readonly string[]
  /** Revoke even the key that was committed to, and lift revocations without a question. */
  readonly yes?: boolean
}

export const run: Handler<RevokeDeviceOptions> = async (context, { args, keep = [], yes }) => {
  const { key } = await currentIdentity(context)
  const keys = await Promise.all(args.map((typed) => readKey(context, typed)))
  const named = await Promise.all(keep.map((typed) => readKey(context, typed)))
  const wanted = { acting: key, keys, named, isSure: yes === true }
  const before = await readStore<ChainReplay | undefined>(context, undefined, async (store) => chainOfKey(store, key))
  const known = revocationOf(before, wanted)
  if (before !== undefined) assertTakes(context, before, { op: "revoke_device", ...known.payload }, key)
  if (yes !== true) await assertLifting(context, known)
  const { lifted, ofFormer } = known
  const isAnything = lifted.devices.length + lifted.subjects.length > 0
  return appendAsSelf(context, {
    // What is lifted gives keys and subjects their say back.
    isLasting: isLifting(known),
    plan: (chain) => {
      const now = revocationOf(chain, wanted)
      assertSameLifting(now, known, wanted.isSure)
      return { operations: [{ op: "revoke_device", ...now.payload }] }
    },
    facts: { lifted },
    warnings: isAnything ? [`this lifted revocations of branches that lost: ${formatLifted(lifted)}`] : [],
    notes: ofFormer
      ? ["  What a former primary revoked on branches that lost has no force any more, nor what it revokes there yet."]
      : ["  A revoked key never returns, and devices that it added went with it."],
  })
}

interface Wanted {
  readonly acting: string
  readonly keys: readonly string[]
  /** Devices to keep, as typed. */
  readonly named: readonly string[]
  readonly isSure: boolean
}

/** The event and what it would lift. Throws where its owner has to say more, or it cannot be. */
function revocationOf(chain: ChainReplay | undefined, { acting, keys, named, isSure }: Wanted): Revocation {
  if (chain !== undefined) assertDecided(chain)
  const formers = formersIn(chain, keys, acting)
  assertKnown(chain, [...keys.filter((one) => !formers.includes(one)), ...named])
  const keep = chain === undefined ? named : [...named, ...stayingWithout(chain, { keys, formers, named })]
  if (chain !== undefined && !isSure) assertCanRotate(chain, goneWith(chain, keys, keep))
  const payload = { keys, ...(keep.length === 0 ? {} : { keep }) }
  const lifted = chain === undefined ? { devices: [], subjects: [] } : liftedBy(chain, acting, payload)
  return { payload, lifted, ofFormer: formers.length > 0, named }
}

/** Former primaries among `keys`, where the primary itself acts: only then are their revocations lifted. [FORK-6] */
function formersIn(chain: ChainReplay | undefined, keys: readonly string[], acting: string): readonly string[] {
  if (chain === undefined || chain.state.primary !== acting) return []
  return keys.filter((key) => key !== acting && chain.state.primaries.includes(key))
}

function assertKnown(chain: ChainReplay | undefined, typed: readonly string[]): void {
  const known = chain === undefined ? [] : [chain.state.primary, ...chain.state.devices.map((device) => device.key)]
  const strange = typed.find((key) => !known.includes(key))
  if (strange === undefined) return
  throw new KezError("usage", `Cannot revoke by ${strange}: it is no active device of your chain`, {
    hint: "kez sigchain show lists the devices.",
  })
}

interface Going {
  readonly keys: readonly string[]
  readonly formers: readonly string[]
  readonly named: readonly string[]
}

/**
 * Devices that only a former primary added: it was its owner's then, and they stay. Throws where one of them is suspended: with what the
 * former primary signed its revocation may be lifted, and it would have its say back unasked.
 */
function stayingWithout(chain: ChainReplay, { keys, formers, named }: Going): readonly string[] {
  const others = keys.filter((key) => !formers.includes(key))
  const gone = goneWith(chain, others, named)
  const staying = goneWith(chain, keys, named).filter((key) => !gone.includes(key))
  const suspended = chain.state.devices.find((device) => device.suspended && staying.includes(device.key))
  if (suspended === undefined) return staying
  throw new KezError("usage", `Cannot revoke a former primary: ${suspended.key}, which it added, is suspended`, {
    hint: `To revoke it, name it too. To give it its say back: --keep ${suspended.key}`,
  })
}

/** Once the committed key is revoked no key at all can follow the primary. */
function assertCanRotate({ state }: ChainReplay, gone: readonly string[]): void {
  const committed = gone.find((key) => commitmentTo(key) === state.next)
  if (committed === undefined) return
  throw misuse(
    "chain.prerotation",
    `Cannot revoke ${committed}: you committed to it as your next primary, and without it this identity can never rotate again`,
    "That keeps nobody out who holds it: from before the revocation it can take the identity over. Where somebody else may, rotate to it yourself, " +
      "with --next NAME, before they do. To revoke it all the same: --yes",
  )
}
