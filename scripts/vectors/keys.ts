/** The keys of the vectors. For tests only: anybody can sign with them. */
import { createSigner, type KeySystem, type Signer } from "@kez/core"

/** A signer whose 32-byte secret is one byte repeated. */
export function testSigner(byte: number, system: KeySystem = "ed25519"): Signer {
  return createSigner(system, new Uint8Array(32).fill(byte))
}

export const alice = testSigner(0x42)
export const aliceNostr = testSigner(0x42, "nostr")
export const nextKey = testSigner(0x43)
export const thirdKey = testSigner(0x44)
export const phone = testSigner(0x01)
export const laptop = testSigner(0x02)
export const tablet = testSigner(0x03)
export const thiefDevice = testSigner(0x66)
export const mallory = testSigner(0x4d)

/** 2026-01-01T00:00:00Z */
export const start = 1_767_225_600
