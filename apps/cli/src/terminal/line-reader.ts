/** Lines from the keyboard, one question at a time: node:readline with an output that shows or hides what is typed. */
import { createInterface } from "node:readline"
import { Writable } from "node:stream"
import type { ReadStream } from "node:tty"

export type Answer = { readonly line: string } | "end" | "interrupt"

export interface LineReader {
  /** Shows `prompt` and reads one line. Hidden lines leave no trace on the screen but a line break. */
  read(prompt: string, options: { readonly isHidden: boolean }): Promise<Answer>
}

/** `input` is a terminal; between two questions it is in its ordinary mode, so that Ctrl-C works there too. */
export function createLineReader(input: ReadStream, output: NodeJS.WritableStream): LineReader {
  // What was typed or pasted ahead belongs to the questions that follow.
  const waiting: string[] = []
  let unfinished = ""

  return {
    read(prompt, { isHidden }) {
      const ahead = waiting.shift()
      if (ahead !== undefined) {
        output.write(`${prompt}${isHidden ? "" : ahead}\n`)
        return Promise.resolve({ line: ahead })
      }
      return new Promise((resolve) => {
        const screen = isHidden ? silent() : output
        const lines = createInterface({ input, output: screen, terminal: true, historySize: 0, prompt })
        let answer: Answer = "end"
        let hasLine = false
        lines.on("line", (line) => {
          if (hasLine) {
            waiting.push(line)
            return
          }
          hasLine = true
          answer = { line }
          // Further lines of the same chunk arrive before this runs.
          setImmediate(() => {
            unfinished = lines.line
            lines.close()
          })
        })
        lines.on("SIGINT", () => {
          answer = "interrupt"
          lines.close()
        })
        lines.on("close", () => {
          input.pause()
          if (isHidden || answer === "end" || answer === "interrupt") output.write("\n")
          resolve(answer)
        })
        // Not before: until here the terminal itself would show what a quick typist answers.
        if (isHidden) output.write(prompt)
        lines.prompt()
        if (unfinished !== "") lines.write(unfinished)
        unfinished = ""
      })
    },
  }
}

function silent(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() })
}
