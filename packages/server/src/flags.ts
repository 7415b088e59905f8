/** What was typed behind a command, taken apart: words, and flags that are known. */
import { parseArgs } from "node:util"
import { KezError } from "@kez/core"
import { nearestOf } from "./nearest.ts"

export interface KnownFlags {
  /** Names, without the dashes, of flags that have a value. */
  readonly valued: readonly string[]
  readonly switches: readonly string[]
  /** The name of the command, for hints. */
  readonly program: string
}

export interface ParsedFlags {
  readonly words: readonly string[]
  /** By name; "true" for a switch. */
  readonly flags: ReadonlyMap<string, string>
}

/** Throws `usage`, with the nearest name, for a flag that does not exist or has no value where it needs one. */
export function parseFlags(args: readonly string[], known: KnownFlags): ParsedFlags {
  const options = Object.fromEntries([
    ...known.valued.map((name) => [name, { type: "string" } as const]),
    ...known.switches.map((name) => [name, { type: "boolean" } as const]),
  ])
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true })
  const words: string[] = []
  const flags = new Map<string, string>()
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value)
    if (token.kind === "option") flags.set(token.name, readValue(token, known))
  }
  return { words, flags }
}

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value: string | undefined
}

function readValue({ name, rawName, value }: OptionToken, { valued, switches, program }: KnownFlags): string {
  if (switches.includes(name)) {
    if (value === undefined) return "true"
    throw new KezError("usage", `Cannot use ${rawName}: expected no value`)
  }
  if (!valued.includes(name))
    throw unknownName(`the flag ${rawName}`, { typed: name, names: [...valued, ...switches], dashes: "--", program })
  if (value === undefined) throw new KezError("usage", `Cannot use ${rawName}: expected a value after it`)
  return value
}

export interface Guess {
  readonly typed: string
  readonly names: readonly string[]
  /** What stands before a name when it is shown. */
  readonly dashes: "--" | ""
  readonly program: string
}

/** The refusal of a name that does not exist. */
export function unknownName(what: string, { typed, names, dashes, program }: Guess): KezError {
  const near = nearestOf(typed, names)
  const hint = near === undefined ? `${program} help lists all.` : `Did you mean ${dashes}${near}?`
  return new KezError("usage", `Cannot use ${what}: there is no such thing`, { hint })
}
