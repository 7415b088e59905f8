/** The loop of a process that answers questions, one a line: crosstest/PROTOCOL.md. */
import { jsonValue } from "../packages/core/src/json-value.ts"
import type { JudgeCase, Outcome } from "../packages/core/test/support/judge.ts"

export type Judges = Readonly<Record<string, (c: JudgeCase) => Outcome>>

interface Question {
  readonly id: number
  readonly suite: string
  readonly case: JudgeCase
}

/** Reads questions from stdin until it ends, and writes an answer to each, in the same order. */
export function answerLines(judges: Judges): void {
  let rest = ""
  process.stdin.setEncoding("utf8")
  process.stdin.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n")
    rest = lines.pop() ?? ""
    if (lines.length > 0) process.stdout.write(lines.map((line) => `${answer(judges, line)}\n`).join(""))
  })
}

function answer(judges: Judges, line: string): string {
  // What the protocol fixes; names of a case may have any escape.
  const { id, suite, case: asked } = jsonValue(line) as unknown as Question
  return JSON.stringify({ id, outcome: judge(judges, suite, asked) })
}

/** A crash is an answer too, and never a right one. */
function judge(judges: Judges, suite: string, asked: JudgeCase): Outcome {
  try {
    const found = judges[suite]
    return found === undefined ? { crash: `there is no suite ${suite}` } : found(asked)
  } catch (error) {
    return { crash: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }
  }
}
