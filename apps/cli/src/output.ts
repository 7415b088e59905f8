/** What the command says: results to stdout, all else to stderr with the prefix `kez: `, and nothing that a terminal obeys. */
import { exitCodeOf, exitCodes } from "./exit-codes.ts"
import { wrap } from "./terminal/wrap.ts"

/** Control characters, marks of direction, invisible characters, lone surrogates: what a stranger's text could use to lie. */
const UNPRINTABLE =
  /[\p{Cc}\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]|\p{Cs}|[\u{e0000}-\u{e007f}]/gu
const UNPRINTABLE_IN_JSON = /[\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff]/g

/** `text` with everything escaped that a terminal would obey or hide, newlines too, and cut. For all that came from outside. */
export function printable(text: string, maxChars = 2_000): string {
  const shown = text.length > maxChars ? `${text.slice(0, maxChars)}…` : text
  return shown.replace(UNPRINTABLE, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`)
}

/** JSON on one line, safe to look at on a terminal. */
export function formatJson(value: unknown): string {
  return JSON.stringify(value).replace(
    UNPRINTABLE_IN_JSON,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  )
}

export type Paint = "bold" | "dim" | "red" | "green" | "yellow" | "cyan"
const paints: Readonly<Record<Paint, string>> = {
  bold: "1",
  dim: "2",
  red: "31",
  green: "32",
  yellow: "33",
  cyan: "36",
}

/** `text` in a colour if `color` is on. A colour never carries a meaning alone. */
export function paint(color: boolean, how: Paint, text: string): string {
  return color ? `\x1b[${paints[how]}m${text}\x1b[0m` : text
}

/** The parts of a failure that people and programs see. */
export interface Failure {
  readonly code: string
  readonly message: string
  readonly hint: string | undefined
  readonly exitCode: number
}

const fileFailures: Readonly<Record<string, readonly [code: string, what: string, hint: string | undefined]>> = {
  ENOSPC: ["store.write", "the disk is full", "Free some space and run the command again."],
  EDQUOT: ["store.write", "the disk quota is used up", "Free some space and run the command again."],
  EROFS: ["store.write", "the file system is read-only", "Set KEZ_HOME to a directory that can be written."],
  EIO: ["store.write", "the disk reported an error", undefined],
  ENOTDIR: ["store.write", "a part of the path is not a directory", "Set KEZ_HOME to a directory that can be written."],
  ENOENT: ["store.write", "the path does not exist", "Set KEZ_HOME to a directory that can be written."],
  ENAMETOOLONG: ["store.write", "the path is too long", undefined],
  EMFILE: ["store.busy", "too many files are open", undefined],
  EACCES: ["store.permissions", "permission denied", "Check who owns this path, or set KEZ_HOME to another directory."],
  EPERM: ["store.permissions", "not permitted", "Check who owns this path, or set KEZ_HOME to another directory."],
}

/** Why a file could not be read, in plain words. */
export function readingFailure(code: string | undefined): string {
  if (code === "ENOENT") return "there is no such file"
  if (code === "EISDIR") return "it is a directory"
  const known = code !== undefined && Object.hasOwn(fileFailures, code) ? fileFailures[code] : undefined
  return known?.[1] ?? `the system says ${code}`
}

/** Every error as a failure with a code. KezErrors are recognised by their shape: core may not be loaded yet. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return withExit("internal", `This is a bug in kez: ${printable(String(error))}`)
  const { code } = error as { code?: unknown }
  if (error.name === "KezError" && typeof code === "string") {
    const { hint, interrupted, misuse } = error as { hint?: unknown; interrupted?: unknown; misuse?: unknown }
    const failure = withExit(code, error.message, typeof hint === "string" ? hint : undefined)
    // A slip of the owner's is not a verdict about somebody's proof, whose exit code the same code has.
    if (misuse === true) return { ...failure, exitCode: exitCodes.failure }
    return interrupted === true ? { ...failure, exitCode: exitCodes.interrupted } : failure
  }
  const known = typeof code === "string" && Object.hasOwn(fileFailures, code) ? fileFailures[code] : undefined
  if (known !== undefined) {
    const { path } = error as { path?: unknown }
    const where = typeof path === "string" ? `use ${path}` : "write"
    return withExit(known[0], `Cannot ${where}: ${known[1]}`, known[2])
  }
  return withExit("internal", `This is a bug in kez: ${error.message}`, "Run it again with --debug to see where.")
}

function withExit(code: string, message: string, hint?: string): Failure {
  return { code, message, hint, exitCode: exitCodeOf(code) }
}

export interface OutputMode {
  readonly json: boolean
  readonly quiet: boolean
  readonly debug: boolean
}

/** What a command that ran to its end has to say. */
export interface Result {
  readonly schema: string
  readonly data: unknown
  readonly text: string
  readonly warnings: readonly string[]
  readonly next?: string | undefined
}

export function writeResult(result: Result, mode: OutputMode): void {
  const { schema, data, warnings } = result
  if (mode.json) {
    writeOut(`${formatJson({ schema, ok: true, data, warnings })}\n`)
    return
  }
  for (const warning of warnings) note(`warning: ${warning}`)
  if (result.text !== "") writeOut(result.text.endsWith("\n") ? result.text : `${result.text}\n`)
  if (result.next !== undefined && !mode.quiet) writeErr(`Next: ${printable(result.next)}\n`)
}

export function writeFailure(error: unknown, warnings: readonly string[], mode: OutputMode): number {
  const failure = failureOf(error)
  const { code, message, hint } = failure
  if (mode.json) {
    const body = hint === undefined ? { code, message } : { code, message, hint }
    writeOut(`${formatJson({ schema: "kez.error/1", ok: false, error: body, warnings })}\n`)
  } else {
    for (const warning of warnings) note(`warning: ${warning}`)
    note(`${message} [${code}]`)
    for (const line of (hint ?? "").split("\n").slice(0, 2)) if (line !== "") writeErr(`hint: ${printable(line)}\n`)
  }
  if (mode.debug && error instanceof Error) writeErr(`${stackOf(error)}\n`)
  return failure.exitCode
}

function stackOf(error: Error): string {
  const lines = (error.stack ?? "").split("\n").map(printable)
  return error.cause instanceof Error ? [...lines, "caused by:", stackOf(error.cause)].join("\n") : lines.join("\n")
}

/** One line on stderr with the prefix. */
export function note(text: string): void {
  const line = `kez: ${printable(text)}`
  const { isTTY, columns } = process.stderr
  writeErr(`${isTTY === true ? wrap(line, columns || 80).join("\n") : line}\n`)
}

export function writeOut(text: string): void {
  process.stdout.write(text)
}

export function writeErr(text: string): void {
  process.stderr.write(text)
}

/** A reader that has seen enough (`kez … | head -1`) is no failure. */
export function quietOnBrokenPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(process.exitCode ?? 0)
      throw error
    })
  }
}
