/** Every case of vectors/, run against this implementation. */
import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import {
  assertContinues,
  assertSignature,
  type ChainPosition,
  type ChainReplay,
  type Code,
  canonicalize,
  decodeEnvelope,
  decodeProof,
  decodeText,
  findProofs,
  formatHex,
  formatIdentity,
  KezError,
  type Kind,
  keyOfSecret,
  limits,
  parseChain,
  parseClaimTime,
  parseIdentity,
  parseJson,
  parseTime,
  replayChain,
  type SigchainEvent,
  sha256,
  tryParseHex,
  type VerifyInput,
  verifyClaim,
  verifyEd25519,
  verifySchnorr,
} from "../src/index.ts"
import { parseWords } from "../src/mnemonic.ts"

const folder = join(import.meta.dirname, "..", "..", "..", "vectors")

interface Case {
  readonly id: string
  readonly why: string
  readonly text?: string
  readonly hex?: string
  readonly code?: Code
}

const bytesOf = (hex: string) => tryParseHex(hex, hex.length / 2) ?? assert.fail("the vector is not hex")
const inputOf = ({ text, hex }: Case) => text ?? bytesOf(hex ?? "")

/** One runner for each file: throws when the case does not come out as it says. */
const runners: Readonly<Record<string, (data: never) => void>> = {
  "identities.json": (c: Case & { text: string; expect?: string }) =>
    expectOf(c, () => formatIdentity(parseIdentity(c.text)), c.expect),
  "json.json": (c: Case) =>
    expectOf(c, () => done(parseJson(decodeText(inputOf(c), limits.maxEnvelopeTextBytes))), "ok"),
  "canonical-json.json": (c: Case & { value: unknown; expect: string }) => {
    assert.equal(canonicalize(c.value), c.expect)
    assert.equal(canonicalize(JSON.parse(c.expect)), c.expect)
  },
  "times.json": (c: Case & { text: string; strict: number | Code; claim: number | Code }) => {
    assert.equal(
      outcome(() => parseTime(c.text)),
      c.strict,
    )
    assert.equal(
      outcome(() => parseClaimTime(c.text)),
      c.claim,
    )
  },
  "ed25519.json": (c: SignatureCase) =>
    assert.equal(verifyEd25519(bytesOf(c.signature), bytesOf(c.message), bytesOf(c.key)), c.expect),
  "schnorr.json": (c: SignatureCase) =>
    assert.equal(verifySchnorr(bytesOf(c.signature), sha256(bytesOf(c.message)), bytesOf(c.key)), c.expect),
  "envelopes.json": (c: Case & { text: string; kind: Kind }) =>
    expectOf(c, () => done(assertSignature(decodeEnvelope(c.text, c.kind))), "ok"),
  "encodings.json": (c: Case & { text: string; expect?: string; host?: string; hints?: readonly string[] }) => {
    const proof = () => decodeProof(c.text)
    expectOf(c, () => ((p) => (p.kind === "claim" ? p.digest : p.reference.chain))(proof()), c.expect)
    if (c.host !== undefined) assert.equal(((p) => (p.kind === "reference" ? p.reference.host : ""))(proof()), c.host)
    if (c.hints !== undefined) assert.deepEqual(findProofs(c.text).hints, c.hints)
  },
  "chain-documents.json": (c: Case & { expect?: number }) => expectOf(c, () => parseChain(inputOf(c)).length, c.expect),
  "sigchain-link.json": (c: Case & { head: ChainPosition; next: { seq: number; prev?: string }; expect: string }) =>
    assert.equal(
      outcome(() => done(assertContinues(c.head, c.next))),
      c.expect,
    ),
  "sigchain-replay.json": (c: Case & { events: readonly string[]; expect: ReplayState | null }) => {
    const events = c.events.map((text) => decodeEnvelope(text, "sigchain_event"))
    if (c.expect === null) {
      assert.equal(
        outcome(() => replayChain(events)),
        "chain.genesis",
      )
      return
    }
    const replay = replayChain(events)
    assert.deepEqual(
      replay.refused.map(({ code }) => code),
      c.code === undefined ? [] : [c.code],
    )
    assert.deepEqual(stateOf(replay), c.expect)
  },
  "sigchain-forks.json": (c: Case & { events: readonly string[]; expect: ForkState }) => {
    const events = c.events.map((text) => decodeEnvelope(text, "sigchain_event"))
    for (const order of [events, events.toReversed(), rotated(events, 2), rotated(events.toReversed(), 1)]) {
      assert.deepEqual(forkStateOf(replayChain(order), c.expect), c.expect)
    }
  },
  "verdicts.json": (
    c: Case & { input: VerdictVector; expect: { status: string; reason: string | null; flags: string[] } },
  ) => {
    const { status, reason, flags } = verifyClaim(verifyInput(c.input))
    assert.deepEqual({ status, reason: reason ?? null, flags: flags.toSorted() }, c.expect)
  },
  "mnemonics.json": (c: Case & { words: string; expect?: string; ed25519?: string }) => {
    expectOf(c, () => formatHex(parseWords(c.words).secret), c.expect)
    if (c.ed25519 !== undefined) assert.equal(keyOfSecret("ed25519", parseWords(c.words).secret), c.ed25519)
  },
}

