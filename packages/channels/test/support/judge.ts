/**
 * From a case of the files of vectors/ that are about places to its outcome by this library, as crosstest/PROTOCOL.md writes outcomes: the
 * counterpart of the judges of core, which need no network made of tables.
 */
import assert from "node:assert/strict"
import { createSigner, digestOf, KezError } from "@kez/core"
import { collectChains, createNet, findChannel, type Publication, publishChain } from "../../src/index.ts"
import { streamLimits } from "../../src/limits.ts"
import { readLines } from "../../src/stream-lines.ts"
import { startHttpServer } from "./http-server.ts"
import { type Bytes, bytesOf, type ChunkCase, type HeadCase } from "./stream-cases.ts"
import { createTableNet, type RelayAnswer, type Tables } from "./table-net.ts"
import { createFakeResolver } from "./test-fetch.ts"

/** Of the key whose secret is 32 bytes of 42, as in all vectors. */
const signer = createSigner("nostr", new Uint8Array(32).fill(0x42))
const maxMs = 5_000

export type Outcome = Readonly<Record<string, unknown>>
type Judge = (c: Readonly<Record<string, unknown>>) => Promise<Outcome>

export interface ChannelCase {
  readonly id: string
  readonly why: string
  readonly input: Tables & { readonly value: string; readonly known_account_id?: string; readonly claimed_at?: number }
  readonly expect: Outcome & {
    /** Parts of the sentences for the owner; each stands in one of them. They are each implementation's own. */
    readonly notes?: readonly string[]
  }
}

type ChainInput = { readonly value: string; readonly relays: readonly RelayAnswer[]; readonly text?: string }

const systems = ["ap", "bluesky", "dns", "github", "kez", "nostr"]

/** By suite. The forms of the cases are those of the files. */
export const channelJudges: Readonly<Record<string, Judge>> = {
  ...Object.fromEntries(
    systems.map((system): [string, Judge] => [
      `channel-${system}`,
      async ({ input }) => publicationOutcome(await collect(system, input as ChannelCase["input"])),
    ]),
  ),
  "nostr-chains": ({ input }) => chainOnRelays(input as ChainInput),
  streams: ({ input }) =>
    "chunks" in (input as object) ? linesOf(input as ChunkCase["input"]) : headOf(input as HeadCase["input"]),
}

export function collect(system: string, input: ChannelCase["input"]): Promise<Publication> {
  const { value, known_account_id: knownAccountId, claimed_at: claimedAt, ...tables } = input
  const channel = findChannel(system)
  assert.ok(channel, `no channel for ${system}`)
  return channel.collect(value, createTableNet(tables), {
    signal: AbortSignal.timeout(maxMs),
    knownAccountId,
    claimedAt,
  })
}

/** A publication as vectors write it: without evidence, whose sentences are each implementation's own. */
export function publicationOutcome(publication: Publication): Outcome {
  const { status } = publication
  const code = "code" in publication ? publication.code : null
  if (publication.status === "unreachable" && publication.retryAfterSeconds !== undefined) {
    return { status, code, retry_after_seconds: publication.retryAfterSeconds }
  }
  if (publication.status !== "found") return { status, code }
  const { candidates, chainHints, accountId } = publication
  return {
    status,
    code,
    ...(accountId === undefined ? {} : { account_id: accountId }),
    candidates: candidates.map(({ text, foundAt }) => ({ text, found_at: foundAt })),
    chain_hints: chainHints,
  }
}

/** What is found of a chain, or the one event that every relay is given, without its signature. */
async function chainOnRelays({ value, relays, text }: ChainInput): Promise<Outcome> {
  const net = createTableNet({ relays })
  const signal = AbortSignal.timeout(maxMs)
  if (text === undefined) {
    const { status, documents } = await collectChains(value, net, signal)
    return { status, documents }
  }
  const code = await codeOf(() => publishChain({ npub: value, text, sign: signer.sign }, net, signal))
  if (code !== null) return { code }
  const [event, ...others] = net.given.map((given) => given.event as { readonly sig: string })
  assert.ok(event)
  assert.deepEqual(net.given.map(({ url }) => url).sort(), relays.map(({ url }) => url).sort())
  for (const other of others) assert.deepEqual(other, event)
  const { sig: _, ...signed } = event
  return { event: signed }
}

/** The lines as their digests: some are long. */
async function linesOf({ chunks }: ChunkCase["input"]): Promise<Outcome> {
  let nowMs = 5_000
  async function* arriving() {
    for (const { at_ms, bytes } of chunks) {
      nowMs = 5_000 + at_ms
      yield bytesOf(bytes)
    }
  }
  const lines: string[] = []
  const code = await codeOf(async () => {
    for await (const line of readLines(arriving(), streamLimits, () => nowMs)) lines.push(digestOf(Buffer.from(line)))
  })
  return { lines, code }
}

/** The head comes from a real server: nothing else says what HTTP makes of it. */
async function headOf({ answer }: HeadCase["input"]): Promise<Outcome> {
  const server = await startHttpServer(
    (_, response) => void response.writeHead(answer.status, answer.headers).end("a\n"),
  )
  const resolver = { ...createFakeResolver(["10.0.0.1"]), resolveTxt: () => Promise.reject(new Error("no TXT here")) }
  const net = createNet({ resolver, hosts: { "a.example": server.origin } })
  const options = { signal: AbortSignal.timeout(maxMs), accept: ["text/event-stream"] }
  const code = await codeOf(async () => (await net.openStream("https://a.example/stream", options)).close())
  await server.close()
  return { code }
}

async function codeOf(run: () => Promise<unknown>): Promise<string | null> {
  try {
    await run()
    return null
  } catch (error) {
    if (error instanceof KezError) return error.code
    throw error
  }
}

/** Throws an assertion error unless the outcome is the one that a case of these files expects. */
export function assertChannelOutcome(suite: string, expect: unknown, outcome: Outcome): void {
  const { notes: _, ...expected } = expect as Outcome
  const lines = suite === "streams" ? (expected["lines"] as readonly Bytes[] | undefined) : undefined
  const digests = lines === undefined ? {} : { lines: lines.map((line) => digestOf(bytesOf(line))) }
  assert.deepEqual(outcome, { ...expected, ...digests })
}
