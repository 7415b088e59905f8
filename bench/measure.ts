/** Timing in rounds: raw limit and product alternate, so that a busy machine slows both. */
import { performance } from "node:perf_hooks"

export interface Row {
  readonly what: string
  /** Figures as printed: rates, times. */
  readonly product: string
  readonly limit: string
  /** Product against limit. */
  readonly ratio: number
  readonly target: string
  /** Undefined: not measured, because a program is missing. */
  readonly holds: boolean | undefined
}

/** Milliseconds of one run. */
export function timed(run: () => void): number {
  const start = performance.now()
  run()
  return performance.now() - start
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}

/** Runs each pair in turn, a warm-up round first; the ratio is the median of the rounds' ratios. */
export function compare(
  rounds: number,
  limit: () => void,
  product: () => void,
): { limitMs: number; productMs: number; ratio: number } {
  limit()
  product()
  const pairs = Array.from({ length: rounds }, () => ({ limitMs: timed(limit), productMs: timed(product) }))
  return {
    limitMs: median(pairs.map((pair) => pair.limitMs)),
    productMs: median(pairs.map((pair) => pair.productMs)),
    ratio: median(pairs.map((pair) => pair.limitMs / pair.productMs)),
  }
}

export function perSecond(count: number, ms: number): string {
  return `${Math.round((count * 1000) / ms).toLocaleString("en")}/s`
}

/** With CI=true a failure, as in the tests: there it must be known. */
export function notMeasured(what: string, reason: string): Row {
  if (process.env["CI"] === "true") throw new Error(`Cannot measure ${what}: ${reason}`)
  return { what, product: `not measured: ${reason}`, limit: "", ratio: Number.NaN, target: "", holds: undefined }
}
