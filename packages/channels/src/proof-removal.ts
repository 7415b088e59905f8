/** A person's own text without the proofs in it: everything else stays as it was written. */
import { proofsIn, tryFindProofs } from "./proof-texts.ts"

/** A line that says where the chain of a proof lies: a URL of at most 2,048 bytes. SPEC FIND-4 */
const hintLine = /^Chain: https:\/\/[!-~]{1,2040}$/

/** Removes each compact or reference text that `isOurs`, the line that it leaves empty, and a chain hint in the next one. */
export function withoutProofs(text: string, isOurs: (proof: string) => boolean): string {
  const proofs = proofsIn(text)
    .filter((proof) => /^kez:[^\s]+$/.test(proof) && isOurs(proof))
    // A proof may be the beginning of another one.
    .toSorted((left, right) => right.length - left.length)
  if (proofs.length === 0) return text
  const kept: string[] = []
  let isAfterProof = false
  for (const line of text.split("\n")) {
    const rest = proofs.reduce((left, proof) => left.replaceAll(proof, ""), line)
    const isGone = rest !== line ? rest.trim() === "" : isAfterProof && hintLine.test(line.replace(/\r$/, ""))
    if (!isGone) kept.push(rest === line ? line : rest.trimEnd())
    isAfterProof = rest !== line
  }
  return kept.join("\n").trimEnd()
}

/** Whether there is nothing in a text but proofs. */
export function isProofOnly(text: string, isOurs: (proof: string) => boolean): boolean {
  return text.trim() !== "" && withoutProofs(text, isOurs).trim() === ""
}

/** The text without the proofs for which `isRemoved` holds, and without the blank lines that they leave. */
export function withoutProofBlocks(text: string, isRemoved: (text: string) => boolean): string {
  // Longest first: a proof may be the beginning of another one.
  const removed = proofsIn(text)
    .filter(isRemoved)
    .toSorted((left, right) => right.length - left.length)
  return removed.reduce(removeOne, text).trimEnd()
}

/** A proof in a fence goes with its fence, and one that is a paragraph with the space around it. */
function removeOne(text: string, proof: string): string {
  const at = text.indexOf(proof)
  if (at < 0) return text
  const opening = /(?:^|\n) {0,3}(?:`{3,}|~{3,})[ \t]*kez\b[^\n]*\n\s*$/.exec(text.slice(0, at))
  const closing = /^\s*\n {0,3}(?:`{3,}|~{3,})[ \t]*(?=\r?\n|$)/.exec(text.slice(at + proof.length))
  const isFenced = opening !== null && closing !== null
  const before = text.slice(0, isFenced ? opening.index : at)
  const after = text.slice(at + proof.length + (isFenced ? closing[0].length : 0))
  const isParagraph = /(^|\n)$/.test(before) || isFenced
  if (!isParagraph || !/^(\r?\n|$)/.test(after)) return `${before}${after}`
  const [first, last] = [before.trimEnd(), after.trimStart()]
  return first === "" || last === "" ? `${first}${last}` : `${first}\n\n${last}`
}

/** Whether a text is nothing but proofs and the lines that are written around them: no word of its owner's would be lost with it. */
export function isProofDocument(text: string, isOurs: (proof: string) => boolean): boolean {
  const written = linesForPeople(text, isOurs)
  const rest = withoutProofBlocks(text, isOurs).split("\n")
  return rest.every((line) => line.trim() === "" || hintLine.test(line.trimEnd()) || written.has(line.trimEnd()))
}

/** What an encoder writes for people about the claims of a text. A line that says something else is its owner's. SPEC GH-9 */
function linesForPeople(text: string, isOurs: (proof: string) => boolean): ReadonlySet<string> {
  const lines = new Set<string>()
  for (const candidate of tryFindProofs(text)?.candidates ?? []) {
    if (!("proof" in candidate) || candidate.proof.kind !== "claim" || !isOurs(candidate.text)) continue
    const { subject, primary, created_at, expires_at } = candidate.proof.claim.payload
    const says = "The holder of the key below says: this account is mine."
    lines.add(`# KEZ claim: ${subject}`).add(says).add(`${says} Check it with \`kez verify id ${subject}\`.`)
    lines.add(`Subject: ${subject}`).add(`Primary: ${primary}`).add(`Created: ${created_at}`)
    if (expires_at !== undefined) lines.add(`Expires: ${expires_at}`)
  }
  return lines
}
