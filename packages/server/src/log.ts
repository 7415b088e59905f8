/** The log: JSON, a line each, to stderr. No address, no chain, no key, no header and no body ever stands in it. */
import { pino } from "pino"

export type LogLevel = "fatal" | "error" | "warn" | "info" | "debug" | "silent"
export const logLevels: readonly LogLevel[] = ["fatal", "error", "warn", "info", "debug", "silent"]

type Fields = Readonly<Record<string, unknown>>

export interface Log {
  error(fields: Fields, message: string): void
  warn(fields: Fields, message: string): void
  info(fields: Fields, message: string): void
  debug(fields: Fields, message: string): void
  fatal(fields: Fields, message: string): void
}

/** Should one of these get into a line some day, its value does not. */
const secretNames = ["authorization", "cookie", "passphrase", "password", "words", "seed", "secret", "database_url"]
const personalNames = ["ip", "remoteAddress", "headers", "body", "url"]

export interface LogOptions {
  /** Of the program. */
  readonly name: string
  readonly level: LogLevel
  /** Where lines go; stderr, synchronously, so that the last words of a process are not lost. */
  readonly write?: (line: string) => void
}

export function createLog({ name, level, write }: LogOptions): Log {
  const names = [...secretNames, ...personalNames]
  const options = {
    level,
    base: { name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: [...names, ...names.map((one) => `*.${one}`)], censor: "[redacted]" },
  }
  return pino(options, write === undefined ? pino.destination({ dest: 2, sync: true }) : { write })
}

/** An error as a log may show it: its code, what it says and where it happened. */
export function errorFields(error: unknown): Fields {
  if (!(error instanceof Error)) return { error: String(error) }
  const code = "code" in error && typeof error.code === "string" ? { code: error.code } : {}
  const cause = error.cause === undefined ? {} : { cause: errorFields(error.cause) }
  return { error: error.message, ...code, stack: error.stack?.split("\n").slice(1, 6).join("\n"), ...cause }
}
