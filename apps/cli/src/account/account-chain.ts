/** The chain of an account: brought here, given what the account needs, and published. Each step is done once, however often it is tried. */
import type { Net } from "@kez/channels"
import { type ChainReplay, type Digest, KezError, type Operation, type SigchainEvent, type Signer } from "@kez/core"
import { pullChains } from "../chains/pull-chain.ts"
import type { StoreOutcome } from "../chains/push-chain.ts"
import { chainUrl } from "../chains/store-url.ts"
import { syncChain } from "../chains/sync-chain.ts"
import type { Context } from "../context.ts"
import { printable } from "../output.ts"
import { chainOfKey, extendChain } from "../own-chain.ts"
import { readStore } from "../store/access.ts"

export interface Reach {
  readonly net: Net
  readonly stores: readonly string[]
  readonly timeoutMs: number
}

/**
 * The chain of a key as the stores and this computer know it. A second genesis would contradict the first for ever, so that one store at least has
 * to answer. Throws `chain.unreachable`.
 */
export async function bringOwnChain(context: Context, key: string, reach: Reach): Promise<ChainReplay | undefined> {
  const { net, stores, timeoutMs } = reach
  const local = await readStore(context, undefined, (store) => chainOfKey(store, key))
  const places = stores.map((store) => ({ url: chainUrl(store, local?.chain ?? key), isChosen: true }))
  const pulled = await pullChains(context, net, {
    places,
    ...(local === undefined ? { key } : { chain: local.chain }),
    timeoutMs,
  })
  const silent = pulled.places.filter(({ asked }) => asked.outcome === "failed")
  if (silent.length > 0 && local === undefined && pulled.chains.length === 0) {
    const names = silent.map(({ asked }) => printable(asked.url.replace(/\/v1\/.*$/, ""), 100)).join(", ")
    throw new KezError("chain.unreachable", `Cannot tell whether this identity has a chain: no answer from ${names}`, {
      hint: "Nothing was made. Try again when the store answers.",
    })
  }
  return readStore(context, undefined, (store) => chainOfKey(store, key))
}

export interface ChainWish {
  readonly primary: string
  /** Asked for only where something is to be signed. */
  signer(): Promise<Signer>
  /** Devices that are to be in it. */
  readonly device?: Signer
  readonly lists?: readonly string[]
  readonly revokes?: readonly string[]
}

/** Appends what is missing; the chain afterwards. Signs nothing where nothing is. */
export async function growChain(context: Context, wish: ChainWish): Promise<ChainReplay> {
  const local = await readStore(context, undefined, (store) => chainOfKey(store, wish.primary))
  if (local !== undefined && missingFrom(local, wish).length === 0) return local
  const { replay } = await extendChain(context, {
    key: wish.primary,
    signer: await wish.signer(),
    plan: (chain) => ({ operations: missingFrom(chain, wish) }),
  })
  return replay
}

function missingFrom(chain: ChainReplay | undefined, wish: ChainWish): readonly Operation[] {
  const { device, lists = [], revokes = [] } = wish
  const isThere = device !== undefined && chain?.state.devices.some(({ key }) => key === device.key) === true
  const isActive = (subject: string): boolean => chain?.state.subjects.get(subject)?.status === "active"
  return [
    ...(device === undefined || isThere ? [] : [{ op: "add_device", device } as const]),
    ...lists.filter((subject) => !isActive(subject)).map((subject) => ({ op: "add", subject }) as const),
    ...revokes.filter(isActive).map((subject) => ({ op: "revoke", subject }) as const),
  ]
}

export interface Published {
  readonly replay: ChainReplay
  readonly path: readonly SigchainEvent[]
  readonly outcomes: readonly StoreOutcome[]
}

/** Gives every store what it lacks. Throws `chain.unreachable` where none has all of it then. */
export async function publishOwnChain(context: Context, key: string, reach: Reach): Promise<Published> {
  const { net, stores, timeoutMs } = reach
  const { replay, path, outcomes } = await syncChain(context, net, { key, stores, timeoutMs })
  const failed = outcomes.filter(({ state }) => state !== "whole")
  const text = failed
    .map(({ store, code, note }) => `${printable(store, 100)} ${printable(note ?? "", 200)} [${code}]`)
    .join("; ")
  if (failed.length === outcomes.length) {
    throw new KezError("chain.unreachable", `Cannot publish the chain: ${text}`, {
      hint: "Nothing is lost: the same command goes on when a store answers.",
    })
  }
  if (failed.length > 0) context.warn(`not every store has the chain yet: ${text}. Later: kez sigchain publish`)
  return { replay, path, outcomes }
}

/** The accounts on chat servers that a chain lists: `handle@host`. */
export function handlesIn({ state }: ChainReplay): readonly string[] {
  return [...state.subjects.values()].flatMap(({ subject, status }) =>
    status === "active" && subject.startsWith("kez:") ? [subject.slice("kez:".length)] : [],
  )
}

export function assertSameChain(found: ChainReplay | undefined, expected: Digest): void {
  if (found === undefined || found.chain === expected) return
  throw new KezError("chain.fork", `Cannot go on: this identity has another chain than the account, ${found.chain}`)
}
