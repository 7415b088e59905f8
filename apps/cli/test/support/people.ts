/** People with keys, chains and stores for unit tests. Anybody can sign with these keys. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  appendEvent,
  type ChainReplay,
  createSigner,
  type Operation,
  replayChain,
  type SigchainEvent,
  type Signer,
} from "@kez/core"
import type { Context } from "../../src/context.ts"

/** 2026-01-01T00:00:00Z in Unix seconds: "now" of most tests. */
export const now = 1_767_225_600

/** The same key for the same number, in every test. */
export function signerOf(number: number): Signer {
  return createSigner("ed25519", new Uint8Array(32).fill(number))
}

/** A new chain, or `chain` with more events, each signed by the same key. */
export async function grow(
  chain: ChainReplay | undefined,
  signer: Signer,
  ...operations: readonly Operation[]
): Promise<ChainReplay> {
  let grown = chain
  for (const operation of operations) grown = (await appendEvent({ chain: grown, operation, now }, signer)).replay
  if (grown === undefined) throw new Error("a chain needs an operation")
  return grown
}

export function add(subject: string): Operation {
  return { op: "add", subject }
}

/** The first `count` events as a chain of their own. */
export function startOf(chain: ChainReplay, count: number): ChainReplay {
  return replayChain(chain.path.slice(0, count))
}

export function eventsOf(...chains: readonly ChainReplay[]): readonly SigchainEvent[] {
  return chains.flatMap((chain) => chain.path)
}

/** A folder that goes away after the test. */
export function temporaryDir(t: { after(clean: () => void): void }): string {
  const dir = mkdtempSync(join(tmpdir(), "kez-test-"))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** What the code under test takes from a context: where the store and the cache are, and the time. */
export function contextAt(dir: string, time = now): Context {
  return { paths: { database: join(dir, "kez.db"), cache: join(dir, "cache") }, now: () => time } as Context
}
