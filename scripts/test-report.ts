/** Turns the results of test files into text for people. */
import { relative } from "node:path"
import { inspect } from "node:util"
import type { Failure, FileResult } from "./test-run.ts"

export interface Totals {
  passed: number
  failed: number
  skipped: number
  /** Skips for want of a real server: a failure where CI=true. */
  missingServers: number
}

export function addTotals(totals: Totals, result: FileResult): void {
  totals.passed += result.passed
  totals.failed += result.failures.length
  totals.skipped += result.skips.length
  totals.missingServers += result.skips.filter((skip) => skip.reason.startsWith("missing server:")).length
}

/** One line for the file, then every failure in full and every skip with its reason. */
export function formatFile(result: FileResult, root: string): string {
  const { passed, failures, skips } = result
  const counts = [`${passed} passed`]
  if (failures.length > 0) counts.push(`${failures.length} failed`)
  if (skips.length > 0) counts.push(`${skips.length} skipped`)
  const empty = passed + failures.length + skips.length === 0
  const mark = failures.length > 0 ? "FAIL" : empty ? "none" : "ok  "
  const lines = [`${mark} ${relative(root, result.file)}  ${counts.join(", ")}  ${Math.round(result.durationMs)} ms`]
  for (const skip of skips) lines.push(`     skipped: ${skip.title} (${skip.reason})`)
  for (const failure of failures) lines.push(indent(formatFailure(failure)))
  if (failures.length > 0 && result.output.trim() !== "") {
    lines.push(indent(`output of the process:\n${indent(result.output.trimEnd())}`))
  }
  return lines.join("\n")
}

export function formatSummary(totals: Totals): string {
  const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : ""
  return `kez: ${totals.passed} passed, ${totals.failed} failed${skipped}`
}

function formatFailure(failure: Failure): string {
  const cause = failure.error?.cause instanceof Error ? failure.error.cause : failure.error
  const lines = [`failed:   ${failure.title}`]
  if (failure.where !== "") lines.push(`at:       ${failure.where}`)
  if (cause === undefined) return lines.join("\n")
  for (const field of ["code", "expected", "actual"]) {
    const value: unknown = Reflect.get(cause, field)
    if (value !== undefined) lines.push(`${`${field}:`.padEnd(10)}${showValue(value)}`)
  }
  lines.push(...stackOf(cause))
  return lines.join("\n")
}

function showValue(value: unknown): string {
  if (typeof value === "string" && !value.includes("\n")) return value
  return inspect(value, { depth: 6, breakLength: 100, maxStringLength: 2000 })
}

/** The message and the frames of this repository; Node's own frames say nothing about the cause. */
function stackOf(error: Error): string[] {
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line) && !line.includes("node:"))
  return [`${error.name}: ${error.message}`, ...frames.slice(0, 8)]
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, "     ")
}
