/** Cases of whole envelopes of every kind. SPEC §2 and §3. */
import { type Kind, kinds } from "@kez/core"
import type { JudgeCase } from "../../../packages/core/test/support/judge.ts"
import { samplePayloads } from "../../../packages/core/test/support/kinds.ts"
import { claims } from "../claims.ts"
import type { Dice } from "../dice.ts"
import { nostrOwner, owner, phone } from "../keys.ts"
import { baseChain } from "../pools.ts"
import { damagedEnvelope, seal } from "../seal.ts"
import { damagedBytes, damagedText, ofText } from "../text-damage.ts"
import { memberOf, treeOf, withMember, write } from "../tree.ts"
import { seedsOf, textOfSeed } from "../vector-seeds.ts"
import { strangePoints } from "./signatures.ts"

interface Sample {
  readonly kind: Kind
  readonly text: string
}

/** One of each kind, by three keys. */
const samples: readonly Sample[] = [owner, phone, nostrOwner].flatMap((by) =>
  Object.entries(samplePayloads(by)).map(([name, payload]) => ({
    kind: kinds.find((kind) => kind === name) ?? "claim",
    text: seal(name, payload, by).text,
  })),
)

export function envelopeCase(dice: Dice): JudgeCase {
  if (dice.chance(1)) return atTheLimit(dice)
  if (dice.chance(1)) return byStrangeKey(dice)
  const { kind, text } = sample(dice)
  const asked = dice.chance(96) ? kind : dice.pick(kinds)
  switch (dice.below(10)) {
    case 0:
      return { kind: asked, ...ofText(reformatted(dice, text)) }
    case 1:
      return { kind: asked, ...damagedBytes(dice, text) }
    case 2:
      return { kind: asked, ...ofText(damagedText(dice, text, sample(dice).text)) }
    case 3:
      return { kind: asked, ...ofText(write(crossedSignature(treeOf(JSON.parse(text)), sample(dice).text))) }
    default:
      return { kind: asked, ...ofText(damagedEnvelope(dice, text)) }
  }
}

function sample(dice: Dice): Sample {
  switch (dice.below(8)) {
    case 0:
    case 1: {
      const { text } = dice.pick(claims)
      return { kind: "claim", text }
    }
    case 2:
    case 3: {
      const { text } = dice.pick(baseChain(dice))
      return { kind: "sigchain_event", text }
    }
    case 4:
      return dice.pick(vectorSamples())
    default:
      return dice.pick(samples)
  }
}

let fromVectors: readonly Sample[] | undefined

function vectorSamples(): readonly Sample[] {
  fromVectors ??= seedsOf("envelopes").flatMap((seed) => {
    const kind = kinds.find((name) => name === seed["kind"])
    const text = textOfSeed(seed, "text")
    return kind === undefined || !isObject(text) ? [] : [{ kind, text }]
  })
  return fromVectors
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null && "payload" in value
  } catch {
    return false
  }
}

/** The signature of another envelope. */
function crossedSignature(tree: ReturnType<typeof treeOf>, other: string) {
  const signature = memberOf(treeOf(JSON.parse(other)), "signature")
  return signature === undefined ? tree : withMember(tree, "signature", signature)
}

/** The same value in another text: white space, order of members, escapes. Sometimes more than 64 KiB of it. */
function reformatted(dice: Dice, text: string): string {
  const value: unknown = JSON.parse(text)
  const pretty = JSON.stringify(value, null, dice.pick([0, 1, 2, "\t"]))
  switch (dice.below(5)) {
    case 0:
      return pretty
    case 1:
      return pretty.replace(/[a-z:]/g, (c) => (dice.chance(5) ? `\\u00${c.charCodeAt(0).toString(16)}` : c))
    case 2:
      return dice.pick([" ", "\n\n", "\r\n\t", "\ufeff", "\u00a0", "\f"]) + pretty
    case 3:
      return (
        pretty + " ".repeat(dice.pick([1, 65_536 - pretty.length, 65_537 - pretty.length].map((n) => Math.max(n, 0))))
      )
    default:
      return pretty.replace("{", `{${" ".repeat(dice.below(3))}`)
  }
}

/** At the limit of 4,000 bytes in canonical form, rightly signed. [DEC-1] step 9 */
function atTheLimit(dice: Dice): JudgeCase {
  const payload = samplePayloads(owner).presence
  const addresses = Array.from({ length: 7 }, (_, i) => String(i).repeat(450))
  const { length } = seal("presence", { ...payload, addresses }, owner).text
  const last = "x".repeat(4_000 - length - 3 + dice.below(5) - 2)
  return { kind: "presence", text: seal("presence", { ...payload, addresses: [...addresses, last] }, owner).text }
}

/** By a key under which signatures prove nothing, or that is none. [SIG-2] */
function byStrangeKey(dice: Dice): JudgeCase {
  const key = `ed25519:${dice.pick(strangePoints)}`
  const { text } = dice.pick(claims.filter(({ by }) => by === owner))
  return { kind: "claim", text: text.replaceAll(owner.key, key) }
}
