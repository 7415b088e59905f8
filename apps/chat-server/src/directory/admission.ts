/** Who may have which handle: what the chain has to say, and what is given out already. SPEC §7.8. */
import { type ChainReplay, type Digest, envelopeDigest, isCurrentKey, KezError } from "@kez/core"
import { type DirectoryStatement, isReservedHandle } from "@kez/core/directory"
import type { Sql } from "../storage/database.ts"
import { findHandle, findLookalike, type HandleRow, handleOfChain } from "./handles.ts"
import { placeOf } from "./log.ts"

/** The chain says who it is, and that the account is its own: a registration alone proves nothing. [HND-5] */
export function assertChainAgrees(replay: ChainReplay, statement: DirectoryStatement, domain: string): void {
  assertNoFork(replay)
  const { payload, signature } = statement
  if (!isCurrentKey(replay, signature.key)) {
    throw new KezError(
      "chain.not_authorised",
      "Cannot register the handle: expected the signature of a current key of the chain",
    )
  }
  if (payload.type === "kez.chat.handle_registration" && payload.primary !== replay.state.primary) {
    throw new KezError(
      "chain.primary",
      `Cannot register the handle: the primary of the chain is ${replay.state.primary}`,
    )
  }
  const subject = `kez:${payload.handle}@${domain}`
  const entry = replay.state.subjects.get(subject)
  if (entry?.status === "active") return
  throw new KezError(
    entry === undefined ? "claim.not_in_chain" : "claim.revoked",
    `Cannot register the handle: the chain does not list ${subject}`,
    { hint: `kez sigchain add ${subject}, publish the chain, and try again.` },
  )
}

/** To give up a handle takes the primary: whoever stole a device must not be able to. [HND-6] */
export function assertByPrimary(replay: ChainReplay, { signature }: DirectoryStatement): void {
  assertNoFork(replay)
  if (signature.key === replay.state.primary) return
  throw new KezError(
    "chain.authority",
    "Cannot give the handle up: expected the signature of the primary of the chain",
    {
      hint: "The recovery words restore the primary.",
    },
  )
}

function assertNoFork({ status }: ChainReplay): void {
  if (status === "ok") return
  throw new KezError("chain.fork", "Cannot use the chain: it is a fork that nothing decides", {
    hint: "Settle it with the primary first (kez sigchain settle).",
  })
}

export function assertNotReserved(handle: string, more: readonly string[]): void {
  if (!isReservedHandle(handle, more)) return
  throw new KezError("handle.reserved", `Cannot register ${handle}: nobody can have this name`, {
    hint: "Choose another one.",
  })
}

export interface Wanted {
  readonly statement: DirectoryStatement
  /** A handle that the chain gives up in the same step. */
  readonly instead?: string
}

/**
 * `known`: the very handle is this chain's already. `new`: nobody ever had it. `reclaimed`: this chain had it, and gave it up.
 * Throws `handle.taken`, `handle.released`, `handle.confusable`, `handle.limit`. Nothing of it holds longer than the transaction.
 */
export async function admit(sql: Sql, { statement, instead }: Wanted): Promise<"known" | "new" | "reclaimed"> {
  const { handle, chain } = statement.payload
  const row = await findHandle(sql, handle)
  if (row !== undefined) assertOwn(row, chain)
  if (row?.state === "registered") return "known"
  // Whoever caught an old registration must not bring back what its owner has given up since.
  if ((await placeOf(sql, envelopeDigest(statement))) !== undefined) {
    throw new KezError("handle.released", `Cannot register ${handle}: this statement was used before`, {
      hint: "Sign a new one.",
    })
  }
  if (row === undefined) await assertUnlike(sql, handle)
  const other = await handleOfChain(sql, chain)
  if (other !== undefined && other.handle !== instead) {
    throw new KezError("handle.limit", `Cannot register ${handle}: the chain has ${other.handle} here`, {
      hint: `Move it: ${other.handle} stays yours for good, and leads to the new one.`,
    })
  }
  return row === undefined ? "new" : "reclaimed"
}

function assertOwn({ handle, state, chain }: HandleRow, asking: Digest): void {
  if (chain === asking) return
  if (state === "registered") {
    throw new KezError("handle.taken", `Cannot register ${handle}: somebody has it`, { hint: "Choose another one." })
  }
  throw new KezError(
    "handle.released",
    `Cannot register ${handle}: it was given up, and only its owner can take it back`,
    {
      hint: "Choose another one.",
    },
  )
}

/** Tombstones count: mail for the one that was given up must not reach a look-alike. */
async function assertUnlike(sql: Sql, handle: string): Promise<void> {
  const like = await findLookalike(sql, handle)
  if (like === undefined) return
  throw new KezError("handle.confusable", `Cannot register ${handle}: it reads like ${like.handle}, which exists`, {
    hint: "Choose one that nobody takes for another.",
  })
}

/** The row of a handle that is to be given up by its owner. */
export async function findOwn(sql: Sql, { payload: { handle, chain } }: DirectoryStatement): Promise<HandleRow> {
  const row = await findHandle(sql, handle)
  if (row === undefined) throw new KezError("store.unknown", `Cannot give ${handle} up: nobody has it`)
  if (row.chain !== chain) throw new KezError("handle.taken", `Cannot give ${handle} up: another chain has it`)
  return row
}
