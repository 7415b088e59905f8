/**
 * From a case, as the files of vectors/ have them, to its outcome by this library, as crosstest/PROTOCOL.md writes outcomes. The
 * vectors are run through these judges, and so is every question of the cross-test.
 */
import {
  assertContinues,
  assertSignature,
  type ChainPosition,
  canonicalize,
  decodeEnvelope,
  decodeProof,
  decodeText,
  envelopeDigest,
  findProofs,
  formatHex,
  formatIdentity,
  isKind,
  KezError,
  keyOfSecret,
  limits,
  parseChain,
  parseClaimTime,
  parseIdentity,
  parseJson,
  parseTime,
  sha256,
  tryParseHex,
  verifyEd25519,
  verifySchnorr,
} from "../../src/index.ts"
import { parseWords } from "../../src/mnemonic.ts"
import { replayOutcome } from "./judge-replay.ts"
import { sharedFilesOutcome } from "./judge-shared-files.ts"
import { verdictOutcome } from "./judge-verdict.ts"

/** A case of any suite: its members without `id`, `why` and what is expected. */
export interface JudgeCase {
  readonly [member: string]: unknown
}

/** `{ok}`, `{code}`, or what the suite says instead. */
export type Outcome = Readonly<Record<string, unknown>>

/** The names of the suites, which are those of the files of vectors/, and what each makes of a case. */
export const judges: Readonly<Record<string, (c: JudgeCase) => Outcome>> = {
  identities: (c) => outcome(() => formatIdentity(parseIdentity(textOf(c, "text")))),
  json: (c) => outcome(() => canonicalize(parseJson(decodeText(inputOf(c), limits.maxEnvelopeTextBytes)))),
  "canonical-json": ({ value }) => outcome(() => canonicalize(value)),
  times: (c) => ({
    strict: outcome(() => parseTime(textOf(c, "text"))),
    claim: outcome(() => parseClaimTime(textOf(c, "text"))),
  }),
  ed25519: (c) => ({ ok: verifyEd25519(bytesOf(c, "signature"), bytesOf(c, "message"), bytesOf(c, "key")) }),
  schnorr: (c) => {
    const digest = c["digest"] === undefined ? sha256(bytesOf(c, "message")) : bytesOf(c, "digest")
    return { ok: verifySchnorr(bytesOf(c, "signature"), digest, bytesOf(c, "key")) }
  },
  envelopes: (c) =>
    outcome(() => {
      const kind = textOf(c, "kind")
      if (!isKind(kind)) throw new Error(`expected a kind, got ${kind}`)
      const envelope = decodeEnvelope(inputOf(c), kind)
      assertSignature(envelope)
      return envelopeDigest(envelope)
    }),
  encodings: (c) => ({ proof: outcome(() => proofOf(inputOf(c))), hints: hintsOf(inputOf(c)) }),
  "chain-documents": (c) => outcome(() => parseChain(inputOf(c)).length),
  "sigchain-link": ({ head, next }) =>
    outcome(() => {
      // The line protocol fixes what these two are.
      assertContinues(head as ChainPosition, next as { readonly seq: number; readonly prev?: string })
      return "ok"
    }),
  "sigchain-replay": replayOutcome,
  "sigchain-forks": replayOutcome,
  verdicts: verdictOutcome,
  "shared-files": sharedFilesOutcome,
  mnemonics: (c) =>
    outcome(() => {
      const { secret } = parseWords(textOf(c, "words"))
      return { secret: formatHex(secret), ed25519: keyOfSecret("ed25519", secret) }
    }),
}

/** What `run` gives, or the code by which it refuses. Any other error is a defect and goes on. */
export function outcome(run: () => unknown): Outcome {
  try {
    return { ok: run() }
  } catch (error) {
    if (error instanceof KezError) return { code: error.code }
    throw error
  }
}

function proofOf(input: string | Uint8Array): unknown {
  const proof = decodeProof(input)
  if (proof.kind === "claim") return { claim: proof.digest }
  return { reference: proof.reference.chain, host: proof.reference.host ?? null }
}

function hintsOf(input: string | Uint8Array): readonly string[] {
  try {
    return findProofs(input).hints
  } catch (error) {
    if (error instanceof KezError) return []
    throw error
  }
}

function inputOf(c: JudgeCase): string | Uint8Array {
  return c["hex"] === undefined ? textOf(c, "text") : bytesOf(c, "hex")
}

function textOf(c: JudgeCase, member: string): string {
  const text = c[member]
  if (typeof text !== "string") throw new Error(`expected a text as ${member}`)
  return text
}

function bytesOf(c: JudgeCase, member: string): Uint8Array {
  const hex = textOf(c, member)
  const bytes = tryParseHex(hex, hex.length / 2)
  if (bytes === undefined) throw new Error(`expected hex as ${member}`)
  return bytes
}
