/** Signed heads, as a store keeps them: against its own freezing of chains as well. SPEC §5.8 */
import {
  type ChainHead,
  type ChainReplay,
  decodeEnvelope,
  decodeText,
  formatEnvelope,
  judgeHead,
  KezError,
  limits,
  parseTime,
} from "@kez/core"
import { maxJudgedHeads } from "../limits.ts"
import type { Storage } from "../storage/storage.ts"

export interface PostedHead {
  readonly text: string | Uint8Array
  readonly replay: ChainReplay
  /** Unix seconds. */
  readonly now: number
}

/** Throws the code by which a reader of this chain would not use the head; `chain.withheld` when the store lacks its events. */
export async function saveHead(storage: Storage, { text, replay, now }: PostedHead): Promise<"kept" | "known"> {
  const head = decodeEnvelope(decodeText(text, limits.maxEnvelopeBytes), "chain_head")
  const { says, signer, expiresAt } = judgeHead(head, replay, now)
  switch (says) {
    case "beyond":
      throw new KezError("chain.withheld", "Cannot keep the head: the store does not have the event that it names", {
        hint: "Post the events first.",
      })
    case "conflict":
      throw new KezError("chain.fork", "Cannot keep the head: another event stands at the place that it names")
    case "live":
    case "old": {
      const { chain, seq, digest } = head.payload
      const stored = { chain, signer, seq, digest, expiresAt: parseTime(expiresAt), text: formatEnvelope(head) }
      const known = await storage.loadHeads(chain, now)
      if (known.some((other) => other.text === stored.text)) return "known"
      await storage.saveHead(stored, now)
      return "kept"
    }
  }
}

/** Heads whose signers are still current keys, newest first. */
export async function loadLiveHeads(storage: Storage, replay: ChainReplay, now: number): Promise<readonly string[]> {
  const stored = await storage.loadHeads(replay.chain, now)
  // Devices that come and go leave heads behind until they expire: whoever asks must not have all of them judged.
  return stored.slice(0, maxJudgedHeads).flatMap(({ text }) => (counts(text, replay, now) ? [text] : []))
}

function counts(text: string, replay: ChainReplay, now: number): boolean {
  try {
    judgeHead(decodeHead(text), replay, now)
    return true
  } catch (error) {
    // Its signer was revoked since, or the row is damaged: it does not count, and that is all that matters.
    if (error instanceof KezError) return false
    throw error
  }
}

function decodeHead(text: string): ChainHead {
  return decodeEnvelope(text, "chain_head")
}
