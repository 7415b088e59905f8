/** Cases of verdicts: a question, what the place of the account showed, and what every source of chains served. SPEC §6. */
import { encodeBase64Url, formatTime } from "@kez/core"
import { now } from "../../../packages/core/test/support/chains.ts"
import type { JudgeCase } from "../../../packages/core/test/support/judge.ts"
import type { Made } from "../chain-maker.ts"
import { claims } from "../claims.ts"
import { type Dice, weighted } from "../dice.ts"
import { keys, next, owner, phone, thief, third } from "../keys.ts"
import { baseChain } from "../pools.ts"
import { damagedEnvelope, forge, seal } from "../seal.ts"
import { subjects } from "../subjects.ts"
import { asText } from "../text-damage.ts"
import { seedsOf } from "../vector-seeds.ts"
import { frame } from "./encodings.ts"
import { changedSet, grown } from "./replays.ts"

type Input = Readonly<Record<string, unknown>>

export function verdictCase(dice: Dice): JudgeCase {
  if (dice.chance(30)) return { input: changedInput(dice, dice.pick(seedsOf("verdicts"))["input"] as Input) }
  const chain = dice.chance(85) ? grown(dice) : []
  const subject = subjectOf(dice, chain)
  const input = {
    ...(dice.chance(92)
      ? {
          subject: dice.chance(96) ? subject : dice.pick(["GitHub:Alice", "github:-", "did:plc:abc", "dns:A.example."]),
        }
      : {}),
    publication: publication(dice, subject, chain),
    chains: sources(dice, chain),
    now: now + dice.pick([0, 0, 0, 0, 1, -86_400, 86_399, 86_400, 604_800]),
    ...(dice.chance(25) ? { marks: marks(dice, chain) } : {}),
    ...(dice.chance(15) ? { primary: dice.pick([owner, owner, next, thief]).key } : {}),
    ...(dice.chance(8)
      ? { seen: { accountId: dice.pick(["42", "43"]), primary: dice.pick([owner, owner, next, thief]).key } }
      : {}),
    ...(dice.chance(8) ? { requireChain: true } : {}),
    ...(dice.chance(8) ? { requireFresh: true } : {}),
  }
  return { input: dice.chance(10) ? changedInput(dice, input) : input }
}

/** Mostly one that the chain speaks about. */
function subjectOf(dice: Dice, chain: readonly Made[]): string {
  const named = subjects.filter((subject) => chain.some(({ text }) => text.includes(`"subject":"${subject}"`)))
  return dice.pick(named.length > 0 && dice.chance(85) ? named : subjects)
}

const statusOf = weighted([
  [80, "found"],
  [6, "unchecked"],
  [5, "absent"],
  [4, "refused"],
  [5, "unreachable"],
])

function publication(dice: Dice, subject: string, chain: readonly Made[]): Input {
  const status = statusOf(dice)
  if (status === "absent") return { status }
  if (status === "refused") return { status, code: dice.pick(["account.owner", "account.changed", "limit.candidates"]) }
  if (status === "unreachable") return { status, code: dice.pick(["net.timeout", "channel.down", "net.rate_limit"]) }
  const count = dice.pick([1, 1, 1, 1, 2, 3, 0])
  const candidates = Array.from({ length: count }, (_, i) => ({
    text: proof(dice, subject, chain),
    foundAt: `place ${i}`,
  }))
  return {
    status,
    candidates,
    ...(status === "found" && dice.chance(30) ? { accountId: dice.pick(["42", "42", "43"]) } : {}),
  }
}

function proof(dice: Dice, subject: string, chain: readonly Made[]): string {
  const [genesis] = chain
  if (dice.chance(15))
    return `kez:r1:${(genesis?.digest ?? `sha256:${"ab".repeat(32)}`).slice(7)}${dice.chance(30) ? "@store.example" : ""}`
  const own = claims.filter(
    (claim) => claim.subject === subject && chain.some(({ text }) => text.includes(claim.digest)),
  )
  const of = own.length > 0 && dice.chance(55) ? own : claims.filter((c) => c.subject === subject || dice.chance(4))
  const { text } = dice.chance(80) ? dice.pick(of) : dice.pick(claims.filter(({ by }) => by === owner))
  if (dice.chance(80)) return text
  const damaged = dice.chance(50) ? asText(damagedEnvelope(dice, text)) : text
  return dice.pick([
    damaged,
    `\`\`\`kez\n${damaged}\n\`\`\``,
    `kez:z1:${encodeBase64Url(frame(damaged, 1))}`,
    `\`\`\`kez\n${text}\n\`\`\`\n\`\`\`kez\n${dice.pick(claims).text}\n\`\`\``,
    "no proof here",
    "",
  ])
}

function sources(dice: Dice, chain: readonly Made[]): readonly Input[] {
  const count = chain.length === 0 ? dice.pick([0, 0, 1]) : dice.pick([1, 1, 2, 3])
  return Array.from({ length: count }, (_, i) => source(dice, i, chain))
}

