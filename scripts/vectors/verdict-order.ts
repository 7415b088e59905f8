/** What comes first of several things that a chain says, and the chain that these cases are about: part of vectors/verdicts.json. SPEC §6. */
import { type Claim, formatEnvelope, replayChain, signHead } from "@kez/core"
import { ChainBuilder } from "./chain-builder.ts"
import { alice, laptop, mallory, nextKey, phone, start } from "./keys.ts"
import type { VectorCase } from "./vector-file.ts"
import { caseOf, type Source, subject } from "./verdict-case.ts"

/** A digest that no event has. */
export const unknown = `sha256:${"00".repeat(32)}`

/** Branches of one chain, by name. */
export async function chainOfAlice(): Promise<ChainBuilder> {
  const c = new ChainBuilder(alice.key)
  await c.addDevice("0", undefined, phone, alice)
  await c.add("1", "0", { signer: phone, op: "add", payload: { subject } })
  await c.add("2", "1", { signer: alice, op: "add_device", payload: { key: laptop.key }, newKey: laptop })
  await c.add("forged", "1", { signer: mallory, op: "add", payload: { subject } })
  await c.rotate("rotate", "1", nextKey, alice)
  await c.rotate("rotate0", "0", nextKey, alice)
  await c.add("gone", "0", { signer: alice, op: "revoke", payload: { subject } })
  await c.add("x", "0", { signer: alice, op: "add", payload: { subject } })
  await c.add("y", "0", { signer: alice, op: "revoke_device", payload: { keys: [laptop.key] } })
  await c.add("x1", "x", { signer: alice, op: "revoke_device", payload: { keys: [laptop.key] } })
  await c.add("x2", "x", { signer: alice, op: "add", payload: { subject, subject_id: "id-1" } })
  return c
}

/** What comes first of several things that the chain says, and what a head says beside them. [VER-2] [HEAD-2] */
export async function order(claim: Claim): Promise<readonly VectorCase[]> {
  const text = formatEnvelope(claim)
  const c = await chainOfAlice()
  const serves = (...names: string[]): Source => ({ events: c.pick(...names) })
  const at = { now: start, lifetimeSeconds: 7 * 86_400 }
  const beyond = await signHead(replayChain(c.pick("0", "1", "2")), at, alice)
  const end = await signHead(replayChain(c.pick("0", "1")), at, alice)
  const prefix = await signHead(replayChain(c.pick("0")), at, alice)
  const mark = { chain: c.digest("0"), seq: 3, digest: unknown, primaries: [alice.key] }
  return [
    caseOf(
      "order-rollback",
      "of the chain the first is chain.rollback",
      { found: [text], requireFresh: true, marks: [mark], chains: [{ ...serves("0", "1"), heads: [beyond] }] },
      ["unreachable", "chain.rollback", "rollback", "stale"],
    ),
    caseOf(
      "order-withheld",
      "then chain.withheld, then chain.stale",
      { found: [text], requireFresh: true, chains: [{ ...serves("0", "1"), heads: [beyond] }] },
      ["unreachable", "chain.withheld", "stale"],
    ),
    caseOf(
      "head-live-and-beyond",
      "one head names the end, another more: the status tells",
      { found: [text], chains: [{ ...serves("0", "1"), heads: [end, beyond] }] },
      ["unreachable", "chain.withheld"],
    ),
    caseOf(
      "head-live-at-fork",
      "a head names the last event before a split that nothing decides",
      { found: [text], chains: [{ ...serves("0", "x", "y"), heads: [prefix] }] },
      ["fork", "chain.fork", "unlisted"],
    ),
    caseOf(
      "number-without-proof",
      "the account's number says nothing where no proof was seen",
      { found: [], accountId: "id-2", primary: alice.key, seen: { accountId: "id-1", primary: alice.key }, chains: [] },
      ["invalid", "proof.not_found", "no_chain"],
    ),
  ]
}
