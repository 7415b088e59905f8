/** Places that are told before the broker has answered, against a stream in memory that answers when it is told to. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { setImmediate as next } from "node:timers/promises"
import { Places } from "../src/streams/places.ts"

/** What an answer leads to comes down in the turn of the event loop after it. */
const turn = async (): Promise<void> => {
  await next()
  await next()
}

interface Flight {
  readonly told: number | undefined
  readonly kept: Promise<number>
  /** The stream's answer to it; in the order in which they were published. */
  answer(): Promise<void>
  fail(): Promise<void>
}

function stream() {
  let nowMs = 0
  let newest = 0
  const places = new Places(() => nowMs)
  const send = (isDuplicate = false): Flight => {
    let told: number | undefined
    const answering = Promise.withResolvers<{ seq: number; isDuplicate: boolean }>()
    const kept = places.message("S", (place) => {
      told = place
      return answering.promise
    })
    const settled = kept.then(
      ({ seq }) => seq,
      () => -1,
    )
    return {
      told,
      kept: settled,
      async answer() {
        answering.resolve({ seq: isDuplicate ? 1 : ++newest, isDuplicate })
        await turn()
      },
      async fail() {
        answering.reject(new Error("no answer"))
        await turn()
      },
    }
  }
  return {
    ...{ places, send },
    /** Another process writes. */
    other: () => void newest++,
    later(ms: number) {
      nowMs += ms
    },
    take: () => ++newest,
    async one() {
      const flight = send()
      await flight.answer()
      return [flight.told, await flight.kept]
    },
  }
}

test("after the first answer places are told, of several that fly as well, and are right", async () => {
  const { send, one } = stream()
  assert.deepEqual(await one(), [undefined, 1])
  assert.deepEqual(await one(), [2, 2])
  const flights = [send(), send(), send()]
  for (const flight of flights) await flight.answer()
  assert.deepEqual(
    flights.map(({ told }) => told),
    [3, 4, 5],
  )
  assert.deepEqual(await Promise.all(flights.map(({ kept }) => kept)), [3, 4, 5])
})

test("nothing is told while something flies whose place is not known: the first ones, commits, after a failure", async () => {
  const { send } = stream()
  const [first, second] = [send(), send()]
  await first.answer()
  assert.equal(send().told, undefined)
  await second.answer()
  const world = stream()
  await world.one()
  const committing = Promise.withResolvers<number | undefined>()
  const commit = world.places.commit(
    "S",
    () => committing.promise,
    (seq) => seq,
  )
  const beside = world.send()
  assert.equal(beside.told, undefined)
  committing.resolve(world.take())
  await commit
  await beside.answer()
  assert.deepEqual(await world.one(), [4, 4])
  const lost = world.send()
  const behind = world.send()
  await lost.fail()
  assert.equal(world.send().told, undefined)
  await behind.answer()
})

test("a name that the broker knew makes no place, and those behind it are not told wrong for long", async () => {
  const { send, one } = stream()
  await one()
  await one()
  const repeated = send(true)
  await repeated.answer()
  assert.deepEqual(await one(), [3, 3])
})

test("where somebody else writes, one place is told wrong, and then none for ten minutes", async () => {
  const { one, other, later } = stream()
  await one()
  other()
  assert.deepEqual(await one(), [2, 3])
  assert.deepEqual(await one(), [undefined, 4])
  later(600_000)
  assert.deepEqual(await one(), [5, 5])
})
