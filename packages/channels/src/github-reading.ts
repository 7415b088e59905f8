/** What reading files of gists comes to: texts, what was seen, and what did not answer. SPEC §7.3 [GH-7]. */
import type { Candidate, Evidence } from "./channel.ts"
import { type Refusal, shownName } from "./github-api.ts"
import { type GistFile, isNamed, pageOf } from "./github-gists.ts"
import { notesOnTexts } from "./near-miss.ts"
import { pickProofTexts } from "./proof-texts.ts"

/** `trouble`: something that might have held a proof did not answer. */
export interface Reading {
  readonly texts: readonly FileText[]
  readonly evidence: readonly Evidence[]
  readonly trouble: Trouble | undefined
}

export type Trouble = Extract<Refusal, { status: "unreachable" }>

export interface FileText extends Candidate {
  readonly file: GistFile
}

export const nothingRead: Reading = { texts: [], evidence: [], trouble: undefined }

/** Whether GitHub asked to wait: nothing more is asked of it then. [GH-2] */
export function isLimited({ trouble }: Reading): boolean {
  return trouble?.code === "net.rate_limit"
}

export function hasProof({ texts }: Pick<Reading, "texts">): boolean {
  return pickProofTexts(texts).candidates.length > 0
}

export function join(one: Reading, other: Reading): Reading {
  return {
    texts: [...one.texts, ...other.texts],
    evidence: [...one.evidence, ...other.evidence],
    trouble: isLimited(other) ? other.trouble : (one.trouble ?? other.trouble),
  }
}

export function textReading(file: GistFile, text: string, seen: Evidence): Reading {
  const name = shownName(file.name)
  const found = { text, foundAt: pageOf(file.gist), file }
  const notes = notesOnTexts([text])
  const miss = hasProof({ texts: [found] }) || !isNamed(file) ? [] : [noteOnNamed(file)]
  const note = [`file ${name}`, ...notes, ...(notes.length > 0 ? [] : miss)].join("; ")
  return { texts: [found], evidence: [{ ...seen, note }], trouble: undefined }
}

function noteOnNamed({ name, gist }: GistFile): string {
  const where = /kez/i.test(name) ? "its name" : "the description of its gist"
  return `${where} says kez, its content has no KEZ block (${pageOf(gist)})`
}

/** What is gone, or may not be used, is no proof; what did not answer may be one. `about`: what was asked for. */
export function refusedReading(refusal: Refusal, about: string): Reading {
  const evidence = refusal.evidence.map((one) => ({
    ...one,
    note: one.note === undefined ? about : `${about}: ${one.note}`,
  }))
  const trouble = refusal.status === "unreachable" ? { ...refusal, evidence } : undefined
  return { texts: [], evidence, trouble }
}
