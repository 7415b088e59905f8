/** What came out of the cases of each suite: so that one sees what is reached. */
import { codes } from "@kez/core"
import type { Outcome } from "../../packages/core/test/support/judge.ts"

/** Codes by which a case is refused before anything that is KEZ's own was looked at. */
const firstChecks =
  /^(?:text\.|json\.|schema\.(?:type|unknown_member|missing_member)|limit\.(?:size|depth|members)|chain\.jsonl|encoding\.base64url|identity\.charset)/

/** Codes of programs around the protocol, and those of core that no judge gives: of values, of look-ups, of evidence. */
const outOfReach =
  /^(?:net|channel|publish|store|input|usage|internal|head)\b|^(?:limit\.(?:body|work)|zstd\.not_ready|key\.(?:locked|unlock|not_held)|json\.not_plain|chain\.unknown|account\.(?:renamed|one_sided|id))$/

export class Histogram {
  readonly #suites = new Map<string, Map<string, number>>()
  readonly #reached = new Set<string>()
  #total = 0
  #deep = 0

  add(suite: string, outcome: Outcome): void {
    const names = namesOf(suite, outcome)
    const counts = this.#suites.get(suite) ?? new Map<string, number>()
    this.#suites.set(suite, counts)
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
    for (const code of codesIn(outcome)) this.#reached.add(code)
    this.#total++
    if (names.every((name) => !firstChecks.test(name))) this.#deep++
  }

  /** Every code that stood in any outcome. */
  get reached(): ReadonlySet<string> {
    return this.#reached
  }

  /** How much of all cases got past the first checks of structure, 0 to 1. */
  get deep(): number {
    return this.#total === 0 ? 0 : this.#deep / this.#total
  }

  /** Codes of SPEC §12 that some case should have come to and none did. */
  get unreached(): readonly string[] {
    return codes.filter((code) => !this.#reached.has(code) && !outOfReach.test(code))
  }

  format(): string {
    const lines = [...this.#suites]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([suite, counts]) => {
        const sorted = [...counts].toSorted(([, a], [, b]) => b - a).map(([name, count]) => `${name} ${count}`)
        return `${suite}\n${wrapped(sorted)}`
      })
    const percent = (100 * this.deep).toFixed(0)
    const rest = this.unreached.length === 0 ? "none in reach is missing" : `not reached: ${this.unreached.join(" ")}`
    return `${lines.join("\n")}\n${percent} % got past the first checks of structure; ${this.#reached.size} codes reached, ${rest}`
  }
}

/** The headings under which an outcome is counted; what stands after a space, a detail of it, is counted beside it. */
function namesOf(suite: string, outcome: Outcome): readonly string[] {
  if ("crash" in outcome) return ["crash"]
  if (suite === "times") return [nameOf(outcome["strict"]), `claim ${nameOf(outcome["claim"])}`]
  if (suite === "encodings") return [nameOf(outcome["proof"])]
  if (suite === "verdicts" && "status" in outcome) {
    const { status, reason } = outcome
    return [reason === null ? String(status) : `${status} ${reason}`]
  }
  const { ok } = outcome
  if (isReplay(ok)) {
    const refused = Object.values(ok.refused).map((code) => `refused ${code}`)
    return [
      `${ok.status}${ok.contested ? " contested" : ""}`,
      ...refused,
      ...Object.values(ok.ranks).map((rank) => `rank ${rank}`),
    ]
  }
  return [typeof ok === "boolean" ? String(ok) : nameOf(outcome)]
}

/** An outcome in a few words, whatever the suite: what two differences must share to be called the same. */
export function headingOf(outcome: Outcome): string {
  const { ok, code, crash, status, reason } = outcome
  if (crash !== undefined) return "crash"
  if (isReplay(ok)) return `${ok.status} ${Object.keys(ok.refused).length}`
  return String(code ?? (status === undefined ? typeof ok : `${status} ${reason}`))
}

interface Replay {
  readonly status: string
  readonly contested: boolean
  readonly refused: Readonly<Record<string, string>>
  readonly ranks: Readonly<Record<string, string>>
}

function isReplay(value: unknown): value is Replay {
  return typeof value === "object" && value !== null && "refused" in value && "ranks" in value
}

function nameOf(outcome: unknown): string {
  if (typeof outcome !== "object" || outcome === null) return "nothing"
  return "code" in outcome ? String(outcome.code) : "ok"
}

function codesIn(outcome: unknown): readonly string[] {
  if (typeof outcome === "string") return /^[a-z]+\.[a-z_0-9]+$/.test(outcome) ? [outcome] : []
  if (typeof outcome !== "object" || outcome === null) return []
  const skipped = new Set(["subjects", "hints", "claim"])
  return Object.entries(outcome).flatMap(([name, value]) =>
    skipped.has(name) && typeof value !== "object" ? [] : name === "subjects" || name === "hints" ? [] : codesIn(value),
  )
}

function wrapped(parts: readonly string[]): string {
  const lines: string[] = []
  for (const part of parts) {
    const last = lines.at(-1)
    if (last === undefined || last.length + part.length > 116) lines.push(`  ${part}`)
    else lines[lines.length - 1] = `${last} · ${part}`
  }
  return lines.join("\n")
}
