/** What `npm start` says: ticks and times in a terminal, plain lines elsewhere. */

export interface Report {
  readonly isTerminal: boolean
  title(text: string): void
  /** Something that takes long has begun. A later line takes its place in a terminal. */
  waiting(text: string): void
  /** A part is there. */
  done(name: string, detail: string, tookMs: number): void
  failed(name: string, detail: string): void
  /** Lines as they stand. */
  say(...lines: readonly string[]): void
}

const nameWidth = 31
const detailWidth = 43

/** Standard output of this process, or a sink of a test. */
export interface Sink {
  readonly isTTY?: boolean
  write(text: string): unknown
}

export function createReport(out: Sink, env: Readonly<Record<string, string | undefined>> = process.env): Report {
  const isTerminal = out.isTTY === true && env["TERM"] !== "dumb" && (env["ACCESSIBLE"] ?? "") === ""
  const isColored = isTerminal && (env["NO_COLOR"] ?? "") === ""
  const paint = (code: string, text: string): string => (isColored ? `\u001b[${code}m${text}\u001b[0m` : text)
  let isPending = false
  const line = (text: string): void => {
    out.write(`${isPending ? "\r\u001b[K" : ""}${text}\n`)
    isPending = false
  }
  return {
    isTerminal,
    title: (text) => line(isTerminal ? `\n${paint("1", text)}` : text),
    waiting(text) {
      if (!isTerminal) {
        line(`${text} …`)
        return
      }
      out.write(`${isPending ? "\r\u001b[K" : ""}  ${paint("2", `… ${text}`)}`)
      isPending = true
    },
    done(name, detail, tookMs) {
      const time = formatSeconds(tookMs)
      if (isTerminal)
        line(`  ${paint("32", "✓")} ${name.padEnd(nameWidth)} ${detail.padEnd(detailWidth)} ${paint("2", time)}`)
      else line(`ok ${name}: ${detail} (${time})`)
    },
    failed(name, detail) {
      line(isTerminal ? `  ${paint("31", "✕")} ${name.padEnd(nameWidth)} ${detail}` : `failed ${name}: ${detail}`)
    },
    say(...lines) {
      for (const text of lines) line(text)
    },
  }
}

export function formatSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}
