/** How the parts of a graph are marked: a glyph and a word, with a tone that never carries a meaning alone. */
import type { Code, Flag, Status } from "@kez/core"
import type { Paint } from "../output.ts"
import { badgeOf, type VerdictBadge } from "../verdict-text.ts"

/** `muted` is for what is not known: it must not look like a fault of the person. */
export type Tone = "good" | "warn" | "bad" | "muted"

export interface Badge {
  readonly glyph: "✓" | "⊘" | "⌛" | "◌" | "⑂" | "✕" | "○"
  readonly word: string
  readonly tone: Tone
}

export interface AccountState {
  readonly status: Status | "unchecked"
  readonly reason: Code | undefined
  readonly flags: readonly Flag[]
  /** Whether its proof is a good one by another identity. */
  readonly isForeign: boolean
}

const notLookedAt: Badge = { glyph: "○", word: "not looked at", tone: "muted" }
const cannotLook: Badge = { glyph: "◌", word: "can't be looked at", tone: "muted" }
const foreign: Badge = { glyph: "✕", word: "proven by another identity", tone: "bad" }

export function accountBadge({ status, reason, flags, isForeign }: AccountState): Badge {
  if (isForeign) return foreign
  if (reason === "channel.unsupported" || reason === "identity.unsupported") return cannotLook
  if (status === "unchecked") return notLookedAt
  const { glyph, word, how } = badgeOf({ status, reason, flags })
  return { glyph, word, tone: tones[how] }
}

const tones: Readonly<Record<VerdictBadge["how"], Tone>> = { green: "good", yellow: "warn", red: "bad", dim: "muted" }

/** The colour of a tone on a terminal. */
export const tonePaints: Readonly<Record<Tone, Paint>> = { good: "green", warn: "yellow", bad: "red", muted: "dim" }

/** The mark of the identity itself; `status` is that of its chain, undefined where none is known. */
export function centreBadge(primary: string | undefined, status: "ok" | "contested" | "fork" | undefined): Badge {
  if (status === "fork") return { glyph: "⑂", word: "conflicting history", tone: "bad" }
  if (primary === undefined) return { glyph: "○", word: "no identity known", tone: "muted" }
  if (status === undefined) return { glyph: "◌", word: "no chain known", tone: "warn" }
  if (status === "contested") return { glyph: "⑂", word: "conflict decided by its rules", tone: "warn" }
  return { glyph: "✓", word: "one history", tone: "good" }
}
