/**
 * The person at the keyboard, if there is one: questions, secrets shown once, progress. Prompts are static text on
 * stderr, so that screen readers and logs can follow and stdout holds results only.
 */
import type { Env, Settings } from "../config.ts"
import { note } from "../output.ts"
import { createPrompts, type Prompts } from "./prompt.ts"

export interface Terminal extends Prompts {
  /** Whether somebody can be asked. */
  readonly interactive: boolean
  /** Whether stdout shows colours; use with `paint`. */
  readonly color: boolean
  /** Append-only text: nothing is redrawn. */
  readonly plain: boolean
  /** Columns of stdout, 80 where unknown. */
  readonly width: number
  /** One line of progress on stderr; nothing with --quiet or --json. */
  progress(text: string): void
}

export interface TerminalOptions {
  readonly env: Env
  readonly settings: Settings
  readonly quiet: boolean
}

export function createTerminal({ env, settings, quiet }: TerminalOptions): Terminal {
  const { stdin, stdout } = process
  // Opening /dev/tty where nobody sits there would wait for ever.
  const interactive = stdin.isTTY === true && stdout.isTTY === true && !env.ci && !settings.noInput.value
  const isDumb = env.term === "dumb"
  return {
    interactive,
    color: settings.color.value === "auto" ? stdout.isTTY === true && !isDumb : settings.color.value === "always",
    plain: settings.plain.value,
    width: stdout.columns ?? 80,
    progress(text) {
      if (!quiet) note(text)
    },
    ...createPrompts({ interactive, canClear: !isDumb && env.term !== undefined, width: () => stdout.columns || 80 }),
  }
}
