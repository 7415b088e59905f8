/** Manifests of shared files: whether one may follow what is known of its series. SPEC §2.4 */
import type { Digest } from "../digest.ts"
import { decodeEnvelope, type Envelope, envelopeDigest } from "../envelope/envelope.ts"
import { assertSignature } from "../envelope/verify.ts"
import { KezError } from "../error.ts"
import { clockSkewSeconds } from "../limits.ts"
import { isCurrentKey } from "../sigchain/head.ts"
import type { ChainReplay } from "../sigchain/result.ts"
import { parseTime } from "../time.ts"

export type FileManifest = Envelope<"file_manifest">

/** The newest manifest of a key that was accepted. */
export interface ManifestMark {
  readonly seq: number
  readonly digest: Digest
}

export interface ReceivedManifest {
  readonly manifest: string | Uint8Array
  /** The one that the chain names, where `manifest` is a later one. */
  readonly anchored?: string | Uint8Array
  readonly mark?: ManifestMark
  /** Unix seconds. */
  readonly now: number
}

export interface JudgedManifest extends ManifestMark {
  readonly manifest: FileManifest
  readonly signer: string
  /** It is the one that the chain names. */
  readonly isAnchored: boolean
}

/** The manifest that a key last named in the winning path, and the place of that event. */
export function anchorOf(
  { path }: Pick<ChainReplay, "path">,
  key: string,
): { readonly manifest: Digest; readonly createdAt: number; readonly seq: number } | undefined {
  const event = path.findLast(({ payload, signature }) => payload.op === "set_shared_files" && signature.key === key)
  if (event?.payload.op !== "set_shared_files") return undefined
  const { seq, created_at, payload } = event.payload
  return { manifest: payload.manifest, createdAt: parseTime(created_at), seq }
}

/**
 * Whether a manifest counts now. Throws the codes of decoding and signatures, `file.manifest` (another chain's, no current key's, or without the one
 * that the chain names), `time.future`, `file.rollback`, `file.fork`. [FILES-4]
 */
export function judgeManifest(replay: ChainReplay, received: ReceivedManifest): JudgedManifest {
  const manifest = decodeEnvelope(received.manifest, "file_manifest")
  const { chain, created_at } = manifest.payload
  const signer = manifest.signature.key
  if (chain !== replay.chain) throw refused("it is for another chain")
  if (!isCurrentKey(replay, signer)) throw refused("no current key of the chain signed it")
  if (parseTime(created_at) > received.now + clockSkewSeconds)
    throw new KezError("time.future", "Cannot accept the manifest: it is made in the future")
  assertSignature(manifest)
  if (received.mark !== undefined) assertAfter(manifest, received.mark)
  const anchor = anchorOf(replay, signer)
  const digest = envelopeDigest(manifest)
  if (anchor !== undefined && anchor.manifest !== digest) {
    if (received.anchored === undefined) throw refused("the one that the chain names is not beside it")
    const anchored = decodeEnvelope(received.anchored, "file_manifest")
    const isNamed = envelopeDigest(anchored) === anchor.manifest
    const isOfSeries = anchored.payload.chain === chain && anchored.signature.key === signer
    if (!isNamed || !isOfSeries) throw refused("what is beside it is not the one that the chain names")
    assertAfter(manifest, { seq: anchored.payload.seq, digest: anchor.manifest })
  }
  return { manifest, digest, seq: manifest.payload.seq, signer, isAnchored: anchor?.manifest === digest }
}

function assertAfter(manifest: FileManifest, mark: ManifestMark): void {
  const { seq, prev } = manifest.payload
  const digest = envelopeDigest(manifest)
  if (digest === mark.digest) return
  if (seq < mark.seq) throw new KezError("file.rollback", `Cannot accept manifest ${seq}: number ${mark.seq} is known`)
  const isFork = seq === mark.seq || (seq === mark.seq + 1 && prev !== mark.digest)
  if (isFork) throw new KezError("file.fork", `Cannot accept manifest ${seq}: another one stands in its place`)
}

function refused(why: string): KezError {
  return new KezError("file.manifest", `Cannot accept the manifest: ${why}`)
}
