/**
 * G4 over HTTP: every case of vectors/ is posted to a real kez-sig-server, on SQLite and on PostgreSQL, one after the other, and to a
 * ChainService in this process. Answers, codes and what is served have to be the same; that the service says what the library says is shown by
 * apps/sig-server/test/chain-cases.test.ts.
 */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, suite, test } from "node:test"
import { createChainService } from "../../apps/sig-server/src/chains/service.ts"
import { codeOf } from "../../apps/sig-server/test/support/asking.ts"
import { createMemoryStorage } from "../../apps/sig-server/test/support/memory-storage.ts"
import { codes, decodeEnvelope, envelopeDigest, formatChain, KezError, limits } from "../../packages/core/src/index.ts"
import { add } from "../../packages/core/test/support/chains.ts"
import { keyNamed, sealedText } from "../../packages/core/test/support/keys.ts"
import type { Cleaner } from "../support/person.ts"
import { postgresMissing, startPostgres } from "../support/postgres.ts"
import { type SigServer, startSigServer } from "../support/sig-server.ts"

interface Case {
  readonly id: string
  readonly why: string
  readonly code?: string
  readonly text?: string
  readonly hex?: string
  readonly events?: readonly string[]
}

const unlimited = ["chain", "ip", "genesis"].flatMap((name) => [`--${name}-burst`, "0"])
const nobody = `sha256:${"0".repeat(64)}`
const now = () => Math.floor(Date.now() / 1_000)

function casesOf(file: string): readonly Case[] {
  const { cases }: { readonly cases: readonly Case[] } = JSON.parse(
    readFileSync(join(import.meta.dirname, "../../vectors", file), "utf8"),
  )
  return cases
}

const bytesOf = ({ text, hex }: Case): Buffer => (hex === undefined ? Buffer.from(text ?? "") : Buffer.from(hex, "hex"))

/** Each line as it stands; what has no LF at its end too. */
function linesOf(bytes: Buffer): readonly Buffer[] {
  const texts = bytes.toString("latin1").split("\n")
  return (texts.at(-1) === "" ? texts.slice(0, -1) : texts).map((text) => Buffer.from(text, "latin1"))
}

function chainOf(first: Uint8Array | undefined): string {
  try {
    return envelopeDigest(decodeEnvelope(first ?? "", "sigchain_event"))
  } catch (error) {
    if (error instanceof KezError) return nobody
    throw error
  }
}

type Env = Readonly<Record<string, string>>

async function ownDatabase({ after: afterwards }: Cleaner): Promise<Env> {
  const postgres = await startPostgres()
  afterwards(() => postgres.close())
  return { KEZ_SIG_DATABASE_URL: await postgres.createDatabase() }
}

suite("G4 the store over HTTP gives the codes of the library, SQLite", () => testCodes(async () => ({})))
suite("G4 the store over HTTP gives the codes of the library, PostgreSQL", { skip: postgresMissing }, () =>
  testCodes(ownDatabase),
)

