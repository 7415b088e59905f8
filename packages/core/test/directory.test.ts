/** The handle directory as a reader judges it: names, look-ups of a lying server, the owner's own look. SPEC §7.8, adversarial C.7 */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  advance,
  consistencyNeeded,
  type DirectoryKind,
  type DirectoryMemory,
  type DirectoryStatement,
  didKeyOf,
  encodeLeaf,
  isReservedHandle,
  judgeLookUp,
  parseHandle,
  rememberDirectory,
  skeletonOf,
  watchOwnHandle,
} from "../src/directory/index.ts"
import { type Code, envelopeDigest, formatEnvelope, formatTime, isHandle } from "../src/index.ts"
import {
  consistencyRanges,
  createNoteSigner,
  emptyFrontier,
  formatNoteKey,
  formatProofText,
  inclusionRanges,
  joinSubtrees,
  leafHash,
  type NoteSigner,
  type Range,
  signCheckpoint,
  subtreesOf,
} from "../src/tlog/index.ts"
import { now } from "./support/chains.ts"
import { keyNamed, sealed, type TestKey } from "./support/keys.ts"
import { codeOf, refuses } from "./support/throws.ts"

const refusedNames: ReadonlyArray<readonly [id: string, name: string, code: Code]> = [
  ["H1", "\u212Aez", "identity.charset"],
  ["H1", "al\u0131ce", "identity.charset"],
  ["H1", "\uFF41lice", "identity.charset"],
  ["H1", "al\u200Bice", "identity.charset"],
  ["H1", "al ice", "identity.charset"],
  ["H2", "", "identity.syntax"],
  ["H2", "al", "identity.syntax"],
  ["H2", "a".repeat(31), "identity.syntax"],
  ["H2", "a--b", "identity.syntax"],
  ["H2", "a_-b", "identity.syntax"],
  ["H2", "1ab", "identity.syntax"],
  ["H2", "ab-", "identity.syntax"],
  ["H2", "@@alice", "identity.syntax"],
  ["H2", "x".repeat(10_000), "limit.size"],
]
for (const [id, name, code] of refusedNames) {
  test(`${id} parseHandle() refuses ${JSON.stringify(name.slice(0, 12))}`, () => refuses(() => parseHandle(name), code))
}

test("H1 parseHandle() folds A-Z and drops one @", () => {
  for (const typed of ["alice", "Alice", "@ALICE"]) assert.equal(parseHandle(typed), "alice")
})

test("H3 reserved names are reserved in every spelling that reads like them", () => {
  for (const name of ["admin", "adm1n", "r00t", "post-master", "kez", "www", "vvww"])
    assert.ok(isReservedHandle(name), name)
  for (const name of ["alice", "adminton", "mike"]) assert.ok(!isReservedHandle(name), name)
  assert.ok(isReservedHandle("ho-use", ["house"]))
})

test("H4 handles that read alike have one skeleton", () => {
  for (const [one, other] of [
    ["rnike", "mike"],
    ["a11ce", "allce"],
    ["bob-1", "bobl"],
    ["vvill", "will"],
    ["j0e5", "joes"],
  ] as const) {
    assert.equal(skeletonOf(one), skeletonOf(other))
  }
  assert.notEqual(skeletonOf("alice"), skeletonOf("alicia"))
})

test("E-6 parseHandle() and skeletonOf() are idempotent, and give what the grammar allows", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."abimnrvwAZ0159-_@ "), maxLength: 33 }), (typed) => {
      if (codeOf(() => parseHandle(typed)) !== undefined) return
      const handle = parseHandle(typed)
      assert.ok(isHandle(handle) && parseHandle(handle) === handle)
      assert.equal(skeletonOf(skeletonOf(handle)), skeletonOf(handle))
    }),
    { numRuns: 5_000 },
  )
})

test("didKeyOf() writes the keys of the did:key specification", () => {
  // The Ed25519 example of the specification.
  const hex = "2e6fcce36701dc791488e0d0b1745cc1e33a4c1c9fcc41c63bd343dbbe0970e6"
  assert.equal(didKeyOf(`ed25519:${hex}`), "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK")
  assert.match(didKeyOf(keyNamed("nostr did", "nostr").key), /^did:key:zQ3s/)
})

const host = "chat.example.org"
const signer = createNoteSigner(`${host}/handles`, new Uint8Array(32).fill(3))
const [alice, mallory] = [keyNamed("alice"), keyNamed("mallory")]
const chainOf = (key: TestKey): string => `sha256:${key.key.slice(-64)}`

