/** What stands in a command of a program. */
import { type JsonObject, KezError } from "@kez/core"

/** Throws `schema.missing_member`. */
export function textIn(command: JsonObject, name: string): string {
  const value = command[name]
  if (typeof value === "string" && value !== "") return value
  throw new KezError("schema.missing_member", `Cannot read the command: expected "${name}" to be a text`)
}
