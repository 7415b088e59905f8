/** What is nearly right about a profile: cut fields, links in the place of proofs, hidden texts. SPEC §7.6. */
import type { Profile } from "./ap-actor.ts"
import type { Candidate } from "./channel.ts"
import { notesOnTexts } from "./near-miss.ts"
import { pickProofTexts } from "./proof-texts.ts"

/** Mastodon's limits; what is longer in a field, it cuts without a word. */
const fieldLimit = 255
const bioLimit = 500
const kezText = /kez:(?:z1|r1):/i
const webLink = /^https?:\/\/\S+$/
/** A domain with an optional path, as people type links. */
const bareLink = /^(?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,24}(?:\/\S{0,200})?$/i

interface Seen {
  readonly value: string
  readonly profile: Profile
  /** Of the pinned posts. */
  readonly texts: readonly Candidate[]
  readonly hasProof: boolean
}

/** Sentences for the owner, the most telling first; the last one says what was looked at when nothing was found. */
export function notesOnProfile({ value, profile, texts, hasProof }: Seen): readonly string[] {
  const all = [...profile.texts, ...texts].map(({ text }) => text)
  const notes = [...notesOnLimits(profile), ...notesOnTexts(all)]
  if (hasProof) return notes
  const hidden = pickProofTexts([{ text: profile.hidden, foundAt: profile.url }]).candidates.length > 0
  const looked = `looked at the bio, ${profile.fields.length} fields and ${texts.length} pinned posts of ${value}: none holds a proof`
  return [
    ...notes,
    ...(hidden ? ["a proof stands in a hidden or styled part of the profile, which does not count"] : []),
    ...profile.fields.flatMap(({ name, value: text }) => notesOnField(name.slice(0, 40), text)),
    looked,
  ]
}

function notesOnLimits({ bio, fields }: Profile): readonly string[] {
  const cut = fields.filter(({ value }) => kezText.test(value) && [...value].length === fieldLimit)
  const fieldNotes = cut.map(
    ({ name }) =>
      `the field "${name.slice(0, 40)}" ends after exactly ${fieldLimit} characters, the most that Mastodon keeps: use the reference form`,
  )
  const isBioCut = kezText.test(bio.slice(-bioLimit)) && [...bio].length === bioLimit && /[A-Za-z0-9_-]$/.test(bio)
  return isBioCut
    ? [
        ...fieldNotes,
        `the bio ends after exactly ${bioLimit} characters: the proof in it is cut, use the reference form`,
      ]
    : fieldNotes
}

function notesOnField(name: string, value: string): readonly string[] {
  if (webLink.test(value) && /kez/i.test(`${name} ${value}`)) {
    return [`found a link to ${value.slice(0, 200)}, which is no proof: the text kez:r1:… itself must stand there`]
  }
  if (bareLink.test(value)) return [`the field "${name}" is saved without https://, so its link counts for nothing`]
  return []
}
