/** Which of several verdicts a script should hear about. */
import type { Verdict } from "@kez/core"
import { type ExitCode, exitCodes } from "./exit-codes.ts"
import { exitCodeOfVerdict } from "./verdict-text.ts"

/** From the worst on: what may be an attack, then what its owner said, then what is missing, then what nobody knows. */
const order: readonly ExitCode[] = [
  exitCodes.fork,
  exitCodes.invalid,
  exitCodes.revoked,
  exitCodes.expired,
  exitCodes.notFound,
  exitCodes.unreachable,
]

/** 0 where every account is proven. */
export function worstExitCode(verdicts: readonly Verdict[]): ExitCode {
  const codes = new Set(verdicts.map(exitCodeOfVerdict))
  return order.find((code) => codes.has(code)) ?? exitCodes.ok
}
