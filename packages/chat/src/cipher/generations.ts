/**
 * Generations of the secret tree: each encrypts one message, and is never used again. A journal of them is written before a message
 * goes out, so that a state restored after a crash goes on behind what was used. RFC 9420 §9
 */
import { KezError } from "@kez/core"
import type { GroupState, SecretTree } from "ts-mls"
import { ratchetToGeneration } from "ts-mls/secretTree.js"
import { leafToNodeIndex, toLeafIndex } from "ts-mls/treemath.js"
import { ByteReader, joinBytes, uintBytes } from "../bytes.ts"
import { maxSkippedMessages } from "../limits.ts"
import { noLeaf } from "./mls-config.ts"
import { suite } from "./suite.ts"

export interface UsedGeneration {
  readonly epoch: number
  /** The leaf whose generation it is: our own for what we sent. */
  readonly leaf: number
  readonly generation: number
  readonly use: "application" | "handshake"
}

const entryVersion = 1
const entryBytes = 18
const contentTypes = { application: "application", handshake: "commit" } as const

export function encodeUsedGeneration({ epoch, leaf, generation, use }: UsedGeneration): Uint8Array {
  const kind = use === "application" ? 1 : 2
  return joinBytes(Uint8Array.of(entryVersion, kind), uintBytes(epoch, 8), uintBytes(leaf, 4), uintBytes(generation, 4))
}

export function decodeUsedGeneration(bytes: Uint8Array): UsedGeneration {
  if (bytes.length !== entryBytes || bytes[0] !== entryVersion || (bytes[1] !== 1 && bytes[1] !== 2)) {
    throw corrupt("something else than generations")
  }
  const reader = new ByteReader(bytes.subarray(2), "the journal of a conversation")
  const used = { epoch: reader.uint(8), leaf: reader.uint(4), generation: reader.uint(4) }
  return { ...used, use: bytes[1] === 1 ? "application" : "handshake" }
}

/** The number of the next generation of a leaf. */
export function nextGeneration(tree: SecretTree, leaf: number, use: UsedGeneration["use"]): number {
  return tree[leafToNodeIndex(toLeafIndex(leaf))]?.[use].generation ?? 0
}

/** `used`: it encrypted a message that we have opened already. `far`: further ahead than we go. */
export function standingOfGeneration(tree: SecretTree, leaf: number, generation: number): "open" | "used" | "far" {
  const node = tree[leafToNodeIndex(toLeafIndex(leaf))]?.application
  if (node === undefined) return "far"
  if (generation < node.generation) return node.unusedGenerations[generation] === undefined ? "used" : "open"
  return generation - node.generation > maxSkippedMessages ? "far" : "open"
}

/** The tree after a generation was used. One that is used already changes nothing. */
export async function withUsed(tree: SecretTree, used: Omit<UsedGeneration, "epoch">): Promise<SecretTree> {
  const { leaf, generation, use } = used
  const node = tree[leafToNodeIndex(toLeafIndex(leaf))]?.[use]
  if (node === undefined) throw corrupt("a leaf that is not there")
  if (generation < node.generation && node.unusedGenerations[generation] === undefined) return tree
  if (generation - node.generation > maxSkippedMessages) throw corrupt("a generation too far ahead")
  const data = { leafIndex: toLeafIndex(leaf), generation, reuseGuard: new Uint8Array(4) }
  const { keyRetentionConfig } = noLeaf.config
  const { newTree } = await ratchetToGeneration(tree, data as never, contentTypes[use], keyRetentionConfig, suite)
  return newTree
}

/** The state after what the journal says was used since it was saved. Entries of epochs that are gone have no effect. */
export async function withJournal(state: GroupState, journal: readonly UsedGeneration[]): Promise<GroupState> {
  let now = state
  for (const used of journal) now = await withEntry(now, used)
  return now
}

async function withEntry(state: GroupState, used: UsedGeneration): Promise<GroupState> {
  const epoch = BigInt(used.epoch)
  if (epoch === state.groupContext.epoch) return { ...state, secretTree: await withUsed(state.secretTree, used) }
  const past = state.historicalReceiverData.get(epoch)
  if (past === undefined) return state
  const secretTree = await withUsed(past.secretTree, used)
  return { ...state, historicalReceiverData: new Map(state.historicalReceiverData).set(epoch, { ...past, secretTree }) }
}

function corrupt(found: string): KezError {
  return new KezError("store.corrupt", `Cannot restore the conversation: its journal names ${found}`, {
    hint: "Join again with this device: another member or your own other device lets it in.",
  })
}
