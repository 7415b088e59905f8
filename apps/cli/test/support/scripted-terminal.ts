/** A terminal whose answers are written down beforehand, and which remembers all that it showed. */
import type { Prompts, Question } from "../../src/terminal/prompt.ts"
import type { Terminal } from "../../src/terminal/terminal.ts"

export interface ScriptedTerminal extends Terminal {
  readonly shown: readonly string[]
  /** Answers that nobody asked for. */
  readonly left: readonly string[]
}

/** An answer may be a function of the question, as a person who looks at the paper. */
export type ScriptedAnswer = string | ((question: string) => string)

export function scriptedTerminal(
  answers: readonly ScriptedAnswer[],
  options: Partial<Terminal> = {},
): ScriptedTerminal {
  const shown: string[] = []
  const waiting = [...answers]
  const next = async ({ text }: Question): Promise<string> => {
    const answer = waiting.shift()
    if (answer === undefined) throw new Error(`Cannot answer "${text}": the script is at its end`)
    shown.push(text)
    return typeof answer === "string" ? answer : answer(text)
  }
  const prompts: Prompts = {
    ask: next,
    askLine: next,
    askHidden: next,
    async choose({ text, flag, choices }) {
      shown.push(...choices.map(([, label]) => label))
      const answer = await next({ text, flag })
      const row = choices.find(([key]) => key === answer)
      if (row === undefined) throw new Error(`Cannot choose ${answer} of ${choices.map(([key]) => key)}`)
      return row[0]
    },
    confirm: async (question) => (await next(question)) === "y",
    privately: (_question, task) => task(),
    show: (lines) => void shown.push(...lines),
    confirmRead: async (text) => void shown.push(text),
    say: (text) => void shown.push(text),
  }
  return {
    interactive: true,
    color: false,
    plain: false,
    width: 80,
    progress: () => {},
    ...prompts,
    ...options,
    shown,
    get left() {
      return waiting.map(String)
    },
  }
}
