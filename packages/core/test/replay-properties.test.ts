/** Properties of replays of random forked chains. SPEC §5.5 to §5.7; adversarial E-3. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { envelopeDigest, type SigchainEvent } from "../src/envelope/envelope.ts"
import { KezError } from "../src/error.ts"
import { commitmentTo } from "../src/sigchain/commitment.ts"
import { encodeChain, formatChain, parseChain } from "../src/sigchain/document.ts"
import type { EventPayload } from "../src/sigchain/event.ts"
import { replayChain } from "../src/sigchain/replay.ts"
import type { ChainReplay } from "../src/sigchain/result.ts"
import { add, addDevice } from "./support/chains.ts"
import { keyNamed } from "./support/keys.ts"
import { replayPlainly } from "./support/plain-replay.ts"
import { holds } from "./support/property.ts"
import { mutated, randomFrom } from "./support/random.ts"
import { forkedChain } from "./support/random-chains.ts"
import { codeOf } from "./support/throws.ts"
import { view } from "./support/view.ts"

const chainOf = (events: readonly SigchainEvent[]) => ({ chain: envelopeDigest(events[0] ?? fail()) })
const shuffles = fc.array(fc.nat(), { minLength: 20, maxLength: 20 })

function shuffled<T>(list: readonly T[], order: readonly number[]): readonly T[] {
  return list
    .map((item, i) => ({ item, rank: ((order[i % order.length] ?? 0) * 31 + i * 17) % 1_009 }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item)
}

test("E-3 the result does not depend on the order of arrival, nor on what comes twice", () => {
  const seen = { fork: 0, contested: 0, suspended: 0, refused: 0, rotated: 0 }
  holds(
    fc.property(forkedChain, shuffles, (events, order) => {
      const replay = replayChain(events, chainOf(events))
      const other = replayChain([...shuffled(events, order), ...events.slice(2)], chainOf(events))
      assert.deepEqual(view(other), view(replay))
      count(seen, replay)
    }),
    600,
  )
  for (const [what, times] of Object.entries(seen)) assert.ok(times > 5, `${what}: ${times}`)
})

test("E-3 replays in batches, each on the one before, equal one from scratch, and change none of those before", () => {
  holds(
    fc.property(
      forkedChain,
      shuffles,
      fc.array(fc.nat(5), { minLength: 20, maxLength: 20 }),
      (events, order, sizes) => {
        const [first, ...rest] = events
        // In order of arrival or shuffled: then orphans wait for what they follow.
        const arriving = (order[0] ?? 0) % 2 === 0 ? rest : shuffled(rest, order)
        const options = chainOf(events)
        const known = [first ?? fail()]
        let replay = replayChain(known, options)
        const kept: (readonly [ChainReplay, unknown])[] = []
        for (let at = 0, batch = 0; at < arriving.length; batch++) {
          const size = sizes[batch % sizes.length] ?? 1
          const more = arriving.slice(at, at + size)
          at += Math.max(1, size)
          if (size === 0) more.push(arriving[at - 1] ?? fail())
          kept.push([replay, view(replay)])
          known.push(...more)
          replay = replayChain(more, { previous: replay })
          assert.deepEqual(view(replay), view(replayChain(known, options)))
          for (const event of events)
            assert.equal(replay.knows(envelopeDigest(event)), replayChain(known, options).knows(envelopeDigest(event)))
        }
        for (const [earlier, before] of kept) assert.deepEqual(view(earlier), before)
      },
    ),
    120,
  )
})

test("E-17 an independent replay, slow and plain, gives the same path and state", () => {
  holds(
    fc.property(forkedChain, (events) => {
      const { status, digests, state, refused } = replayChain(events, chainOf(events))
      const devices = state.devices
        .map(({ key, suspended }) => ({ key, suspended }))
        .sort((a, b) => (a.key < b.key ? -1 : 1))
      const subjects = [...state.subjects.values()].map((entry) => `${entry.subject} ${entry.status}`).sort()
      const codes = refused.map(({ digest, code }) => `${digest} ${code}`).sort()
      const { primary, next } = state
      assert.deepEqual({ status, digests, primary, next, devices, subjects, codes }, replayPlainly(events))
    }),
    700,
  )
})

test("E-3 the path is linked from event 0, every event on it authorised by a key that the chain had", () => {
  holds(
    fc.property(forkedChain, (events) => {
      const { path, digests, state, everyPrimary } = replayChain(events, chainOf(events))
      const keys = new Set<string>(everyPrimary)
      path.forEach((event, i) => {
        const { payload, signature } = event
        assert.equal(payload.seq, i)
        assert.equal(payload.prev, digests[i - 1])
        if (payload.op === "rotate") keys.add(payload.payload.new_primary)
        assert.ok(keys.has(signature.key))
        if (payload.op === "add_device") keys.add(payload.payload.key)
      })
      assert.ok(
        !path.some(({ signature }) => signature.key === keyNamed("chain stranger").key && !keys.has(signature.key)),
      )
      assert.ok(state.devices.length <= 32)
      assert.ok(!state.devices.some(({ key }) => key === state.primary))
    }),
    150,
  )
})

test("E-3 events that are not valid have no effect: without them the result is the same", () => {
  holds(
    fc.property(forkedChain, (events) => {
      const options = chainOf(events)
      const replay = replayChain(events, options)
      const valid = events.filter((event) => replay.knows(envelopeDigest(event)))
      assert.deepEqual({ ...view(replayChain(valid, options)), refused: [] }, { ...view(replay), refused: [] })
    }),
    120,
  )
})

test("E-3 nobody without the owner's keys changes primary, or the path of an event that the owner signed last", () => {
  const thieves = new Set([
    keyNamed("chain phone").key,
    keyNamed("chain laptop").key,
    keyNamed("chain thief").key,
    keyNamed("chain stranger").key,
  ])
  let attacked = 0
  holds(
    fc.property(forkedChain, (events) => {
      const options = chainOf(events)
      // What the devices and strangers added, against a chain that is the owner's alone.
      const owners = events.filter(({ signature }, i) => i < 3 || !thieves.has(signature.key))
      if (owners.some(({ payload }) => handsOver(payload, thieves))) return
      const { path } = replayChain(owners, options)
      const last = path.findLastIndex(
        ({ payload, signature }) => payload.op === "rotate" || signature.key === payload.primary,
      )
      const honest = replayChain(path.slice(0, last + 1), options)
      const theirs = events.filter((event) => !owners.includes(event))
      const all = replayChain([...honest.path, ...theirs], options)
      assert.deepEqual(all.digests.slice(0, last + 1), honest.digests)
      assert.ok(all.everyPrimary.every((key) => !thieves.has(key)))
      if (last >= 3 && theirs.length > 0) attacked++
    }),
    600,
  )
  assert.ok(attacked > 50, `${attacked}`)
})

test("E-4 one to four faults in a chain document of either form: refused, or a beginning of the same chain", () => {
  const random = randomFrom(44)
  const [owner, phone] = [keyNamed("alice"), keyNamed("phone")]
  const events = [add(undefined, "dns:a.example", owner)]
  events.push(addDevice(events[0], phone, owner))
  for (const name of ["b", "c", "d"]) events.push(add(events.at(-1), `github:${name}`, phone))
  const beginnings = events.map((_, i) => formatChain(events.slice(0, i + 1)))
  let refused = 0
  for (const bytes of [formatChain(events), encodeChain(events)].map((text) => Buffer.from(text))) {
    for (let i = 0; i < 1_500; i++) {
      const code = codeOf(() => {
        const replay = replayChain(parseChain(mutated(bytes, random)))
        const [refusal] = replay.refused
        if (refusal !== undefined) throw new KezError(refusal.code, "refused")
        assert.ok(beginnings.includes(formatChain(replay.path)))
      })
      if (code !== undefined) refused++
    }
  }
  assert.ok(refused > 2_500, `${refused}`)
})

/** Whether the owner makes one of these keys the primary, or the next one. */
function handsOver(payload: EventPayload, keys: ReadonlySet<string>): boolean {
  if (payload.op === "rotate") return keys.has(payload.payload.new_primary)
  return payload.op === "set_next" && [...keys].some((key) => commitmentTo(key) === payload.payload.next)
}

function count(
  seen: { fork: number; contested: number; suspended: number; refused: number; rotated: number },
  replay: ChainReplay,
): void {
  if (replay.status === "fork") seen.fork++
  if (replay.contested) seen.contested++
  if (replay.state.devices.some(({ suspended }) => suspended)) seen.suspended++
  if (replay.refused.length > 0) seen.refused++
  if (replay.state.primaries.length > 1) seen.rotated++
}

function fail(): never {
  throw new Error("no event")
}
