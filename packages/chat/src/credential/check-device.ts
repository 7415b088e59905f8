/** The check behind every leaf: the credential binds the leaf's key, and the member's chain lists that device. */
import { type Digest, KezError } from "@kez/core"
import type { Credential, LeafNode } from "ts-mls"
import { equalBytes } from "../bytes.ts"
import { type Chains, chainOf, type DeviceStanding, standingAt, standingNow } from "../chains.ts"
import { type DeviceCredential, decodeCredential, timeFaultOfCredential } from "./device-credential.ts"

/** At which heads and which time a leaf is judged. */
export interface JudgedAt {
  readonly chains: Chains
  /** The named head of a chain, or undefined: then everything known counts. */
  readonly head: (chain: Digest) => Digest | undefined
  /** Unix seconds; undefined for a leaf that is in the tree already: an expired credential there is renewed, not thrown out. */
  readonly at: number | undefined
}

type LeafKey = Pick<LeafNode, "credential" | "signaturePublicKey">

const decoded = new WeakMap<Credential, DeviceCredential>()

/** The credential of a leaf, bound to the leaf's own key. */
export function credentialOf({ credential, signaturePublicKey }: LeafKey): DeviceCredential {
  const known = decoded.get(credential)
  const read = known ?? readLeaf(credential)
  // The server could put its own key behind Bob's credential.
  if (!equalBytes(read.mlsKey, signaturePublicKey)) throw fault("the credential is for another MLS key")
  if (known === undefined) decoded.set(credential, read)
  return read
}

/** Throws `chat.credential` (or why the credential cannot be read, or `chain.unknown`) unless the device counts at that place. */
export function assertDevice(leaf: LeafKey, { chains, head, at }: JudgedAt): DeviceCredential {
  const credential = credentialOf(leaf)
  const replay = chainOf(chains, credential.chain)
  const named = head(credential.chain)
  const standing =
    named === undefined ? standingNow(replay, credential.device) : standingAt(replay, named, credential.device)
  if (standing !== "current") throw standingFault(standing)
  const late = at === undefined ? undefined : timeFaultOfCredential(credential, at)
  if (late !== undefined) throw late
  return credential
}

export function standingFault(standing: Exclude<DeviceStanding, "current">): KezError {
  switch (standing) {
    case "unknown":
      return fault(
        "its sigchain never listed it",
        "Nobody vouches for this device. Do not write to it; tell the member.",
      )
    case "revoked":
      return fault("its sigchain revoked it", "Remove it from the conversation.")
    case "suspended":
      return fault(
        "a revocation on another branch of its sigchain suspends it",
        "Its owner settles the fork: kez sigchain settle.",
      )
  }
}

function readLeaf(credential: Credential): DeviceCredential {
  if (credential.credentialType !== "basic") throw fault("it has no KEZ credential")
  return decodeCredential(credential.identity)
}

function fault(found: string, hint?: string): KezError {
  return new KezError("chat.credential", `Cannot accept the device: ${found}`, hint === undefined ? {} : { hint })
}