function stated(kind: DirectoryKind, handle: string, key: TestKey, more: object = {}): DirectoryStatement {
  const own = {
    handle_registration: { primary: key.key },
    handle_move: { new_handle: "alicia", new_host: "b.example" },
    handle_release: {},
  }[kind]
  const payload = {
    type: `kez.chat.${kind}`,
    version: 1,
    handle,
    host,
    chain: chainOf(key),
    created_at: formatTime(now),
    ...own,
    ...more,
  }
  return sealed(kind, payload as unknown as DirectoryStatement["payload"], key)
}

/** A server's log, which may be any. */
class Log {
  readonly statements: DirectoryStatement[]
  readonly signer: NoteSigner

  constructor(statements: readonly DirectoryStatement[], by: NoteSigner = signer) {
    this.statements = [...statements]
    this.signer = by
  }

  hash({ start, end }: Range): Uint8Array {
    const hashes = this.statements.map((statement) => leafHash(encodeLeaf(statement)))
    const subtree = (from: number, to: number): Uint8Array => {
      const middle = (from + to) / 2
      return to - from === 1
        ? (hashes[from] ?? new Uint8Array())
        : joinSubtrees([subtree(from, middle), subtree(middle, to)])
    }
    return joinSubtrees(
      subtreesOf({ start, end }).map(({ level, index }) => subtree(index * 2 ** level, (index + 1) * 2 ** level)),
    )
  }

  checkpoint(size = this.statements.length): string {
    return signCheckpoint({ origin: this.signer.name, size, root: this.hash({ start: 0, end: size }) }, this.signer)
  }

  consistency(first: number, second = this.statements.length): readonly Uint8Array[] {
    return consistencyRanges(first, second).map((range) => this.hash(range))
  }

  /** The answer about the statement at a place. */
  answer(index: number, changes: object = {}): string {
    const size = this.statements.length
    const statement = this.statements[index]
    if (statement === undefined) throw new Error("no such statement")
    const path = inclusionRanges(index, size).map((range) => this.hash(range))
    const proof = formatProofText({ index, path, checkpoint: this.checkpoint() }).split("\n").slice(0, -1)
    const name = statement.kez === "handle_registration" ? "registration" : "statement"
    const { handle } = statement.payload
    return JSON.stringify({ handle, host, [name]: JSON.parse(formatEnvelope(statement)), proof, ...changes })
  }

  memory(): DirectoryMemory {
    return rememberDirectory(host, formatNoteKey(this.signer), this.checkpoint())
  }
}

const others = ["bert", "cleo", "dora", "emil"].map((name) => stated("handle_registration", name, keyNamed(name)))
const honest = new Log([...others.slice(0, 2), stated("handle_registration", "alice", alice), ...others.slice(2)])
const look = (body: string, memory: DirectoryMemory, consistency: readonly Uint8Array[] = []) =>
  judgeLookUp({ body, handle: "alice", memory, consistency, now })

test("a look-up is accepted with its proof, and remembered", () => {
  const { state, chain, memory } = look(honest.answer(2), honest.memory())
  assert.deepEqual(
    [state, chain, memory.handles],
    ["registered", chainOf(alice), { alice: { chain: chainOf(alice), index: 2 } }],
  )
  assert.deepEqual(JSON.parse(JSON.stringify(memory)), memory)
})

test("a log that grew is accepted with the proof that it did, and the sizes for it are told", () => {
  const memory = new Log(honest.statements.slice(0, 3)).memory()
  const body = honest.answer(2)
  assert.deepEqual(consistencyNeeded(body, memory), { first: 3, second: 5 })
  assert.equal(look(body, memory, honest.consistency(3)).state, "registered")
  refuses(() => look(body, memory), "directory.split")
})

test("H11 another chain for a handle that was seen is refused, though the log has it", () => {
  const { memory } = look(honest.answer(2), honest.memory())
  const lying = new Log([...honest.statements, stated("handle_registration", "alice", mallory)])
  refuses(() => look(lying.answer(5), memory, lying.consistency(5)), "account.changed")
})

test("an older entry of a handle than was seen is refused", () => {
  const log = new Log([...honest.statements, stated("handle_release", "alice", alice)])
  const { memory, state } = look(log.answer(5), log.memory())
  assert.equal(state, "released")
  refuses(() => look(log.answer(2), memory), "directory.rollback")
})

test("a move says where to, and is the owner's word", () => {
  const log = new Log([...honest.statements, stated("handle_move", "alice", alice)])
  const { state, movedTo } = look(log.answer(5), log.memory())
  assert.deepEqual([state, movedTo], ["moved", "alicia@b.example"])
})

