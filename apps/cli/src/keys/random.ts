/** Randomness for keys, from the system, with a check for a generator that is plainly broken. */
import { randomBytes } from "node:crypto"
import { type KeySystem, KezError, keyOfSecret } from "@kez/core"
import { secretOfEntropy } from "@kez/core/mnemonic"
import type { KeyMaterial } from "./key-text.ts"

export type RandomSource = (size: number) => Uint8Array

/**
 * Random bytes; throws `key.weak` where the source repeats itself or returns one byte over and over.
 * No check can prove randomness; these two failures have been seen in virtual machines and sandboxes.
 */
export function drawRandom(size: number, source: RandomSource = randomBytes): Uint8Array {
  const drawn = draw(source, size)
  const control = draw(source, size)
  const isConstant = drawn.every((byte) => byte === drawn[0])
  if (isConstant || Buffer.compare(drawn, control) === 0) throw weak()
  return drawn
}

/** A new key from 12 or 24 words' worth of randomness. */
export function drawKey(
  system: KeySystem,
  words: 12 | 24,
  source?: RandomSource,
): { readonly key: KeyMaterial; readonly entropy: Uint8Array } {
  for (;;) {
    const entropy = drawRandom(words === 12 ? 16 : 32, source)
    const key = { system, entropy, secret: secretOfEntropy(entropy) }
    if (isInRange(key)) return { key, entropy }
  }
}

/** Of 2^128 nostr secrets about one is out of range, and is drawn again. [MNEM-2] */
function isInRange({ system, secret }: KeyMaterial): boolean {
  try {
    keyOfSecret(system, secret)
    return true
  } catch {
    return false
  }
}

function draw(source: RandomSource, size: number): Uint8Array {
  let bytes: Uint8Array
  try {
    bytes = source(size)
  } catch (cause) {
    throw weak(cause)
  }
  if (bytes.length !== size) throw weak()
  return bytes
}

function weak(cause?: unknown): KezError {
  return new KezError("key.weak", "Cannot make a key: the random numbers of this computer are not random", {
    cause,
    hint: "Nothing was made. Make your identity on another computer.",
  })
}
