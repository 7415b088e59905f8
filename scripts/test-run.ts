/** Runs test files in one child process and collects what became of every leaf test (suites are not counted). */
import { relative } from "node:path"
import { run } from "node:test"
import { pathToFileURL } from "node:url"

export interface Failure {
  readonly title: string
  readonly where: string
  readonly error: Error | undefined
}

export interface Skip {
  readonly title: string
  readonly where: string
  readonly reason: string
}

export interface FileResult {
  readonly file: string
  passed: number
  durationMs: number
  readonly failures: Failure[]
  readonly skips: Skip[]
  /** What the process wrote, kept for the case that something failed. */
  output: string
}

export interface RunPlan {
  readonly root: string
  readonly files: readonly string[]
  /** Bound for one test and for a process that does not end. */
  readonly timeoutMs: number
}

interface Node {
  readonly name: string
  readonly parentId: number | undefined
}

/** The part of node:test's pass and fail events that is read here. */
interface Ended extends Node {
  readonly testId: number
  readonly nesting: number
  readonly file?: string
  readonly line?: number
  readonly skip?: string | boolean
  readonly todo?: string | boolean
  readonly details: { readonly duration_ms: number; readonly type?: string; readonly error?: Error }
}

const ENTRY = `${import.meta.dirname}/test-entry.ts`
const PROCESS = {
  isolation: "process",
  concurrency: 1,
  execArgv: ["--import", pathToFileURL(`${import.meta.dirname}/test-guard.ts`).href],
} as const

/** One process for each file. */
export async function runAlone(plan: RunPlan & { readonly file: string }): Promise<FileResult> {
  const collector = new Collector({ ...plan, files: [plan.file] })
  await collector.drain(run({ ...PROCESS, files: [plan.file], timeout: plan.timeoutMs }))
  return collector.only()
}

/** All files in one process; when that process dies, each file alone, so that the culprit is named. */
export async function runTogether(plan: RunPlan): Promise<readonly FileResult[]> {
  const collector = new Collector(plan)
  await collector.drain(run({ ...PROCESS, files: [ENTRY], argv: plan.files, timeout: plan.timeoutMs }))
  if (!collector.died) return collector.results()
  const results: FileResult[] = []
  for (const file of plan.files) results.push(await runAlone({ ...plan, file }))
  if (results.every((result) => result.failures.length === 0)) {
    const error = new Error("the process that ran all unit tests ended early, though each file passes alone")
    results[0]?.failures.push({ title: "unit tests in one process", where: "", error })
  }
  return results
}

class Collector {
  died = false
  private readonly tests = new Map<number, Node>()
  private readonly parents = new Set<number>()
  private readonly byFile: Map<string, FileResult>
  private current: FileResult | undefined
  private output = ""
  private readonly plan: RunPlan

  constructor(plan: RunPlan) {
    this.plan = plan
    this.byFile = new Map(plan.files.map((file) => [file, emptyResult(file)]))
    this.current = this.byFile.get(plan.files[0] ?? "")
  }

  async drain(stream: ReturnType<typeof run>): Promise<void> {
    const began = performance.now()
    stream.on("test:start", ({ testId, name, parentId }) => this.tests.set(testId, { name, parentId }))
    stream.on("test:pass", (data) => this.ended(data, false))
    stream.on("test:fail", (data) => this.ended(data, true))
    stream.on("test:stdout", (data) => this.wrote(data.message))
    stream.on("test:stderr", (data) => this.wrote(data.message))
    for await (const _ of stream);
    const results = this.results()
    for (const result of results) if (result.failures.length > 0) result.output = this.output
    if (results.length === 1 && results[0]) results[0].durationMs = performance.now() - began
  }

  results(): readonly FileResult[] {
    return [...this.byFile.values()]
  }

  only(): FileResult {
    return this.results()[0] ?? emptyResult("")
  }

  private wrote(text: string): void {
    this.output = (this.output + text).slice(-8000)
  }

  private ended(test: Ended, failed: boolean): void {
    if (test.parentId !== undefined) this.parents.add(test.parentId)
    if (test.nesting === 0 && test.name === test.file) {
      this.processEnded(failed)
      return
    }
    if (test.file === ENTRY && test.nesting === 0 && test.name.startsWith("file ")) {
      this.current = this.byFile.get(test.name.slice("file ".length)) ?? this.current
      return
    }
    const result = this.current
    if (result === undefined) return
    if (test.nesting === 0) result.durationMs += test.details.duration_ms
    const place = { title: this.title(test), where: this.where(test) }
    const skip = test.skip || (test.todo ? `todo: ${test.todo === true ? "no reason given" : test.todo}` : false)
    if (skip) result.skips.push({ ...place, reason: skip === true ? "no reason given" : skip })
    else if (failed && !isSubtestsFailed(test.details.error))
      result.failures.push({ ...place, error: test.details.error })
    else if (!failed && test.details.type !== "suite" && !this.parents.has(test.testId)) result.passed += 1
  }

  /** node:test reports the process itself only when it died or when it registered no test. */
  private processEnded(failed: boolean): void {
    if (!failed) return
    this.died = true
    const error = new Error("the process of this file crashed, failed to load, or did not end in time")
    error.stack = ""
    this.current?.failures.push({ title: "the whole file", where: this.where({ file: this.current.file }), error })
  }

  private title(test: Node): string {
    const parent = test.parentId === undefined ? undefined : this.tests.get(test.parentId)
    return parent === undefined ? test.name : `${this.title(parent)} > ${test.name}`
  }

  private where(test: { readonly file?: string; readonly line?: number }): string {
    if (test.file === undefined) return ""
    return relative(this.plan.root, test.file) + (test.line === undefined ? "" : `:${test.line}`)
  }
}

function emptyResult(file: string): FileResult {
  return { file, passed: 0, durationMs: 0, failures: [], skips: [], output: "" }
}

/** A parent that failed only through its children adds nothing: they are counted themselves. */
function isSubtestsFailed(error: Error | undefined): boolean {
  return error !== undefined && "failureType" in error && error.failureType === "subtestsFailed"
}
