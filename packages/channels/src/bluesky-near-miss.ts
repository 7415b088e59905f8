/** The nearest thing found when a Bluesky proof is missing or broken. SPEC §7.5. */
import type { PlaceLook } from "./bluesky-records.ts"
import { notesOnTexts } from "./near-miss.ts"
import { tryFindProofs } from "./proof-texts.ts"

/** What a post and a profile hold. */
export const maxPostGraphemes = 300
export const maxProfileGraphemes = 256
const referenceChars = 71
/** A post holds 3,000 bytes. */
const maxCountedChars = 3_000

/** Characters as people count them, and as Bluesky does. */
export function countGraphemes(text: string): number {
  let count = 0
  for (const _ of new Intl.Segmenter("en", { granularity: "grapheme" }).segment(text)) count += 1
  return count
}

/** One sentence or more about texts that were found, or undefined when nothing looks wrong. */
export function noteOnPosted(texts: readonly string[]): string | undefined {
  const notes = [...notesOnTexts(texts), ...new Set(texts.flatMap(notesOnLength))]
  return notes.length === 0 ? undefined : notes.join("; ")
}

/** The plain finding when there is no proof. */
export function noteOnNothing(looks: readonly PlaceLook[], claimedAt: number | undefined): string {
  const posts = looks.flatMap(({ texts }) => texts.flatMap((text) => ("key" in text ? [text] : [])))
  const profile = looks.some(({ texts }) => texts.some((text) => !("key" in text) && text.text !== ""))
  const counted = posts.length === 1 ? "1 post" : `the newest ${posts.length} posts`
  const seen = [...(profile ? ["the profile"] : []), ...(posts.length === 0 ? [] : [counted])]
  const plain =
    seen.length === 0 ? "the account has neither posts nor a profile text" : `no KEZ text in ${seen.join(" and ")}`
  const newest = Math.max(...posts.flatMap(({ createdAt }) => createdAt ?? []))
  const isOlder = claimedAt !== undefined && posts.length > 0 && newest < claimedAt
  return isOlder ? `${plain}; no post is newer than the claim: was it posted from this account?` : plain
}

function notesOnLength(text: string): readonly string[] {
  const broken = brokenProofs(text)
  // Once for all of them, and not the whole of a text that no client of Bluesky wrote: counting takes its time.
  const isFull = broken.length > 0 && countGraphemes(text.slice(0, maxCountedChars)) >= maxProfileGraphemes - 6
  return broken.flatMap((proof) => {
    if (proof.startsWith("kez:r1:") && proof.length < referenceChars) {
      return [`reference found but cut after ${proof.length} of ${referenceChars} characters`]
    }
    return isFull
      ? [`a post holds ${maxPostGraphemes} characters and a profile ${maxProfileGraphemes}: use the reference form`]
      : []
  })
}

function brokenProofs(text: string): readonly string[] {
  const { candidates = [] } = tryFindProofs(text) ?? {}
  return candidates.flatMap((candidate) => ("error" in candidate ? [candidate.text] : []))
}
