/** The actor of an account: what its own server says about it, and the texts of its profile. SPEC §7.6. */
import { hasType, idAt, isAtItsId, textsAt } from "./ap-document.ts"
import type { Candidate } from "./channel.ts"
import type { FetchAnswer } from "./fetch-answer.ts"
import { listAt, parseForeign, textAt, valueAt } from "./foreign-json.ts"
import { proofTextsOf, readHtml } from "./html-text.ts"
import { maxProfileFields } from "./limits.ts"
import { foldAscii } from "./webfinger.ts"

export interface ProfileField {
  readonly name: string
  readonly value: string
}

/** Texts of a profile, as a person sees them. */
export interface Profile {
  /** Where a person can look at it. */
  readonly url: string
  readonly texts: readonly Candidate[]
  readonly bio: string
  readonly fields: readonly ProfileField[]
  /** What stands in elements that are hidden or styled. */
  readonly hidden: string
}

export interface Actor extends Profile {
  /** Equal to the URL where the document lies. */
  readonly id: string
  /** Lower case. */
  readonly username: string
  /** A URL or a collection. */
  readonly featured: unknown
  readonly movedTo: string | undefined
  readonly isSuspended: boolean
}

/** Why a document is not the actor of an account. */
export type ActorFault = "id" | "type"

const actorTypes = ["Person", "Service", "Application", "Group", "Organization"]

/** Throws `text.utf8` or `net.content_type` for a body that is not JSON. */
export function readActor(answer: FetchAnswer): Actor | ActorFault {
  const document = parseForeign(answer)
  if (!hasType(document, ...actorTypes)) return "type"
  if (!isAtItsId(document, answer.url)) return "id"
  const fields = listAt(document, "attachment")
    .slice(0, maxProfileFields)
    .filter((entry) => hasType(entry, "PropertyValue"))
    .map((entry) => ({ name: textAt(entry, "name") ?? "", value: textAt(entry, "value") ?? "" }))
  return {
    ...readProfile(answer.url, textsAt(document, "summary"), fields),
    id: answer.url,
    username: foldAscii(textAt(document, "preferredUsername") ?? ""),
    featured: valueAt(document, "featured"),
    movedTo: idAt(document, "movedTo"),
    isSuspended: valueAt(document, "suspended") === true,
  }
}

/** Fields and summaries are HTML, the names of fields plain text. */
export function readProfile(
  url: string,
  summaries: readonly string[],
  fields: ReadonlyArray<{ readonly name: string; readonly value: string }>,
): Profile {
  const bios = summaries.map(readHtml)
  const values = fields.map(({ name, value }) => ({ name, html: readHtml(value) }))
  const all = [...bios, ...values.map(({ html }) => html)]
  const texts = [...bios.flatMap(proofTextsOf), ...values.flatMap(({ name, html }) => [name, ...proofTextsOf(html)])]
  return {
    url,
    texts: texts.map((text) => ({ text, foundAt: url })),
    bio: bios.map(({ text }) => text).join("\n"),
    fields: values.map(({ name, html }) => ({ name, value: html.text })),
    hidden: all.map(({ hidden }) => hidden).join("\n"),
  }
}
