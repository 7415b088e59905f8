/** What a graph says, in words: the tree, the table, the picture and the page all take theirs from here. */
import { printable } from "../output.ts"
import { reasonText } from "../reason-text.ts"
import { count, shortKey, timeText } from "../short-text.ts"
import type { Badge } from "./graph-badges.ts"
import type { Account, Centre, GraphDevice, IdentityGraph } from "./graph-model.ts"

/** No identity is longer. SPEC §1 */
const maxNameChars = 300
const maxNoteChars = 300

/** Text that came from outside, safe to show. */
export function shown(text: string): string {
  return printable(text, maxNameChars)
}

export function centreName({ primary }: Centre): string {
  return primary === undefined ? "unknown" : shown(primary)
}

export function shortName({ primary }: Centre): string {
  return primary === undefined ? "unknown" : shortKey(shown(primary))
}

/** How long the history is, and who says that it ends there. */
export function historyWords({ chain }: Centre): readonly string[] {
  if (chain === undefined) return ["not checked for revocation"]
  const fresh = chain.freshUntil === undefined ? "end not signed" : `end signed until ${timeWords(chain.freshUntil)}`
  return [count(chain.head.seq + 1, "event"), fresh]
}

/** `2026-01-01T12:00:00Z` for people. */
export function timeWords(time: string): string {
  return shown(time).replace("T", " ").replace("Z", " UTC")
}

export function accountsSummary({ accounts }: IdentityGraph): string {
  const proven = accounts.filter(({ isProven }) => isProven).length
  return accounts.length === 0 ? "none" : `${proven} of ${accounts.length} proven`
}

/** Why an account is not proven, with its code; undefined where there is nothing to explain. */
export function whyWords({ subject, reason, status, retryAfterSeconds }: Account): string | undefined {
  if (reason === undefined) return status === "unchecked" ? "Nobody was asked." : undefined
  const again = retryAfterSeconds === undefined ? "" : ` Again in ${retryAfterSeconds} s.`
  const why = reason === "channel.unsupported" ? unlookable(subject) : reasonText(reason)
  return `${why}${again} [${reason}]`
}

function unlookable(subject: string): string {
  const isKey = subject.startsWith("ed25519:")
  return isKey ? "A key has no place to look at." : "Accounts of this kind cannot be looked at in this version."
}

/** The time when an account that is not proven now was proven last. */
export function lastProvenWords({ isProven, lastProven }: Account): string | undefined {
  if (isProven || lastProven === undefined) return undefined
  return `last proven ${timeText(lastProven)}`
}

export interface AccountFacts {
  readonly account: string
  readonly status: string
  readonly why: string
  readonly listed: string
  readonly number: string
  readonly expires: string
  readonly lastProven: string
  /** URL or record; "" where nobody looked. */
  readonly source: string
  /** HTTP status, time and what was nearly right. */
  readonly seen: string
}

/** Every fact about an account, "" where there is nothing to say. */
export function accountFacts(account: Account): AccountFacts {
  const { subject, badge, isListed, permanentId, expiresAt, isProven, lastProven, evidence } = account
  const seen = [
    evidence?.httpStatus === undefined ? undefined : `HTTP ${evidence.httpStatus}`,
    evidence?.fetchedAt === undefined ? undefined : timeText(evidence.fetchedAt),
    evidence?.note === undefined ? undefined : printable(evidence.note, maxNoteChars),
  ]
  return {
    account: shown(subject),
    status: `${badge.glyph} ${badge.word}`,
    why: whyWords(account) ?? "",
    listed: isListed === undefined ? "" : isListed ? "yes" : "no",
    number: permanentId === undefined ? "" : shown(permanentId),
    expires: expiresAt === undefined ? (isProven ? "never" : "") : timeWords(expiresAt),
    lastProven: isProven ? "now" : lastProven === undefined ? "" : timeText(lastProven),
    source: evidence === undefined ? "" : shown(evidence.source),
    seen: seen.filter((part) => part !== undefined).join(", "),
  }
}

/** Who added a device, in a few words. */
export function adderWords({ addedBy }: GraphDevice, { centre }: IdentityGraph): string {
  if (addedBy === centre.primary) return "added by the primary key"
  if (centre.previous.includes(addedBy)) return `added by an earlier key, ${shortKey(addedBy)}`
  return `added by ${shortKey(addedBy)}`
}

export function deviceBadge({ isSuspended }: GraphDevice): Badge {
  return isSuspended ? { glyph: "⊘", word: "suspended", tone: "warn" } : { glyph: "✓", word: "active", tone: "good" }
}
