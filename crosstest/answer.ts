/** The loop of a process that answers questions, one a line: crosstest/PROTOCOL.md. */
import { jsonValue } from "../packages/core/src/json-value.ts"
import type { JudgeCase, Outcome } from "../packages/core/test/support/judge.ts"

export type Judges = Readonly<Record<string, (c: JudgeCase) => Outcome | Promise<Outcome>>>

interface Question {
  readonly id: number
  readonly suite: string
  readonly case: JudgeCase
}

/** Reads questions from stdin until it ends, and writes an answer to each, in the same order. */
export function answerLines(judges: Judges): void {
  let rest = ""
  let answered = Promise.resolve()
  process.stdin.setEncoding("utf8")
  process.stdin.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n")
    rest = lines.pop() ?? ""
    if (lines.length > 0) answered = answered.then(() => answerAll(judges, lines))
  })
}

async function answerAll(judges: Judges, lines: readonly string[]): Promise<void> {
  let answers = ""
  for (const line of lines) {
    // What the protocol fixes; names of a case may have any escape.
    const { id, suite, case: asked } = jsonValue(line) as unknown as Question
    const outcome = judge(judges, suite, asked)
    answers += `${JSON.stringify({ id, outcome: outcome instanceof Promise ? await outcome.catch(crash) : outcome })}\n`
  }
  process.stdout.write(answers)
}

/** A crash is an answer too, and never a right one. */
function judge(judges: Judges, suite: string, asked: JudgeCase): Outcome | Promise<Outcome> {
  try {
    const found = judges[suite]
    return found === undefined ? { crash: `there is no suite ${suite}` } : found(asked)
  } catch (error) {
    return crash(error)
  }
}

function crash(error: unknown): Outcome {
  return { crash: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }
}