const outcomeOf = weighted([
  [80, "found"],
  [10, "absent"],
  [10, "failed"],
])

function source(dice: Dice, number: number, chain: readonly Made[]): Input {
  const outcome = outcomeOf(dice)
  const texts = chain.map(({ text }) => text)
  const served = dice.pick([
    texts,
    texts,
    texts,
    texts.slice(0, 1 + dice.below(texts.length + 1)),
    dice.some(texts, 85),
    dice.shuffled(texts),
  ])
  const events = dice.chance(8)
    ? changedSet(dice, served)
    : dice.chance(4)
      ? [...served, ...baseChain(dice).map(({ text }) => text)]
      : served
  const code = outcome === "failed" ? "net.timeout" : outcome === "found" && dice.chance(4) ? "chain.jsonl" : undefined
  return {
    name: `source ${number}`,
    kind: dice.pick(["store", "store", "local", "hint", "other"]),
    expected: dice.chance(75),
    outcome,
    ...(outcome === "found" ? { events } : {}),
    ...(outcome === "found" && dice.chance(40)
      ? { heads: Array.from({ length: 1 + dice.below(2) }, () => head(dice, chain)) }
      : {}),
    ...(code === undefined ? {} : { code }),
  }
}

function head(dice: Dice, chain: readonly Made[]): string {
  const last = dice.chance(60) ? chain.at(-1) : chain.length > 0 ? dice.pick(chain) : undefined
  const issued = now + dice.pick([-60, -60, -60, 300, 301, -604_800])
  const payload = {
    ...{
      type: "kez.sigchain.head",
      version: 1,
      chain: dice.chance(95) ? (chain[0]?.digest ?? `sha256:${"0".repeat(64)}`) : `sha256:${"1".repeat(64)}`,
    },
    seq: dice.chance(85) ? (last?.seq ?? 0) : dice.below(20),
    digest: dice.chance(85) ? (last?.digest ?? `sha256:${"2".repeat(64)}`) : `sha256:${"2".repeat(64)}`,
    issued_at: formatTime(issued),
    expires_at: formatTime(issued + dice.pick([86_400, 86_400, 604_800, 60, 604_801])),
  }
  const by = dice.chance(75) ? (last?.primary ?? owner) : dice.pick([phone, thief, ...(last?.devices ?? [])])
  return (dice.chance(4) ? forge : seal)("chain_head", payload, by).text
}

function marks(dice: Dice, chain: readonly Made[]): readonly Input[] {
  const at = chain.length > 0 ? dice.pick(chain) : undefined
  const mark = {
    chain: dice.chance(92) && chain[0] !== undefined ? chain[0].digest : `sha256:${"3".repeat(64)}`,
    seq: dice.chance(85) ? (at?.seq ?? 0) : dice.below(20),
    digest: dice.chance(85) && at !== undefined ? at.digest : `sha256:${"4".repeat(64)}`,
    primaries: dice
      .some([owner, next, third, thief], 40)
      .map(({ key }) => key)
      .concat(dice.chance(90) ? [] : [dice.pick(keys).key]),
  }
  const primaries = dice.chance(85)
    ? [...new Set([chain[0]?.primary.key ?? owner.key, ...mark.primaries])]
    : mark.primaries
  return dice.chance(90)
    ? [{ ...mark, primaries }]
    : [
        { ...mark, primaries },
        { ...mark, chain: `sha256:${"5".repeat(64)}`, primaries: [owner.key] },
      ]
}

/** A question of the vectors, or one made here, with one thing in it otherwise. */
function changedInput(dice: Dice, input: Input): Input {
  const chains = (Array.isArray(input["chains"]) ? input["chains"] : []) as readonly Input[]
  const at = dice.below(Math.max(1, chains.length))
  const one = chains[at]
  switch (dice.below(9)) {
    case 0:
      return { ...input, now: Number(input["now"]) + dice.pick([-86_400, -301, -300, 1, 86_400, 604_800, 31_536_000]) }
    case 1:
      return { ...input, chains: [...chains, source(dice, chains.length, baseChain(dice))] }
    case 2:
      return { ...input, chains: chains.toSpliced(at, 1) }
    case 3:
      return one === undefined
        ? input
        : {
            ...input,
            chains: chains.with(at, {
              ...one,
              ...dice.pick([
                { expected: false },
                { expected: true },
                { kind: "hint" },
                { kind: "local" },
                { outcome: "failed", code: "net.timeout" },
              ]),
            }),
          }
    case 4:
    case 5: {
      const events = Array.isArray(one?.["events"]) ? one["events"].map(String) : []
      return one === undefined
        ? input
        : { ...input, chains: chains.with(at, { ...one, events: changedSet(dice, events).map(asText) }) }
    }
    case 6:
      return {
        ...input,
        ...dice.pick([{ requireChain: true }, { requireFresh: true }, { primary: thief.key }, { primary: owner.key }]),
      }
    case 7:
      return { ...input, seen: { accountId: dice.pick(["42", "7"]), primary: owner.key } }
    default:
      return input
  }
}
