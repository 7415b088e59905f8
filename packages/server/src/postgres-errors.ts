/** Failures of PostgreSQL and of the way to it, as codes of the store. No message names the URL: it may hold a password. */
import { type Code, KezError } from "@kez/core"
import { DatabaseError } from "pg"

interface Meaning {
  readonly code: Code
  readonly message: string
  readonly hint?: string
}

const full: Meaning = {
  code: "store.full",
  message: "Cannot write to the database: expected room on its disk",
  hint: "Nothing was changed. It goes on by itself when there is room again.",
}
const busy: Meaning = {
  code: "store.busy",
  message: "Cannot use the database: expected an answer in time, it is away or overloaded",
  hint: "Try again.",
}
const corrupt: Meaning = {
  code: "store.corrupt",
  message: "Cannot read the database: it says that its data is damaged",
}
const write: Meaning = { code: "store.write", message: "Cannot write to the database: it does not allow that" }
const refused: Meaning = {
  code: "store.write",
  message: "Cannot use the database: it does not know the database or the user, or refuses the password",
  hint: "See DATABASE_URL.",
}

/** By SQLSTATE: the whole code, else its class. https://www.postgresql.org/docs/15/errcodes-appendix.html */
const meanings: Readonly<Record<string, Meaning>> = {
  "53100": full,
  "25006": write,
  "58030": write,
  "3D000": refused,
  "42501": write,
  "08": busy,
  "53": busy,
  "57": busy,
  "40": busy,
  "55": busy,
  "28": refused,
  XX001: corrupt,
  XX002: corrupt,
}

/** Without an answer, so that nobody knows whether the work was done: the connection, or a time limit of the client. */
const lostCodes = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOENT", "ENOTFOUND", "EAI_AGAIN"])
const lostMessages =
  /^(Connection terminated|Query read timeout|timeout exceeded when trying to connect|timeout expired|Client (has encountered a connection error|was closed)|Cannot use a pool after)/

/** The error as a KezError where it is a known failure, else as it is: then it is a defect of the program. */
export function explainPostgres(error: unknown): unknown {
  if (error instanceof KezError || !(error instanceof Error)) return error
  const meaning = meaningOf(error)
  if (meaning === undefined) return error
  const { code, message, hint } = meaning
  return new KezError(code, message, { cause: error, ...(hint === undefined ? {} : { hint }) })
}

function meaningOf(error: Error): Meaning | undefined {
  if (error instanceof DatabaseError) {
    const { code = "" } = error
    return meanings[code] ?? meanings[code.slice(0, 2)]
  }
  if (error instanceof AggregateError) return error.errors.some(isLost) ? busy : undefined
  return isLost(error) ? busy : undefined
}

function isLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return ("code" in error && lostCodes.has(String(error.code))) || lostMessages.test(error.message)
}
