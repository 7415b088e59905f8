/** Hostile inputs, one a process: `node bad-input.ts NAME` prepares it, says ready, takes it in, and reports what came of it. */
import { constants, zstdCompressSync } from "node:zlib"
import { encodeBase64Url } from "../../src/encoding/base64url.ts"
import { decodeProof, encodeProof, findProofs } from "../../src/encoding/proof.ts"
import { decodeEnvelope, type SigchainEvent } from "../../src/envelope/envelope.ts"
import { signatureCheckCount } from "../../src/envelope/verify.ts"
import { KezError } from "../../src/error.ts"
import { parseJson } from "../../src/json.ts"
import { parseChain } from "../../src/sigchain/document.ts"
import { replayChain } from "../../src/sigchain/replay.ts"
import { verifyClaim } from "../../src/verify/verify.ts"
import { claimOf } from "./chains.ts"
import { deviceLine, junkSiblings, nestedForks, rotatedForks, settledForks, siblings } from "./hostile-chains.ts"
import { keyNamed } from "./keys.ts"
import { published, question, store } from "./questions.ts"

/** Prepares an input and returns what takes it in; the answer names what came of it. */
type Case = () => () => string

const mebibyte = 1_048_576
const repeated = (piece: string, bytes = mebibyte) => piece.repeat(Math.floor(bytes / piece.length))

/** A text for the search for proofs: refused as a whole, or so many candidates. */
function searched(text: string): Case {
  return () => () => `${findProofs(text).candidates.length} candidates`
}

function proof(text: string): Case {
  return () => () => decodeProof(text).kind
}

function bomb(prefix: string, sized: boolean): string {
  const zeros = Buffer.alloc(100 * mebibyte)
  const params = { [constants.ZSTD_c_windowLog]: 20, [constants.ZSTD_c_contentSizeFlag]: sized ? 1 : 0 }
  return (
    prefix + encodeBase64Url(zstdCompressSync(zeros, sized ? { pledgedSrcSize: zeros.length, params } : { params }))
  )
}

/** A chain whose signatures are known already: what is left is what its shape costs. */
function chain(build: () => readonly SigchainEvent[]): Case {
  return () => {
    const events = build()
    replayChain(events)
    return () => {
      const before = signatureCheckCount()
      const { status, head, splits, state, refused } = replayChain(events)
      const suspended = state.devices.filter((device) => device.suspended).length
      const checked = signatureCheckCount() - before
      return `${status} at ${head.seq}, ${splits.length} splits, ${refused.length} refused, ${suspended} suspended, ${checked} checked`
    }
  }
}

const frame14 = Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0x60, 1, 0, 0, 0, 0])

const cases: Readonly<Record<string, Case>> = {
  "zstd-14-bytes": proof(`kez:z1:${encodeBase64Url(frame14)}`),
  "zstd-bomb": () => proof(bomb("kez:z1:", true))(),
  "zstd-bomb-without-size": () => proof(bomb("kez:z1:", false))(),
  "zstd-bomb-chain": () => {
    const text = bomb("kez:zc1:", false)
    return () => `${parseChain(text).length} events`
  },
  "nested-arrays": () => {
    const text = "[".repeat(200_000) + "]".repeat(200_000)
    return () => `${typeof parseJson(text)}`
  },
  "long-string": () => {
    const text = `{"kez":"${"x".repeat(10_000_000)}"}`
    return () => decodeEnvelope(text, "claim").kez
  },
  members: () => {
    const text = `{${Array.from({ length: 200_000 }, (_, i) => `"${i}":0`).join(",")}}`
    return () => `${typeof parseJson(text)}`
  },
  backticks: searched(repeated("`")),
  "backticks-in-lines": searched(repeated("```kez\n")),
  tildes: searched(repeated("~~~~kez ~\n")),
  tokens: searched(repeated("kez:z1:")),
  "tokens-apart": searched(repeated("kez:z1: ")),
  "references-apart": searched(repeated("kez:r1:.. ")),
  spaces: searched(` ${repeated(" ").slice(2)}x`),
  "spaces-inside": searched(`x${repeated(" ").slice(2)}x`),
  brackets: searched(repeated("[")),
  lines: searched(`x${repeated("\n").slice(2)}x`),
  "carriage-returns": searched(`x${repeated("\r").slice(2)}x`),
  hints: searched(repeated("Chain: https://a\n")),
  "long-hint": searched(`Chain: https://${repeated("a").slice(20)}`),
  "zone-lines": searched(`${repeated("_kez.a TXT \n")}`),
  "zone-strings": searched(`_kez.a TXT ${repeated('""').slice(16)}`),
  "zone-spaces": searched(`_kez.a ${repeated(" ").slice(16)}x`),
  "zone-owner": searched(`_kez.${repeated("a").slice(16)}`),
  "json-open": searched(repeated('{"a":')),
  "chain-lines": () => () => `${parseChain(repeated("x\n", 8 * mebibyte)).length}`,
  "chain-garbage": () => () => `${parseChain(repeated("{}\n", 30_000)).length}`,
  siblings: chain(() => siblings(19_990)),
  "junk-siblings": () => {
    const events = junkSiblings(19_990)
    return () => {
      const before = signatureCheckCount()
      const { status, refused } = replayChain(events)
      return `${status}, ${refused.length} refused, ${signatureCheckCount() - before} checked`
    }
  },
  "nested-forks": chain(() => nestedForks(6_000)),
  "rotated-forks": chain(() => rotatedForks(2_000)),
  "settled-forks": chain(() => settledForks(3_000)),
  "device-line": chain(() => deviceLine(2_500, 3_900)),
  "many-candidates": () => {
    const events = nestedForks(2_000)
    const claims = Array.from({ length: 400 }, (_, i) =>
      encodeProof(claimOf(`github:c${i}`, keyNamed("owner")), "json"),
    )
    const input = question(published(...claims), { chains: [store(events)] })
    verifyClaim(input)
    return () => `${verifyClaim(input).status}`
  },
}

const prepare = cases[process.argv[2] ?? ""]
if (prepare === undefined) console.log(Object.keys(cases).join(" "))
else {
  decodeProof(encodeProof(claimOf("dns:a.example", keyNamed("alice")), "compact")) // the code that is used is loaded
  const run = prepare()
  globalThis.gc?.()
  const before = process.memoryUsage().rss
  process.stdout.write("ready\n")
  const outcome = outcomeOf(run)
  const growthMiB = Math.round((process.memoryUsage().rss - before) / mebibyte)
  console.log(JSON.stringify({ outcome, growthMiB }))
}

function outcomeOf(run: () => string): string {
  try {
    return run()
  } catch (error) {
    return error instanceof KezError ? error.code : `${error}`
  }
}
