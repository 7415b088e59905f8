/** What a device is at this moment: its chain, as the stores tell it, and whether the chain has a handle here. */

import { standingNow } from "@kez/chat/chains"
import { type ChainReplay, type Digest, deviceIdOf, userIdOf } from "@kez/core"
import type { ChainLook } from "../directory/chain-looks.ts"
import type { ChainSource } from "../directory/chains.ts"
import { handleOfChain } from "../directory/handles.ts"
import { maxCachedChains, standingCacheMs, storesSilentSeconds } from "../limits.ts"
import type { Database } from "../storage/database.ts"
import type { Devices } from "./devices.ts"

/**
 * `unregistered`: no handle of this server. `unknown`: the chain never listed the device, or there is no such chain. `suspended`: revoked on a
 * losing branch. `silent`: a store does not answer, so that nobody can say.
 */
export type Standing = "current" | "revoked" | "suspended" | "unknown" | "unregistered" | "silent"

export interface Judged {
  readonly standing: Standing
  /** Where the stores told something. */
  readonly replay?: ChainReplay
}

export interface Standings {
  /** Ten seconds old at most. */
  judge(chain: Digest, device: string): Promise<Judged>
  /** As `judge`; while stores are silent, whoever was current a while ago is still. For letting in, never for letting somebody new in. */
  mayConnect(chain: Digest, device: string): Promise<Judged & { readonly isKept?: true }>
  /** The chain alone, ten seconds old at most. */
  look(chain: Digest): Promise<ChainLook>
  /** Something was added to the chain: the next look is a new one. */
  forget(chain: Digest): void
}

export interface StandingOptions {
  readonly chains: ChainSource
  readonly database: Database
  readonly devices: Devices
  readonly nowMs: () => number
}

export function createStandings({ chains, database, devices, nowMs }: StandingOptions): Standings {
  const looks = new Map<Digest, { readonly atMs: number; readonly look: Promise<ChainLook> }>()
  const look = (chain: Digest): Promise<ChainLook> => {
    const known = looks.get(chain)
    if (known !== undefined && Math.abs(nowMs() - known.atMs) < standingCacheMs) return known.look
    const fresh = { atMs: nowMs(), look: chains.look(chain) }
    looks.delete(chain)
    looks.set(chain, fresh)
    const drop = (): void => {
      if (looks.get(chain) === fresh) looks.delete(chain)
    }
    // Only what the stores told is kept: whoever was just added must not wait.
    fresh.look.then(({ isComplete, replay }) => (isComplete && replay !== undefined ? undefined : drop()), drop)
    const oldest = looks.keys().next()
    if (looks.size > maxCachedChains && oldest.done !== true) looks.delete(oldest.value)
    return fresh.look
  }
  const judge: Standings["judge"] = async (chain, device) => {
    // Asked first, so that chains of strangers are not fetched at all.
    if ((await handleOfChain(database, chain)) === undefined) return { standing: "unregistered" }
    const { replay, isComplete } = await look(chain)
    if (replay === undefined) return { standing: isComplete ? "unknown" : "silent" }
    const seen = standingNow(replay, device)
    if (seen === "revoked") return { standing: "revoked", replay }
    if (!isComplete) return { standing: "silent", replay }
    const row = await devices.find({ uid: userIdOf(chain), dev: deviceIdOf(device) })
    // A store that was set back to before the revocation says nothing new.
    if (row?.revokedSeq !== undefined && replay.head.seq <= row.revokedSeq) return { standing: "revoked", replay }
    if (seen === "current") await devices.noteVerified(chain, device, Math.floor(nowMs() / 1_000))
    return { standing: seen, replay }
  }
  return {
    judge,
    look,
    forget: (chain) => void looks.delete(chain),
    async mayConnect(chain, device) {
      const judged = await judge(chain, device)
      if (judged.standing !== "silent") return judged
      const row = await devices.find({ uid: userIdOf(chain), dev: deviceIdOf(device) })
      const since = Math.floor(nowMs() / 1_000) - (row?.verifiedAt ?? 0)
      if (row === undefined || row.revokedSeq !== undefined || since > storesSilentSeconds) return judged
      return { standing: "current", isKept: true }
    },
  }
}