function testCodes(prepare: (cleaner: Cleaner) => Promise<Env>): void {
  // What a hook asks to be done after it is done after the hook.
  const cleaning: (() => void | Promise<void>)[] = []
  const cleaner: Cleaner = { after: (clean) => cleaning.unshift(clean) }
  let server: SigServer
  before(async () => {
    server = await startSigServer(cleaner, { args: unlimited, env: await prepare(cleaner) })
  })
  after(async () => {
    for (const clean of cleaning) await clean()
  })
  const service = createChainService({ storage: createMemoryStorage(), now })
  const seen = new Set<string>()

  /** Undefined where the event was taken, on the winning path or beside it. */
  async function post(chain: string, line: Uint8Array): Promise<string | undefined> {
    const answer = await fetch(`${server.url}/v1/chains/${chain}/events`, {
      method: "POST",
      body: line,
      headers: { "content-type": "application/json" },
    })
    const body = JSON.parse(await answer.text())
    if (answer.ok || body.kept === true) return undefined
    assert.equal(answer.headers.get("content-type")?.startsWith("application/problem+json"), true)
    assert.deepEqual([body.status, body.type], [answer.status, `urn:kez:error:${body.code}`])
    assert.ok(answer.status < 500 && codes.includes(body.code), `${answer.status} ${body.code}`)
    return body.code
  }

  async function postBoth(chain: string, lines: readonly Uint8Array[]): Promise<readonly (string | undefined)[]> {
    seen.add(chain)
    const got: (string | undefined)[] = []
    for (const line of lines) {
      const expected = codeOf(await service.append(chain, line))
      got.push(await post(chain, line))
      assert.equal(got.at(-1), expected)
    }
    return got
  }

  for (const file of ["sigchain-replay.json", "sigchain-forks.json"]) {
    for (const { id, why, events = [] } of casesOf(file)) {
      test(`${file} ${id}: ${why}`, async () => {
        const lines = events.map((text) => Buffer.from(text))
        await postBoth(chainOf(lines[0]), lines)
        await postBoth(chainOf(lines[0]), lines.toReversed())
      })
    }
  }

  for (const one of casesOf("chain-documents.json")) {
    test(`C23 chain-documents ${one.id}: ${one.why}`, async () => {
      const lines = linesOf(bytesOf(one))
      await postBoth(chainOf(lines[0]), lines)
    })
  }

  for (const file of ["envelopes.json", "json.json"]) {
    test(`J S every text of ${file}`, async () => {
      for (const one of casesOf(file)) await postBoth(nobody, [bytesOf(one)])
    })
  }

  test("J11 C23 to C26 what is not one canonical envelope, and events that are not as they should be", async () => {
    const alice = keyNamed("sig cases")
    const first = add(undefined, "dns:alice.example", alice)
    const chain = envelopeDigest(first)
    const line = formatChain([first]).trimEnd()
    const { payload } = add(first, "dns:b.example", alice)
    const { prev: _, ...bare } = payload
    const cases: readonly (readonly [string | Buffer, string | undefined])[] = [
      [`${line} `, "chain.not_canonical"],
      [line.replace("dns:", "dns\\u003a"), "chain.not_canonical"],
      [`${line}\n`, "chain.jsonl"],
      [`${line}\n${line}`, "chain.jsonl"],
      [`${line}\0`, "chain.jsonl"],
      ["", "chain.jsonl"],
      [`\ufeff${line}`, "text.bom"],
      [Buffer.from([0x22, 0xff, 0x22]), "text.utf8"],
      [line.padEnd(limits.maxEnvelopeBytes + 1), "limit.size"],
      ["é".repeat(2_001), "limit.size"],
      ["[".repeat(2_000), "limit.depth"],
      [line, undefined],
      [sealedText("sigchain_event", { ...first.payload, prev: chain }, alice), "chain.genesis"],
      [sealedText("sigchain_event", bare, alice), "chain.genesis"],
      [sealedText("sigchain_event", first.payload, keyNamed("sig thief")), "chain.not_authorised"],
      [sealedText("sigchain_event", { ...payload, op: "forget" }, alice), "event.op"],
      [sealedText("sigchain_event", { ...payload, version: 2 }, alice), "envelope.version"],
      [sealedText("sigchain_event", { ...payload, more: 1 }, alice), "schema.unknown_member"],
      [sealedText("sigchain_event", { ...payload, created_at: "2026-02-30T00:00:00Z" }, alice), "time.syntax"],
    ]
    const got = await postBoth(
      chain,
      cases.map(([text]) => Buffer.from(text)),
    )
    assert.deepEqual(
      got,
      cases.map(([, code]) => code),
    )
  })

  test("what is served afterwards is what the library makes of it, byte for byte", async () => {
    const read = async (path: string) => {
      const answer = await fetch(`${server.url}/v1/chains/${path}`)
      return { status: answer.status, body: await answer.text() }
    }
    let found = 0
    for (const chain of seen) {
      const known = await service.find(chain)
      if (known.status !== "found") {
        assert.equal((await read(chain)).status, 404)
        continue
      }
      found += 1
      assert.equal((await read(chain)).body, formatChain(known.view.replay.path))
    }
    assert.ok(found >= 5, `${found}`)
  })
}
