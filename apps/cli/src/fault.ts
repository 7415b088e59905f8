/** KezErrors for what loads at every start. Core takes as long to load as Node itself, so it comes when something is wrong. */
import { createRequire } from "node:module"
import type { Code, KezError, KezErrorOptions } from "@kez/core"

const require = createRequire(import.meta.url)

export function fault(code: Code, message: string, options: KezErrorOptions = {}): KezError {
  const core = require("@kez/core") as typeof import("@kez/core")
  return new core.KezError(code, message, options)
}

/** Ctrl-C: a cancelled command, with the exit code 130. */
export function interruption(): KezError {
  return Object.assign(fault("input.cancelled", "Cancelled with Ctrl-C"), { interrupted: true })
}

/** Whether an error is a KezError with this code. */
export function hasCode(error: unknown, code: Code): boolean {
  return error instanceof Error && error.name === "KezError" && "code" in error && error.code === code
}
