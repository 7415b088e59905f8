/** A verdict for people: one line, then why, what was looked at, and what to do next. A glyph and a word, never colour alone. */
import type { Evidence, Verdict } from "@kez/core"
import type { Answer } from "./consult.ts"
import { exitCodes } from "./exit-codes.ts"
import { paint, printable } from "./output.ts"
import { flagText, reasonText } from "./reason-text.ts"
import { columns, count, durationText, shortDigest, shortKey, timeText } from "./short-text.ts"
import type { Proven } from "./store/verdicts.ts"

export interface VerdictBadge {
  readonly glyph: "✓" | "⊘" | "⌛" | "◌" | "⑂" | "✕"
  readonly word: string
  readonly how: "green" | "yellow" | "red" | "dim"
}

/** How a verdict is called. */
export function badgeOf({ status, reason, flags }: Pick<Verdict, "status" | "reason" | "flags">): VerdictBadge {
  switch (status) {
    case "valid":
      // Without a look at the place nothing is proven but that the key signed.
      return flags.includes("unpublished")
        ? { glyph: "✓", word: "signature right", how: "green" }
        : { glyph: "✓", word: "proven", how: "green" }
    case "revoked":
      return { glyph: "⊘", word: "revoked by owner", how: "red" }
    case "expired":
      return { glyph: "⌛", word: "expired", how: "yellow" }
    case "unreachable":
      // The reader asked for more than is known; nothing failed to answer.
      if (reason === "chain.required") return { glyph: "◌", word: "no chain known", how: "yellow" }
      if (reason === "chain.stale") return { glyph: "◌", word: "no fresh head known", how: "yellow" }
      if (reason === "channel.down") return { glyph: "◌", word: "unreachable (channel)", how: "dim" }
      return { glyph: "◌", word: "can't reach", how: "dim" }
    case "fork":
      return { glyph: "⑂", word: "conflicting history", how: "red" }
    case "invalid":
      return { glyph: "✕", word: reason === "proof.not_found" ? "not found" : "invalid", how: "red" }
  }
}

/** The whole text of a verdict. */
export function verdictText({ verdict, lastProven, isEarlierKey = false }: Answer, color: boolean): string {
  const { glyph, word, how } = badgeOf(verdict)
  const by = verdict.primary === undefined ? "" : `  by ${shortKey(verdict.primary)}`
  const subject = verdict.subject === "" ? "this text" : printable(verdict.subject, 300)
  const line = `${paint(color, how, glyph)} ${paint(color, "bold", subject)}  ${paint(color, how, word)}${by}`
  const details = [...why(verdict), ...facts(verdict, isEarlierKey), ...history(verdict, lastProven)]
  const evidence = verdict.evidence.filter(isWorthReading).map(evidenceRow)
  return [
    line,
    ...(details.length === 0 ? [] : [columns(details, "  ")]),
    ...(evidence.length === 0 ? [] : ["  looked at", ...evidenceLines(evidence)]),
  ].join("\n")
}

const askForChain = "ask the owner for the chain, then: kez sigchain import FILE, or --chain FILE"

/** What the reader can do next; undefined when nothing needs doing. */
export function nextStep({ status, reason, flags, subject, chain, retryAfterSeconds }: Verdict): string | undefined {
  if (status === "valid" && flags.includes("unpublished") && !subject.startsWith("ed25519:"))
    return `kez verify id ${subject}`
  if (reason === "proof.not_found" && subject !== "") return `if it is yours: kez claim publish ${subject}`
  switch (status) {
    case "invalid":
      if (reason === "claim.not_in_chain" && chain === undefined) return askForChain
      return reason === "account.changed"
        ? `if its owner told you so in person: kez verify id ${subject} --accept-new-account`
        : undefined
    case "valid":
    case "revoked":
      return undefined
    case "expired":
      return `ask the owner for a new claim; if it is yours: kez claim create ${subject}`
    case "unreachable":
      if (reason === "chain.required") return askForChain
      if (reason === "chain.stale") return "ask the owner for a fresh head, then: kez sigchain import FILE"
      return retryAfterSeconds === undefined ? "try again later" : `try again in ${durationText(retryAfterSeconds)}`
    case "fork":
      return "ask the owner in person before you rely on either side; if it is yours: kez sigchain settle"
  }
}

