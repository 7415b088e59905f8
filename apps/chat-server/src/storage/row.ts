/** Reading rows: values that are not what the tables hold are damage, and are told as such. */
import { KezError } from "@kez/core"
import type { Row } from "./database.ts"

/** Of a count that may have come as text. Throws `store.corrupt`. */
export function countOf(value: unknown): number {
  const count = Number(value)
  if (value !== null && Number.isSafeInteger(count) && count >= 0) return count
  throw damaged()
}

/** Throws `store.corrupt`. */
export function textIn(row: Row, column: string): string {
  const value = row[column]
  if (typeof value === "string") return value
  throw damaged()
}

export function optionalTextIn(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : textIn(row, column)
}

function damaged(): KezError {
  return new KezError("store.corrupt", "Cannot read the database: a row does not hold what it should")
}
