/** The run itself: cases in batches to both processes, several batches on their way at once. */
import { caseOf } from "./cases.ts"
import { compare, type Difference, type Peers } from "./compare.ts"
import { keep } from "./found.ts"
import { Histogram, headingOf } from "./histogram.ts"
import { type Differs, shrink } from "./shrink.ts"

export interface Plan {
  readonly seed: number
  /** Number of the first case. */
  readonly first: number
  readonly cases: number
  /** After so many differences the rest tells nothing new: 10 unless given. */
  readonly maxDifferences?: number
  /** Where differences are kept. */
  readonly folder: string
  readonly onProgress?: (done: number) => void
  /** Told of each difference, shrunk, as text. */
  readonly onFound?: (text: string) => void
}

export interface Report {
  readonly cases: number
  readonly differences: number
  readonly histogram: Histogram
  readonly found: readonly Difference[]
}

const batchSize = 200
const batchesAtOnce = 3
/** A try that ends a process costs the start of another. */
const triesWithStarts = 300
const triesAtMost = 6_000
const progressEvery = 50_000

interface Found {
  readonly number: number
  readonly difference: Difference
}

export async function differential(peers: Peers, plan: Plan): Promise<Report> {
  const histogram = new Histogram()
  const found: Found[] = []
  const end = plan.first + plan.cases
  const { maxDifferences = 10 } = plan
  let next = plan.first
  let done = 0
  const worker = async (): Promise<void> => {
    while (next < end && found.length < maxDifferences) {
      const start = next
      next = Math.min(next + batchSize, end)
      const questions = Array.from({ length: next - start }, (_, i) => caseOf(plan.seed, start + i))
      const { texts, differences } = await compare(peers, questions)
      for (const [i, text] of texts.entries()) histogram.add(questions[i]?.suite ?? "", JSON.parse(text))
      for (const difference of differences)
        found.push({ number: start + questions.indexOf(difference.question), difference })
      if (Math.floor((done + texts.length) / progressEvery) > Math.floor(done / progressEvery))
        plan.onProgress?.(done + texts.length)
      done += texts.length
    }
  }
  await Promise.all(Array.from({ length: batchesAtOnce }, worker))
  const shrunk: Difference[] = []
  for (const each of oneOfEach(found).slice(0, maxDifferences)) shrunk.push(await shrunkAndKept(peers, plan, each))
  return { cases: done, differences: found.length, histogram, found: shrunk }
}

/** The first of each pair of outcomes in a suite: the others are most likely the same difference again. */
function oneOfEach(found: readonly Found[]): readonly Found[] {
  const first = new Map<string, Found>()
  for (const each of found.toSorted((a, b) => a.number - b.number)) {
    const { question, outcomes } = each.difference
    const name = [question.suite, ...Object.values(outcomes).map(headingOf)].join(" ")
    if (!first.has(name)) first.set(name, each)
  }
  return [...first.values()]
}

async function shrunkAndKept(
  peers: Peers,
  { seed, folder, onFound }: Plan,
  { number, difference }: Found,
): Promise<Difference> {
  const { suite } = difference.question
  const differs: Differs = async (cases) => {
    const questions = cases.map((c) => ({ suite, case: c }))
    const { differences } = await compare(peers, questions)
    return questions.map((question) =>
      differences.some((other) => other.question === question && isSame(other, difference)),
    )
  }
  const tries = hasEnded(difference) ? triesWithStarts : triesAtMost
  const smallest = await shrink(difference.question.case, differs, tries)
  const { differences } = await compare(peers, [{ suite, case: smallest }])
  const least = differences[0] ?? difference
  const path = keep(least, { folder, seed, number })
  const outcomes = Object.entries(least.outcomes).map(([name, outcome]) => `  ${name}: ${JSON.stringify(outcome)}`)
  onFound?.(
    `difference in ${suite}, --seed ${seed} --first ${number} --cases 1, kept in ${path}\n` +
      `  ${JSON.stringify(least.question.case)}\n${outcomes.join("\n")}`,
  )
  return least
}

/** Still a difference, and a crash only where it was one: a smaller case that breaks the question itself is no find. */
function isSame(one: Difference, other: Difference): boolean {
  return hasCrash(one) === hasCrash(other)
}

function hasCrash({ outcomes }: Difference): boolean {
  return Object.values(outcomes).some((outcome) => "crash" in outcome)
}

/** Whether a process ended of it. */
function hasEnded({ outcomes }: Difference): boolean {
  return Object.values(outcomes).some(({ crash }) => typeof crash === "string" && crash.startsWith("the process ended"))
}