/** The published exit code of a verdict. */
export function exitCodeOfVerdict({ status, reason }: Verdict): number {
  switch (status) {
    case "valid":
      return exitCodes.ok
    case "revoked":
      return exitCodes.revoked
    case "expired":
      return exitCodes.expired
    case "unreachable":
      return exitCodes.unreachable
    case "fork":
      return exitCodes.fork
    case "invalid":
      return reason === "proof.not_found" ? exitCodes.notFound : exitCodes.invalid
  }
}

type Rows = ReadonlyArray<readonly string[]>

function why({ reason, flags }: Verdict): Rows {
  const place = flags.includes("unpublished") ? "text" : "place"
  return [
    ...(reason === undefined ? [] : [["reason", `${reasonText(reason, place)} [${reason}]`]]),
    ...flags.map((flag) => ["note", flagText(flag)]),
  ]
}

function facts({ primary, claim, chain }: Verdict, isEarlierKey: boolean): Rows {
  const expiry = claim?.expiresAt === undefined ? "does not expire" : `expires ${printable(claim.expiresAt)}`
  const live = chain?.liveUntil === undefined ? "" : `, confirmed by its owner until ${chain.liveUntil}`
  return [
    ...(primary === undefined ? [] : [["key", primary]]),
    ...(claim === undefined ? [] : [["claim", `made ${printable(claim.createdAt)}, ${expiry}`]]),
    ...(claim === undefined || claim.primary === primary
      ? []
      : [["signed by", `${claim.primary}${isEarlierKey ? ", its earlier key" : ""}`]]),
    ...(chain === undefined
      ? []
      : [["history", `${count(chain.head.seq + 1, "event")}, head ${shortDigest(chain.head.digest)}${live}`]]),
  ]
}

function history({ status, primary, chain }: Verdict, last: Proven | undefined): Rows {
  if (last === undefined) return []
  const isSameChain = last.chain !== undefined && last.chain === chain?.id
  const isOther = primary !== undefined && last.primary !== primary && !isSameChain
  const by = isOther ? ` by another key: ${last.primary}` : ""
  if (status === "valid" && !isOther) return []
  return [["last proven", `${timeText(last.provenAt)}${by}`]]
}

const maxSourceColumns = 32
const kindWords: Readonly<Record<Evidence["kind"], string>> = {
  place: "place",
  candidate: "proof",
  chain: "chain",
  head: "head",
}

/** A head that newer events have overtaken tells a reader nothing; programs see it all the same. */
function isWorthReading({ kind, note }: Evidence): boolean {
  return kind !== "head" || note?.startsWith("old,") !== true
}

type EvidenceRow = readonly [kind: string, source: string, said: string]

/** Beside a short source stands what it said; under a long one, or every other line would be as wide as its URL. */
function evidenceLines(rows: readonly EvidenceRow[]): readonly string[] {
  const isShort = (source: string): boolean => source.length <= maxSourceColumns
  const width = Math.max(0, ...rows.map(([, source]) => (isShort(source) ? source.length : 0)))
  return rows.flatMap(([kind, source, said]) => {
    const start = `    ${kind.padEnd(5)}  `
    if (said === "" || isShort(source)) return [`${start}${source.padEnd(width)}  ${said}`.trimEnd()]
    return [`${start}${source}`, `${" ".repeat(start.length)}${said}`]
  })
}

function evidenceRow(evidence: Evidence): EvidenceRow {
  const { kind, source, code, note, httpStatus, fetchedAt, sha256 } = evidence
  const what = [
    note === undefined ? "" : printable(kind === "head" ? withShortKeys(note) : note, 300),
    code === undefined ? "" : `[${code}]`,
  ]
    .join(" ")
    .trim()
  const said = [
    what === "" ? undefined : what,
    httpStatus === undefined ? undefined : `HTTP ${httpStatus}`,
    sha256 === undefined ? undefined : `sha256 ${sha256.slice(0, 12)}…`,
    fetchedAt === undefined ? undefined : timeText(fetchedAt),
  ]
  return [kindWords[kind], printable(source, 300), said.filter((part) => part !== undefined).join(", ")]
}

function withShortKeys(note: string): string {
  return note.replace(/\b(?:ed25519:[0-9a-f]{64}|nostr:npub1[0-9a-z]+)/g, shortKey)
}
