/** kez-iroh, for tests that need it: built once by scripts/iroh.sh, driven over lines of JSON. */
import assert from "node:assert/strict"
import { type ChildProcessByStdio, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { dirname, join } from "node:path"
import { createInterface } from "node:readline"
import type { Readable, Writable } from "node:stream"
import type { TestContext } from "node:test"
import { findServer } from "./servers.ts"

export const ROOT = join(import.meta.dirname, "..", "..")

/** For `{ skip: skipWithoutIroh() }`: false, or the reason. With CI=true a machine without cargo fails the run. */
export function skipWithoutIroh(): false | string {
  if (process.env["KEZ_IROH"]) return false
  if (!existsSync(join(ROOT, "rust", "kez-iroh", "Cargo.toml"))) return "this tree has no rust/kez-iroh"
  if (findServer("cargo", [join(process.env["HOME"] ?? "", ".cargo", "bin")]) !== undefined) return false
  return "missing server: cargo (https://rustup.rs installs it)"
}

/** A program that cargo builds beside kez-iroh, for tests alone. Undefined: it is not there, which is told as a skip; with CI=true it fails. */
export function testProgram(test: Pick<TestContext, "skip">, program: string, name: string): string | undefined {
  const path = join(dirname(program), name)
  if (existsSync(path)) return path
  const reason = `missing: ${name} (sh scripts/iroh.sh --check builds it)`
  assert.notEqual(process.env["CI"], "true", reason)
  test.skip(reason)
  return undefined
}

/** A line of kez-iroh. */
export type IrohLine = Readonly<Record<string, unknown>>

/** A running kez-iroh. */
export interface IrohProcess {
  readonly child: ChildProcessByStdio<Writable, Readable, null>
  /** The answer; throws what `error` says. */
  ask(request: IrohLine): Promise<IrohLine>
  /** The first line, heard already or not yet, that `wanted` says yes to. */
  until(wanted: (line: IrohLine) => boolean): Promise<IrohLine>
  /** Lines that nobody waited for. */
  heard(): IrohLine[]
  /** Closes stdin and waits for the end. */
  close(): Promise<void>
}

/** Starts `command` (the program, or what starts it in another place). */
export function startIroh(command: readonly string[]): IrohProcess {
  const [program = "", ...rest] = command
  const child = spawn(program, rest, { stdio: ["pipe", "pipe", "inherit"] })
  const heard: IrohLine[] = []
  const waiting = new Set<() => void>()
  const told = (): void => {
    for (const wake of [...waiting]) wake()
  }
  createInterface({ input: child.stdout }).on("line", (line) => {
    heard.push(JSON.parse(line))
    told()
  })
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()))
  ended.then(told)
  let next = 0
  const until = async (wanted: (line: IrohLine) => boolean): Promise<IrohLine> => {
    for (;;) {
      const at = heard.findIndex(wanted)
      const [line] = at < 0 ? [] : heard.splice(at, 1)
      if (line !== undefined) return line
      if (child.exitCode !== null || child.signalCode !== null) throw new Error("kez-iroh ended")
      await new Promise<void>((resolve) => waiting.add(resolve)).finally(() => waiting.clear())
    }
  }
  return {
    child,
    until,
    heard: () => heard,
    async ask(request) {
      next += 1
      const id = next
      child.stdin.write(`${JSON.stringify({ id, ...request })}\n`)
      const answer = await until((line) => line["id"] === id)
      if (answer["error"] !== undefined) throw new Error(JSON.stringify(answer["error"]))
      return answer["ok"] as IrohLine
    },
    async close() {
      child.stdin.end()
      await ended
    },
  }
}
