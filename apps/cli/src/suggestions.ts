/** Accounts that a person names elsewhere: suggestions of what to check or to claim, never proofs. */
import { KezError, parseIdentity } from "@kez/core"
import { printable } from "./output.ts"
import type { Outcome } from "./run.ts"
import { columns, count } from "./short-text.ts"

export interface SuggestedAccount {
  /** A KEZ identity, or the name that the other place uses for a system that KEZ does not know. */
  readonly subject: string
  /** Whether some channel can look at it. */
  readonly isSupported: boolean
  /** One sentence: where it was named, and how. */
  readonly about: string
}

export interface Suggestions {
  /** The identity or URL that was asked, as a person would name it. */
  readonly source: string
  readonly accounts: readonly SuggestedAccount[]
  readonly warnings: readonly string[]
}

/** The whole outcome of `kez import`. */
export function suggestionsOutcome({ source, accounts, warnings }: Suggestions): Outcome {
  const supported = accounts.filter(({ isSupported }) => isSupported)
  return {
    schema: "kez.suggestions/1",
    data: {
      source,
      suggestions: accounts.map(({ subject, isSupported, about }) => ({ subject, supported: isSupported, about })),
    },
    text: [
      accounts.length === 0
        ? `${printable(source, 300)} names no account.`
        : `${printable(source, 300)} names ${count(accounts.length, "account")}. These are suggestions: nothing here is proven.`,
      ...(accounts.length === 0 ? [] : [columns(accounts.map(rowOf), "  ")]),
    ].join("\n"),
    warnings,
    ...(supported[0] === undefined ? {} : { next: nextFor(supported) }),
  }
}

/** Whether a text is a canonical identity. */
export function isIdentity(text: string): boolean {
  try {
    parseIdentity(text)
    return true
  } catch (error) {
    if (error instanceof KezError) return false
    throw error
  }
}

function rowOf({ subject, isSupported, about }: SuggestedAccount): readonly string[] {
  return ["◌", printable(subject, 300), isSupported ? "not checked" : "no channel here", printable(about, 300)]
}

function nextFor(supported: readonly SuggestedAccount[]): string {
  const subjects = supported.map(({ subject }) => subject).slice(0, 8)
  return `check them: kez verify id ${subjects.join(" ")}; if they are yours: kez claim publish ${subjects[0]}`
}