test("H13 a proof of another leaf, or of another log, is refused", () => {
  const memory = honest.memory()
  const { proof } = JSON.parse(honest.answer(1))
  refuses(() => look(honest.answer(2, { proof }), memory), "directory.proof")
  refuses(() => look(honest.answer(2, { proof: ["x"] }), memory), "directory.proof")
  const foreign = new Log(honest.statements, createNoteSigner(`${host}/handles`, new Uint8Array(32).fill(4)))
  refuses(() => look(foreign.answer(2), memory), "directory.checkpoint")
})

test("two histories are told: another one of one size, one that does not begin with what was seen, a shorter one", () => {
  const forged = new Log([stated("handle_registration", "alice", mallory), ...others])
  refuses(() => look(forged.answer(0), honest.memory()), "directory.split")
  const longer = new Log([...forged.statements, stated("handle_registration", "fred", keyNamed("fred"))])
  refuses(() => look(longer.answer(0), honest.memory(), longer.consistency(5)), "directory.split")
  const shorter = new Log(honest.statements.slice(0, 3))
  refuses(() => look(shorter.answer(2), honest.memory()), "directory.rollback")
  refuses(() => advance(honest.memory(), { checkpoint: shorter.checkpoint(), consistency: [] }), "directory.rollback")
})

const wrongAnswers: ReadonlyArray<readonly [what: string, body: string, code: Code]> = [
  ["is about another handle", honest.answer(1), "account.id"],
  ["is about another host", honest.answer(2, { host: "evil.example" }), "account.id"],
  ["has a statement for another handle", honest.answer(1, { handle: "alice" }), "account.one_sided"],
  ["has no proof", honest.answer(2, { proof: undefined }), "schema.missing_member"],
  ["has no statement", honest.answer(2, { registration: undefined }), "schema.missing_member"],
  ["has a proof that is a text", honest.answer(2, { proof: "x" }), "schema.type"],
  [
    "has a statement whose signature is another's",
    honest.answer(2, { registration: forgedRegistration() }),
    "signature.invalid",
  ],
  ["is a list", "[]", "schema.type"],
  ["is too long", `"${"x".repeat(20_000)}"`, "limit.size"],
  ["has a claim for a statement", honest.answer(2, { registration: { kez: "claim" } }), "directory.proof"],
]
for (const [what, body, code] of wrongAnswers) {
  test(`an answer that ${what} is refused with ${code}`, () => refuses(() => look(body, honest.memory()), code))
}

function forgedRegistration(): object {
  const own = JSON.parse(formatEnvelope(stated("handle_registration", "alice", alice)))
  const other = JSON.parse(formatEnvelope(stated("handle_registration", "alicia", alice)))
  return { ...own, signature: other.signature }
}

test("a statement from the future is refused", () => {
  const log = new Log([stated("handle_registration", "alice", alice, { created_at: formatTime(now + 301) })])
  refuses(() => look(log.answer(0), log.memory()), "time.future")
})

test("an owner sees every leaf about the own handle, and those that somebody else signed", () => {
  const own = honest.statements[2]
  assert.ok(own !== undefined)
  const known = new Set([envelopeDigest(own)])
  const base = { memory: honest.memory(), handle: "alice", known }
  const first = watchOwnHandle({
    ...base,
    frontier: emptyFrontier,
    leaves: honest.statements.map(encodeLeaf),
    checkpoint: honest.checkpoint(),
  })
  assert.deepEqual([first.own.length, first.strange.length], [1, 0])
  const grown = new Log([
    ...honest.statements,
    stated("handle_registration", "alice", mallory),
    stated("handle_registration", "a11ce", mallory),
    stated("handle_registration", "al1ce", mallory),
  ])
  const leaves = grown.statements.slice(5).map(encodeLeaf)
  const next = watchOwnHandle({ ...base, frontier: first.frontier, leaves, checkpoint: grown.checkpoint() })
  assert.deepEqual(
    next.strange.map(({ index }) => index),
    [5],
  )
  assert.deepEqual(
    next.lookalikes.map(({ statement }) => statement.payload.handle),
    ["a11ce", "al1ce"],
  )
  refuses(
    () =>
      watchOwnHandle({ ...base, frontier: first.frontier, leaves: leaves.slice(1), checkpoint: grown.checkpoint() }),
    "directory.proof",
  )
  refuses(
    () =>
      watchOwnHandle({
        ...base,
        frontier: first.frontier,
        leaves: leaves.toReversed(),
        checkpoint: grown.checkpoint(),
      }),
    "directory.split",
  )
})

test("a key of another host, or that is none, begins no memory", () => {
  refuses(() => rememberDirectory("other.example", formatNoteKey(signer), honest.checkpoint()), "directory.key")
  refuses(() => rememberDirectory(host, "nothing", honest.checkpoint()), "directory.key")
})
