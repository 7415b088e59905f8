/** Proofs in any text: a file, a post, a profile, a TXT record. SPEC §4.4. */
import { type Claim, decodeEnvelope, envelopeDigest, formatEnvelope } from "../envelope/envelope.ts"
import { KezError } from "../error.ts"
import { maxCandidates, maxChainHints, maxTextBytes } from "../limits.ts"
import { decodeText, trimSpace } from "../text.ts"
import { compactPrefix, decodeCompact, encodeCompact } from "./compact.ts"
import { decodeZoneLine, encodeZoneLine, tryDecodeZoneLine } from "./dns.ts"
import { encodeMarkdown, type Found, hintOf, type Piece, searchMarkdown } from "./markdown.ts"
import { decodeReference, encodeReference, type Reference, referencePrefix } from "./reference.ts"

export type ProofForm = "json" | "compact" | "markdown" | "dns" | "reference"

/** What one text proves, structure checked, signature not: a claim, or a reference to a chain. */
export type Proof =
  | { readonly kind: "claim"; readonly claim: Claim; readonly digest: string }
  | { readonly kind: "reference"; readonly reference: Reference }

/** One place in a text that may hold a proof. */
export type ProofCandidate = { readonly text: string } & ({ readonly proof: Proof } | { readonly error: KezError })

export interface ProofSearch {
  readonly candidates: readonly ProofCandidate[]
  /** URLs where the chain may lie. Unsigned. [FIND-4] */
  readonly hints: readonly string[]
}

/** The last short texts and what was found in them: whoever finds a text, looks up its chain or judges it searches it again. */
const searched = new Map<string, ProofSearch>()
const maxSearched = 64
const maxSearchedChars = 4_096

/**
 * Every candidate of a text, decoded or with the reason why not. No candidate is no error here.
 * Throws `limit.size`, `text.utf8`, `text.bom` or `limit.candidates`. [FIND-1] [FIND-2]
 */
export function findProofs(input: string | Uint8Array): ProofSearch {
  if (typeof input !== "string" || input.length > maxSearchedChars) return searchAnew(input)
  const known = searched.get(input)
  if (known !== undefined) return known
  const found = frozen(searchAnew(input))
  const [oldest] = searched.keys()
  if (searched.size >= maxSearched && oldest !== undefined) searched.delete(oldest)
  searched.set(input, found)
  return found
}

/** Whoever changed what he was given would change it for all who ask for this text later. Claims are frozen by their decoder. */
function frozen({ candidates, hints }: ProofSearch): ProofSearch {
  for (const candidate of candidates) {
    if ("proof" in candidate) {
      if (candidate.proof.kind === "reference") Object.freeze(candidate.proof.reference)
      Object.freeze(candidate.proof)
    }
    Object.freeze(candidate)
  }
  return Object.freeze({ candidates: Object.freeze(candidates), hints: Object.freeze(hints) })
}

function searchAnew(input: string | Uint8Array): ProofSearch {
  const { pieces, hints } = search(trimSpace(decodeText(input, maxTextBytes)))
  if (pieces.length > maxCandidates) {
    throw new KezError("limit.candidates", `Cannot search the text: expected at most ${maxCandidates} proofs in it`)
  }
  return {
    candidates: pieces.map((piece) =>
      "fault" in piece ? { text: piece.text, error: cutFault() } : tryDecode(piece.text, piece.isZoneLine === true),
    ),
    hints: hints.slice(0, maxChainHints),
  }
}

/**
 * The one proof of a text. Throws the codes of `findProofs`; `proof.not_found` for a text without candidate; the code of the
 * first candidate when none decodes; `proof.ambiguous` for two different ones. [FIND-3]
 */
export function decodeProof(input: string | Uint8Array): Proof {
  const { candidates } = findProofs(input)
  const proofs = new Map<string, Proof>()
  for (const candidate of candidates) {
    if (!("proof" in candidate)) continue
    const name = nameOf(candidate.proof)
    if (!proofs.has(name)) proofs.set(name, candidate.proof)
  }
  const [first, ...others] = proofs.values()
  if (others.length > 0) throw new KezError("proof.ambiguous", "Cannot choose a proof: the text holds different ones")
  if (first !== undefined) return first
  for (const candidate of candidates) if ("error" in candidate) throw candidate.error
  throw new KezError(
    "proof.not_found",
    "Cannot find a proof: expected a ```kez block, kez:z1:… or kez:r1:… in the text",
  )
}

