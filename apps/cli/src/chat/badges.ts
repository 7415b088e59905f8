/** Proof badges of a contact: what his chain lists, and what was seen in the places of these accounts, now or the last time. */
import type { Digest } from "@kez/core"
import type { Answer } from "../consult.ts"
import type { Context } from "../context.ts"
import { accountBadge, type Badge, tonePaints } from "../graph/graph-badges.ts"
import { paint, printable } from "../output.ts"
import { timeText } from "../short-text.ts"
import { readStore } from "../store/access.ts"
import { loadProven, type Proven } from "../store/verdicts.ts"
import type { OpenChat } from "./open-chat.ts"

export interface ProofBadge {
  readonly subject: string
  readonly badge: Badge
  /** Unix seconds of the look that it stands on; undefined: nobody looked. */
  readonly seenAt: number | undefined
  /** Where somebody looked in this run: all that was seen. */
  readonly answer: Answer | undefined
}

/** Accounts that the chain lists, but those on chat servers: whose these are, the handle says. */
export function subjectsOf({ chains }: Pick<OpenChat, "chains">, chain: Digest): readonly string[] {
  const subjects = chains.known(chain)?.state.subjects.values() ?? []
  return [...subjects].flatMap(({ subject, status }) =>
    status === "active" && !subject.startsWith("kez:") ? [subject] : [],
  )
}

/** Asks nobody: what this computer saw the last time. */
export async function knownBadges(context: Context, chat: OpenChat, chain: Digest): Promise<readonly ProofBadge[]> {
  const subjects = subjectsOf(chat, chain)
  if (subjects.length === 0) return []
  const proven = await readStore<readonly (Proven | undefined)[]>(context, [], (store) =>
    subjects.map((subject) => loadProven(store, subject)),
  )
  return subjects.map((subject, at) => {
    const last = proven[at]
    const isOwn = last?.chain === chain
    const badge: Badge = isOwn
      ? { glyph: "✓", word: "proven", tone: "good" }
      : { glyph: "○", word: "not looked at", tone: "muted" }
    return { subject, badge, seenAt: isOwn ? last.provenAt : undefined, answer: undefined }
  })
}

/** Looks at every account now. */
export async function checkBadges(context: Context, chat: OpenChat, chain: Digest): Promise<readonly ProofBadge[]> {
  const subjects = subjectsOf(chat, chain)
  if (subjects.length === 0) return []
  const { createVerifyMany } = await import("../graph/verify-subjects.ts")
  const primary = chat.chains.known(chain)?.state.primary
  const answers = await createVerifyMany(context, { ...chat.demands, stores: await chat.stores(), primary })(subjects)
  return answers.map((answer) => {
    const { verdict } = answer
    const isForeign = verdict.status === "valid" && verdict.chain !== undefined && verdict.chain.id !== chain
    return {
      subject: verdict.subject,
      badge: accountBadge({ ...verdict, isForeign }),
      seenAt: verdict.checkedAt,
      answer,
    }
  })
}

/** `✓ github:bob  ◌ dns:bob.dev can't reach`: a word beside every glyph that is no plain yes. */
export function badgeLine(badges: readonly ProofBadge[], color: boolean): string {
  return badges.map((one) => badgeText(one, color)).join("  ")
}

export function badgeText({ subject, badge }: ProofBadge, color: boolean): string {
  const word = badge.glyph === "✓" ? "" : ` (${badge.word})`
  return `${paint(color, tonePaints[badge.tone], badge.glyph)} ${printable(subject, 120)}${word}`
}

/** `✓2 ✕1`: for a list. */
export function badgeSummary(badges: readonly ProofBadge[]): string {
  const groups = Map.groupBy(badges, ({ badge }) => badge.glyph)
  return [...groups].map(([glyph, all]) => `${glyph}${all.length}`).join(" ")
}

export function badgeJson({ subject, badge, seenAt, answer }: ProofBadge) {
  return {
    subject,
    word: badge.word,
    status: answer?.verdict.status ?? null,
    reason: answer?.verdict.reason ?? null,
    seen_at: seenAt ?? null,
  }
}

/** Lines of evidence: everything that was looked at. */
export async function evidenceText(badges: readonly ProofBadge[], color: boolean): Promise<readonly string[]> {
  const { verdictText } = await import("../verdict-text.ts")
  if (badges.length === 0) return ["The chain lists no accounts elsewhere: nothing is proven but the handle."]
  return badges.flatMap((one) => {
    if (one.answer !== undefined) return [...verdictText(one.answer, color).split("\n"), ""]
    const seen = one.seenAt === undefined ? "nobody looked yet" : `seen proven ${timeText(one.seenAt)}`
    return [`${badgeText(one, color)}  ${seen}`]
  })
}
