/** What every copy is measured by: the clock, the first byte on the disk, and what the system says of a process. */
import { readFileSync, statSync } from "node:fs"
import { performance } from "node:perf_hooks"
import { setInterval } from "node:timers"

/** One copy of one file, in milliseconds. */
export interface Copy {
  /** From the request, both programs running and the file known, to the last byte made to last. */
  readonly moveMs: number
  /** From the start of the sending program to the end of the receiving one. */
  readonly wholeMs: number
  /** From the request to the first byte of it in the receiver's folder. */
  readonly firstMs: number
  /** From the start of the sending program to the same. */
  readonly wholeFirstMs: number
  /** Of both programs, where the system says it. */
  readonly cpuMs: number
  readonly peakMb: number
}

/** Looks until there is something of a file on the disk, ask for the time only then. Blocks: a hole is no byte. */
export function watchFirstByte(path: string): { at(): number; end(): void } {
  let found = Number.NaN
  const timer = setInterval(() => {
    if ((statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) === 0) return
    found = performance.now()
    clearInterval(timer)
  }, 1)
  return { at: () => found, end: () => clearInterval(timer) }
}

/** Milliseconds of CPU and the most memory of a running process; NaN where the system does not say. */
export function usageOf(pid: number | undefined): { readonly cpuMs: number; readonly peakMb: number } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8")
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    // After the name, which may hold anything: the 12th and 13th are ticks of 10 ms.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    const cpuMs = 10 * (Number(fields[11]) + Number(fields[12]))
    return { cpuMs, peakMb: (Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 1024) / 1e6 }
  } catch {
    return { cpuMs: Number.NaN, peakMb: Number.NaN }
  }
}