export interface EncodeOptions {
  /** For `markdown` and `dns`: an https URL of the chain, written beside the claim. */
  readonly chainHint?: string
}

/** The text of a claim, or of a reference, in one form. Throws `encoding.unsupported` where the form has no room for it. */
export function encodeProof(proof: Claim | Reference, form: ProofForm, options: EncodeOptions = {}): string {
  if (!("kez" in proof)) {
    if (form === "reference") return encodeReference(proof)
    throw new KezError("encoding.unsupported", `Cannot write a reference as ${form}: expected the form "reference"`)
  }
  if (options.chainHint !== undefined) assertHint(options.chainHint)
  switch (form) {
    case "json":
      return `${JSON.stringify(JSON.parse(formatEnvelope(proof)), null, 2)}\n`
    case "compact":
      return encodeCompact(proof)
    case "markdown":
      return encodeMarkdown(proof, options.chainHint)
    case "dns":
      return encodeDns(proof, options.chainHint)
    case "reference":
      throw new KezError("encoding.unsupported", "Cannot write a claim as a reference: expected a chain id", {
        hint: 'A reference names a chain: encodeProof({ chain, host }, "reference").',
      })
  }
}

/** Otherwise the hint could add lines, fences or strings of its own. */
function assertHint(url: string): void {
  if (hintOf(`Chain: ${url}`) !== undefined && !/["\\]/.test(url)) return
  throw new KezError("encoding.unsupported", "Cannot write the hint: expected an https URL in printable ASCII")
}

function encodeDns(claim: Claim, chainHint: string | undefined): string {
  const lines = [encodeZoneLine(claim, encodeCompact(claim))]
  if (chainHint !== undefined) lines.push(encodeZoneLine(claim, `Chain: ${chainHint}`))
  return lines.join("\n")
}

function search(text: string): Found {
  if (text.startsWith("{")) return single(text)
  // Within one word in any case: `KEZ:Z1:` is named as unsupported, not overlooked.
  if (/^kez:/i.test(text) && !/[ \t\r\n]/.test(text)) return single(text)
  if (text.startsWith("_kez.")) return searchZone(text)
  return searchMarkdown(text, maxCandidates)
}

function single(text: string): Found {
  return { pieces: [{ text }], hints: [] }
}

/** Zone-file lines: a record of ours is a candidate or a hint, any other is ignored, a line of another form is a fault. [DNS-1] [DNS-3] */
function searchZone(text: string): Found {
  const pieces: Piece[] = []
  const hints: string[] = []
  for (const line of text.split("\n")) {
    if (pieces.length > maxCandidates) break
    const trimmed = trimSpace(line)
    if (trimmed === "") continue
    const record = tryDecodeZoneLine(trimmed)
    const hint = record === undefined ? undefined : hintOf(record)
    if (hint !== undefined) hints.push(hint)
    else if (record === undefined || /^kez:/i.test(record)) pieces.push({ text: trimmed, isZoneLine: true })
  }
  return { pieces, hints }
}

function tryDecode(text: string, isZoneLine: boolean): ProofCandidate {
  try {
    return { text, proof: decodePiece(isZoneLine ? decodeZoneLine(text) : text) }
  } catch (error) {
    if (error instanceof KezError) return { text, error }
    throw error
  }
}

/** [FIND-5] */
function decodePiece(text: string): Proof {
  if (text.startsWith("{")) return claimProof(decodeEnvelope(text, "claim"))
  if (text.startsWith(referencePrefix)) return { kind: "reference", reference: decodeReference(text) }
  if (text.startsWith(compactPrefix)) return claimProof(decodeCompact(text))
  if (/^kez:/i.test(text)) {
    throw new KezError("encoding.unsupported", "Cannot decode the text: expected kez:z1:… or kez:r1:…")
  }
  throw new KezError("json.syntax", "Cannot decode the text: expected JSON, kez:z1:… or kez:r1:…")
}

function claimProof(claim: Claim): Proof {
  return { kind: "claim", claim, digest: envelopeDigest(claim) }
}

function nameOf(proof: Proof): string {
  return proof.kind === "claim" ? proof.digest : proof.reference.chain // a host only says where else to ask
}

function cutFault(): KezError {
  return new KezError("proof.cut", "Cannot decode the proof: the block tagged kez is never closed", {
    hint: "The end of the text is missing. Publish it again, whole, with its closing line of backticks.",
  })
}
