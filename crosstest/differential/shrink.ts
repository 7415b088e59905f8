/** A case on which two implementations differ, made smaller for as long as they do. */
import type { JudgeCase } from "../../packages/core/test/support/judge.ts"

/** For each of some cases, whether the difference is there. */
export type Differs = (cases: readonly JudgeCase[]) => Promise<readonly boolean[]>

/** How many smaller cases are tried in one go. */
const atOnce = 48

/** The smallest case that is found within so many tries. */
export async function shrink(found: JudgeCase, differs: Differs, maxTries: number): Promise<JudgeCase> {
  let best = found
  let tries = 0
  for (let smaller = true; smaller && tries < maxTries; ) {
    smaller = false
    const candidates = smallerCases(best)
    for (let batch = take(candidates); batch.length > 0 && tries < maxTries; batch = take(candidates)) {
      tries += batch.length
      const at = (await differs(batch)).indexOf(true)
      const next = batch[at]
      if (next === undefined) continue
      best = next
      smaller = true
      break
    }
  }
  return best
}

function take(candidates: Iterator<JudgeCase>): readonly JudgeCase[] {
  const batch: JudgeCase[] = []
  while (batch.length < atOnce) {
    const { done, value } = candidates.next()
    if (done === true) break
    batch.push(value)
  }
  return batch
}

/** The cases that are this one without a part: big parts first. */
function* smallerCases(c: JudgeCase): Generator<JudgeCase> {
  for (const [name, value] of Object.entries(c)) {
    for (const less of smallerValues(name, value)) yield { ...c, [name]: less }
  }
}

function* smallerValues(name: string, value: unknown): Generator<unknown> {
  if (typeof value === "string") yield* smallerTexts(name, value)
  else if (Array.isArray(value)) yield* smallerLists(name, value)
  else if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value)
    for (const [member] of entries) {
      if (!needed.has(member)) yield Object.fromEntries(entries.filter(([other]) => other !== member))
    }
    for (const [member, held] of entries) {
      for (const less of smallerValues(member, held)) yield { ...value, [member]: less }
    }
  }
}

/** Members without which a case is none of the protocol. */
const needed = new Set([
  "publication",
  "chains",
  "now",
  "status",
  "candidates",
  "text",
  "foundAt",
  "name",
  "kind",
  "expected",
  "outcome",
  "seq",
  "digest",
  "prev",
  "chain",
  "primaries",
  "accountId",
  "primary",
  "code",
])

function* smallerLists(name: string, list: readonly unknown[]): Generator<unknown> {
  for (let size = Math.ceil(list.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < list.length; at += size) yield list.toSpliced(at, size)
  }
  for (const [at, item] of list.entries()) {
    for (const less of smallerValues(name, item)) yield list.with(at, less)
  }
}

/** Texts of a question that no attacker chose: a smaller one would be another question. */
const asGiven = new Set(["kind", "status", "outcome", "code", "name", "foundAt", "primary", "accountId", "subject"])

/** A text that is JSON loses members and items, then every text loses pieces. Hex loses whole bytes; names of kinds stay. */
function* smallerTexts(name: string, text: string): Generator<string> {
  if (asGiven.has(name)) return
  const parsed = parsedText(text)
  if (parsed !== undefined) for (const less of smallerValues("", parsed)) yield JSON.stringify(less)
  const hex = /^(?:hex|key|message|signature)$/.test(name)
  const unit = hex ? 2 : 1
  if (hex && name !== "hex" && name !== "message") return
  const smallest = text.length > 2_000 ? Math.ceil(text.length / 64) : 1
  for (let size = Math.ceil(text.length / 2); size >= smallest; size = size <= 1 ? 0 : Math.ceil(size / 2)) {
    const step = Math.ceil(size / unit) * unit
    for (let at = 0; at < text.length; at += step) {
      const less = text.slice(0, at) + text.slice(at + step)
      if (less.isWellFormed()) yield less
    }
    if (size === 1) break
  }
}

function parsedText(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
