/** Signing whatever it says: what a hostile holder of a key can publish. */
import { canonicalize, digestOf, KezError, suites } from "@kez/core"
import type { TestKey } from "../../packages/core/test/support/keys.ts"
import type { Dice } from "./dice.ts"
import { damagedField } from "./field-damage.ts"
import { keyOf } from "./keys.ts"
import { memberOf, readTree, stringOf, type Tree, treeOf, withMember, write } from "./tree.ts"

export interface Sealed {
  readonly text: string
  readonly digest: string
}

/** The canonical text of an envelope around any payload, and its digest. */
export function seal(kind: string, payload: unknown, by: TestKey): Sealed {
  const signed = canonicalize(payload)
  return assemble(kind, signed, { key: by, sig: by.sign(signed) })
}

/** The same with a signature that does not verify, for a digest of its own. */
export function forge(kind: string, payload: unknown, by: TestKey): Sealed {
  const signed = canonicalize(payload)
  return assemble(kind, signed, { key: by, sig: by.sign(`${signed} `) })
}

function assemble(kind: string, signed: string, { key, sig }: { readonly key: TestKey; readonly sig: string }): Sealed {
  const signature = `{"alg":"${suites[key.system].alg}","key":"${key.key}","sig":"${sig}"}`
  const text = `{"kez":${JSON.stringify(kind)},"payload":${signed},"signature":${signature}}`
  return { text, digest: digestOf(text) }
}

/** Hex of the proof of possession that an event payload asks of `key`, whatever it says. */
export function popFor(payload: object, key: TestKey, role: "device" | "primary"): string {
  return key.sign(
    canonicalize({ type: "kez.pop", version: 1, role, key: key.key, event: digestOf(canonicalize(payload)) }),
  )
}

/**
 * An envelope with one fault in a field. Mostly it is signed again, by the key that it names and with the proof of possession that it
 * then needs, so that the checks behind the signature are reached.
 */
export function damagedEnvelope(dice: Dice, text: string): string {
  const tree = treeOf(JSON.parse(text))
  const payload = memberOf(tree, "payload")
  if (payload === undefined || dice.chance(25)) return write(damagedField(dice, tree))
  const damaged = withMember(tree, "payload", damagedField(dice, payload))
  return dice.chance(75) ? resigned(damaged) : write(damaged)
}

/** The envelope signed again as it is now; as it stands where it cannot be signed. */
export function resigned(tree: Tree): string {
  const key = keyOf(stringOf(memberOf(memberOf(tree, "signature") ?? tree, "key")))
  const value = readTree(memberOf(tree, "payload") ?? tree)
  if (key === undefined || typeof value !== "object" || value === null) return write(tree)
  try {
    const popped = withPop(tree)
    const sig = key.sign(canonicalize(readTree(memberOf(popped, "payload") ?? popped)))
    return write(withMember(popped, "signature", treeOf({ alg: suites[key.system].alg, key: key.key, sig })))
  } catch (error) {
    if (error instanceof KezError) return write(tree) // no JSON form: half a surrogate pair, say
    throw error
  }
}

function withPop(tree: Tree): Tree {
  const payload = memberOf(tree, "payload")
  const operation = payload === undefined ? undefined : memberOf(payload, "payload")
  if (payload === undefined || operation === undefined || memberOf(operation, "pop") === undefined) return tree
  const added = keyOf(stringOf(memberOf(operation, "key")))
  const rotated = keyOf(stringOf(memberOf(operation, "new_primary")))
  const key = added ?? rotated
  const value = readTree(operation)
  if (key === undefined || typeof value !== "object" || value === null || !("pop" in value)) return tree
  const { pop: _, ...rest } = value
  const whole = readTree(payload)
  if (typeof whole !== "object" || whole === null) return tree
  const pop = popFor({ ...whole, payload: rest }, key, added === undefined ? "primary" : "device")
  const signed = withMember(operation, "pop", { raw: JSON.stringify(pop) })
  return withMember(tree, "payload", withMember(payload, "payload", signed))
}
