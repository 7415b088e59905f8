/** Public vectors of others, through the line protocol, in both implementations. KEZ_PUBLIC_VECTORS names their folder. */
import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { JudgeCase, Outcome } from "../../packages/core/test/support/judge.ts"
import {
  bip340,
  bip340Path,
  readVectorText,
  wycheproof,
  wycheproofPath,
} from "../../packages/core/test/support/public-vectors.ts"
import { publicVectors } from "../../test/support/vectors.ts"
import type { Scenario } from "./scenario.ts"

/** A case, and what must come out where the vectors say so; without it both only have to agree. */
interface Asked {
  readonly suite: string
  readonly case: JudgeCase
  readonly about: string
  readonly expected?: (outcome: Outcome) => void
}

interface PublicSet {
  readonly name: string
  readonly path: string
  readonly cases: () => readonly Asked[]
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
const is = (expected: Outcome) => (outcome: Outcome) => assert.deepEqual(outcome, expected)
const isRefused = (outcome: Outcome) => assert.ok("code" in outcome, JSON.stringify(outcome))

const sets: readonly PublicSet[] = [
  {
    name: "Wycheproof, Ed25519",
    path: wycheproofPath,
    cases: () =>
      wycheproof().map(({ id, publicKey, message, signature, valid }) => ({
        suite: "ed25519",
        about: id,
        case: { key: hex(publicKey), message: hex(message), signature: hex(signature) },
        expected: is({ ok: valid }),
      })),
  },
  {
    name: "BIP-340",
    path: bip340Path,
    cases: () =>
      bip340().map(({ id, publicKey, message, signature, valid }) => ({
        suite: "schnorr",
        about: id,
        case: { key: hex(publicKey), digest: hex(message), signature: hex(signature) },
        expected: is({ ok: valid }),
      })),
  },
  {
    name: "BIP-39, English",
    path: "bip-0039/vectors.json",
    cases: () =>
      english().map(([entropy, words]) => ({
        suite: "mnemonics",
        about: words,
        case: { words },
        expected: (outcome) => {
          const secret = (outcome["ok"] as { readonly secret?: string } | undefined)?.secret
          if (entropy.length === 48) assert.deepEqual(outcome, { code: "mnemonic.length" })
          else if (entropy.length === 64) assert.equal(secret, entropy)
          else assert.equal(secret?.length, 64)
        },
      })),
  },
  {
    name: "RFC 8785",
    path: "rfc8785/input",
    cases: () =>
      filesIn("rfc8785/input").map((name) => ({
        suite: "canonical-json",
        about: name,
        case: { value: JSON.parse(readVectorText(`rfc8785/input/${name}`)) },
        expected: is({ ok: readVectorText(`rfc8785/output/${name}`).trimEnd() }),
      })),
  },
  {
    name: "JSONTestSuite",
    path: "json-test-suite/test_parsing",
    cases: () =>
      filesIn("json-test-suite/test_parsing").map((name) => ({
        suite: "json",
        about: name,
        case: { hex: hex(readFileSync(publicVectors(`json-test-suite/test_parsing/${name}`) ?? "")) },
        ...(name.startsWith("n_") ? { expected: isRefused } : {}),
      })),
  },
  { name: "naughty strings", path: "naughty-strings/blns.json", cases: () => naughty().flatMap(naughtyCases) },
]

function naughtyCases(text: string): readonly Asked[] {
  const about = JSON.stringify(text)
  return [
    { suite: "identities", about, case: { text } },
    { suite: "identities", about, case: { text: `github:${text}` } },
    { suite: "identities", about, case: { text: `ap:${text}@social.example` } },
    { suite: "json", about, case: { text: JSON.stringify({ [text]: text }) } },
    { suite: "canonical-json", about, case: { value: { [text]: [text] } } },
    { suite: "encodings", about, case: { text } },
    { suite: "times", about, case: { text } },
    { suite: "mnemonics", about, case: { words: text } },
  ]
}

function english(): readonly (readonly [entropy: string, words: string])[] {
  return JSON.parse(readVectorText("bip-0039/vectors.json")).english
}

function naughty(): readonly string[] {
  const strings: readonly string[] = JSON.parse(readVectorText("naughty-strings/blns.json"))
  return strings.filter((text) => text.isWellFormed())
}

function filesIn(path: string): readonly string[] {
  return readdirSync(publicVectors(path) ?? "").toSorted()
}

export const publicSetPaths: readonly string[] = sets.map(({ path }) => path)

/** One scenario for each set; it says where its vectors are missing. */
export const publicSets: readonly Scenario[] = sets.map(({ name, path, cases }) => ({
  name: `public vectors: ${name}`,
  ...(publicVectors(path) === undefined ? { missing: join("$KEZ_PUBLIC_VECTORS", path) } : {}),
  run: (world) => ask(cases(), world),
}))

async function ask(cases: readonly Asked[], { peers, show }: Parameters<Scenario["run"]>[0]): Promise<void> {
  const answers = await Promise.all(
    peers.map((peer) => peer.ask(cases.map(({ suite, case: c }) => ({ suite, case: c })))),
  )
  for (const [i, { about, expected }] of cases.entries()) {
    const [mine, theirs] = [answers[0]?.[i] ?? {}, answers[1]?.[i] ?? {}]
    assert.deepEqual(theirs, mine, about)
    assert.ok(!("crash" in mine), `${about}: ${JSON.stringify(mine)}`)
    expected?.(mine)
  }
  show(`${cases.length} cases`)
}
