/** A nostr profile and the proof in its `about`: reading, adding, taking away, all else untouched. SPEC §7.4. */
import { parseForeignJson } from "@kez/core"
import { textAt } from "./foreign-json.ts"
import { withoutProofBlocks } from "./proof-removal.ts"

export type Profile = Readonly<Record<string, unknown>>

/** The members of a kind 0 content; undefined when that is no JSON object. */
export function parseProfile(content: string): Profile | undefined {
  let value: unknown
  try {
    value = parseForeignJson(content)
  } catch {
    return undefined
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined
  return Object.fromEntries(Object.entries(value))
}

/** Undefined where there is no profile or no `about` in it. */
export function readAbout(content: string): string | undefined {
  const profile = parseProfile(content)
  return profile === undefined ? undefined : textAt(profile, "about")
}

/** The text with a proof as its last paragraph, in place of those for which `isReplaced` holds. */
export function withProof(about: string, proof: string, isReplaced: (text: string) => boolean): string {
  const rest = withoutProofBlocks(about, isReplaced)
  return rest === "" ? proof : `${rest}\n\n${proof}`
}
