/** The one error type that KEZ code throws. SPEC §12. */
import type { Code } from "./codes.ts"

export interface KezErrorOptions {
  /** The error that led to this one. */
  readonly cause?: unknown
  /** What the reader can do next, one sentence. */
  readonly hint?: string
}

/**
 * A refusal with a code from the closed list. The message reads *Cannot X: expected Y, got Z*
 * and never holds a secret or a whole object.
 */
export class KezError extends Error {
  readonly code: Code
  readonly hint: string | undefined

  constructor(code: Code, message: string, options: KezErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = "KezError"
    this.code = code
    this.hint = options.hint
  }
}