interface SignatureCase extends Case {
  readonly key: string
  readonly message: string
  readonly signature: string
  readonly expect: boolean
}

interface ReplayState {
  readonly head: number
  readonly primary: string
  readonly devices: readonly string[]
  readonly subjects: Readonly<Record<string, string>>
  readonly next: string | null
}

function stateOf({ head, state }: ChainReplay): ReplayState {
  return {
    devices: state.devices.map(({ key }) => key),
    subjects: Object.fromEntries([...state.subjects.values()].map(({ subject, status }) => [subject, status])),
    next: state.next ?? null,
    head: head.seq,
    primary: state.primary,
  }
}

interface ForkState {
  readonly status: string
  readonly contested: boolean
  readonly head: string
  readonly devices: readonly string[]
  readonly suspended: readonly string[]
  readonly revoked: readonly string[]
  /** Ranks of some successors, by digest. */
  readonly ranks: Readonly<Record<string, string>>
}

function forkStateOf({ status, contested, head, state, splits }: ChainReplay, expected: ForkState): ForkState {
  const ranks = new Map(splits.flatMap(({ successors }) => successors.map(({ digest, rank }) => [digest, rank])))
  return {
    suspended: state.devices.filter(({ suspended }) => suspended).map(({ key }) => key),
    revoked: [...state.subjects.values()].filter((entry) => entry.status === "revoked").map(({ subject }) => subject),
    status,
    contested,
    devices: state.devices.map(({ key }) => key),
    head: head.digest,
    ranks: Object.fromEntries(Object.keys(expected.ranks).map((digest) => [digest, ranks.get(digest) ?? "none"])),
  }
}

interface VerdictVector extends Omit<VerifyInput, "chains"> {
  readonly chains: readonly (Omit<VerifyInput["chains"][number], "events" | "heads"> & {
    readonly events?: readonly string[]
    readonly heads?: readonly string[]
  })[]
}

function verifyInput({ chains, ...rest }: VerdictVector): VerifyInput {
  return {
    ...rest,
    chains: chains.map(({ events = [], heads = [], ...source }) => ({
      ...source,
      events: events.map((text): SigchainEvent => decodeEnvelope(text, "sigchain_event")),
      heads: heads.map((text) => decodeEnvelope(text, "chain_head")),
    })),
  }
}

function rotated<T>(list: readonly T[], by: number): readonly T[] {
  return [...list.slice(by), ...list.slice(0, by)]
}

/** Whatever came out, it was accepted. */
function done(_: unknown): string {
  return "ok"
}

function outcome<T>(run: () => T): T | Code {
  try {
    return run()
  } catch (error) {
    if (error instanceof KezError) return error.code
    throw error
  }
}

function expectOf<T>(c: Case, run: () => T, expected: T | undefined): void {
  assert.equal(outcome(run), c.code ?? expected)
}

// channel-*.json are run where the channels are.
for (const name of readdirSync(folder)
  .toSorted()
  .filter((file) => !file.startsWith("channel-"))) {
  const run = runners[name]
  const { cases }: { readonly cases: readonly Case[] } = JSON.parse(readFileSync(join(folder, name), "utf8"))
  test(`vectors/${name} has a runner, and cases`, () => assert.ok(run !== undefined && cases.length > 0))
  for (const c of cases) test(`${name} ${c.id}: ${c.why}`, () => run?.(c as never))
}
