/** Hostile input: how long a refusal takes. The tests assert codes and work; this only measures. */
import { zstdCompressSync } from "node:zlib"
import { decodeProof, encodeBase64Url, findProofs, KezError, limits, parseChain, parseJson } from "@kez/core"
import { median, timed } from "./measure.ts"

export interface Refusal {
  readonly what: string
  readonly code: string
  readonly ms: number
}

const bomb14 = Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0x60, 1, 0, 0, 0, 0])

export function refusals(rounds: number): readonly Refusal[] {
  const zeros = zstdCompressSync(new Uint8Array(100 * 1_048_576))
  const cases: readonly (readonly [what: string, run: () => unknown])[] = [
    ["14-byte zstd frame that claims 1.5 GiB", () => decodeProof(`kez:z1:${encodeBase64Url(bomb14)}`)],
    [`${zeros.length}-byte zstd frame of 100 MiB of zeros`, () => decodeProof(`kez:z1:${encodeBase64Url(zeros)}`)],
    ["200,000 nested arrays", () => parseJson("[".repeat(200_000))],
    ["a JSON string of 10 MB", () => decodeProof(`{"a":"${"x".repeat(10_000_000)}"}`)],
    ["a chain document of 8 MiB + 1", () => parseChain("x".repeat(limits.maxChainBytes + 1))],
    ["__proto__ in every object", () => decodeProof('{"__proto__":{"x":1},"kez":"claim"}')],
    ["100 KB of backticks", () => decodeProof("`".repeat(100_000))],
    ["100 KB of kez:z1:", () => decodeProof("kez:z1:".repeat(14_286))],
    ["100 KB of kez:z1: with spaces", () => decodeProof("kez:z1: ".repeat(12_500))],
    ["100 KB of spaces", () => decodeProof(" ".repeat(100_000))],
    ["100 KB of [[[[", () => decodeProof("[".repeat(100_000))],
    ["1 MiB of lines that open fences", () => findProofs("```a\n".repeat(209_715))],
  ]
  return cases.map(([what, run]) => {
    let code = "accepted"
    const times = Array.from({ length: rounds }, () =>
      timed(() => {
        try {
          run()
        } catch (error) {
          if (!(error instanceof KezError)) throw error
          code = error.code
        }
      }),
    )
    return { what, code, ms: median(times) }
  })
}
