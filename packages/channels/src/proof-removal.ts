/** A person's own text without the proofs in it: everything else stays as it was written. */
import { proofsIn } from "./proof-texts.ts"

/** Removes each compact or reference text that `isOurs`, and the line that it leaves empty. */
export function withoutProofs(text: string, isOurs: (proof: string) => boolean): string {
  const proofs = proofsIn(text)
    .filter((proof) => /^kez:[^\s]+$/.test(proof) && isOurs(proof))
    // A proof may be the beginning of another one.
    .toSorted((left, right) => right.length - left.length)
  if (proofs.length === 0) return text
  const lines = text.split("\n").flatMap((line) => {
    const rest = proofs.reduce((left, proof) => left.replaceAll(proof, ""), line)
    if (rest === line) return [line]
    return rest.trim() === "" ? [] : [rest.trimEnd()]
  })
  return lines.join("\n").trimEnd()
}

/** Whether there is nothing in a text but proofs. */
export function isProofOnly(text: string, isOurs: (proof: string) => boolean): boolean {
  return text.trim() !== "" && withoutProofs(text, isOurs).trim() === ""
}
