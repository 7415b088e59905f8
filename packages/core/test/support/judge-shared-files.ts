/** Judge of `shared-files`: documents, and manifests against a chain. crosstest/PROTOCOL.md. */
import {
  decodeEnvelope,
  decodeFilePage,
  decodeFileRoot,
  judgeManifest,
  KezError,
  type ManifestMark,
  replayChain,
  tryParseHex,
} from "../../src/index.ts"
import type { JudgeCase, Outcome } from "./judge.ts"

export function sharedFilesOutcome(c: JudgeCase): Outcome {
  try {
    return { ok: resultOf(c) }
  } catch (error) {
    if (error instanceof KezError) return { code: error.code }
    throw error
  }
}

function resultOf(c: JudgeCase): unknown {
  switch (c["part"]) {
    case "root": {
      const { sections } = decodeFileRoot(bytesOf(c), { root: String(c["root"]), size: Number(c["size"]) })
      return sections.flatMap(({ pages }) => pages).length
    }
    case "page":
      return decodeFilePage(bytesOf(c)).entries.length
    case "manifest":
      return manifestOf(c)
    default:
      throw new Error(`expected a part, got ${String(c["part"])}`)
  }
}

function manifestOf({ events, manifest, anchored, mark, now }: JudgeCase): string {
  if (!Array.isArray(events)) throw new Error("expected a list of events")
  const replay = replayChain(events.map((text) => decodeEnvelope(String(text), "sigchain_event")))
  return judgeManifest(replay, {
    manifest: String(manifest),
    now: Number(now),
    ...(anchored === undefined ? {} : { anchored: String(anchored) }),
    // The line protocol fixes what it is.
    ...(mark === undefined ? {} : { mark: mark as ManifestMark }),
  }).digest
}

function bytesOf({ text, hex }: JudgeCase): Uint8Array {
  if (hex === undefined) return new TextEncoder().encode(String(text))
  const bytes = tryParseHex(String(hex), String(hex).length / 2)
  if (bytes === undefined) throw new Error("expected hex")
  return bytes
}
