/** What every store of the engine does, whatever it lies on: run against memory and SQLite in Node, and against IndexedDB in a real browser. */
import { createMemoryStore } from "../../src/store/memory.ts"
import { type EngineStore, type RangeOptions, under } from "../../src/store/store.ts"

export interface StoreCase {
  readonly name: string
  /** `open`: the same store each time, once the one before is closed. Throws what is wrong. */
  readonly run: (open: () => Promise<EngineStore>) => Promise<void>
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value)

/** Without node:assert: it runs in a page too. */
function same(found: unknown, wanted: unknown, about = ""): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)]
  if (a !== b) throw new Error(`${about} expected ${b}, got ${a}`)
}

const keysOf = async (store: EngineStore, options: RangeOptions): Promise<readonly string[]> =>
  (await store.list(options)).map(({ key }) => key)

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
    return "ok"
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : "no code"
  }
}

export const storeCases: readonly StoreCase[] = [
  {
    name: "rows in the order of their keys, ranges, limits, from the end",
    async run(open) {
      const store = await open()
      await store.write(["b/2", "a/1", "b/1", "b/10", "c"].map((put) => ({ put, value: bytes(put) })))
      same(await keysOf(store, under("b/")), ["b/1", "b/10", "b/2"])
      same(await keysOf(store, { ...under("b/"), limit: 2 }), ["b/1", "b/10"])
      same(await keysOf(store, { ...under("b/"), limit: 1, reverse: true }), ["b/2"])
      same(await keysOf(store, { ...under("b/"), reverse: true }), ["b/2", "b/10", "b/1"])
      same(await keysOf(store, { ...under("b/"), limit: Number.MAX_SAFE_INTEGER }), ["b/1", "b/10", "b/2"])
      same(await keysOf(store, { from: "b/1", to: "b/1" }), [])
      same(await keysOf(store, { from: "c", to: "a" }), [])
      await store.write([{ delete: "b/1" }, { put: "a/1", value: bytes("changed") }, { delete: "nothing" }])
      same([text(await store.get("a/1")), (await store.get("b/1")) === undefined], ["changed", true])
      await store.close()
    },
  },
  {
    name: "what was written is there again, changes of one key in their order",
    async run(open) {
      const first = await open()
      await first.write([
        { put: "x/1", value: bytes("one") },
        { delete: "x/1" },
        { put: "x/1", value: bytes("two") },
        { put: "x/2", value: bytes("gone") },
        { delete: "x/2" },
        { put: "x/empty", value: new Uint8Array() },
      ])
      await first.close()
      const again = await open()
      same(await keysOf(again, under("x/")), ["x/1", "x/empty"])
      same([text(await again.get("x/1")), text(await again.get("x/empty"))], ["two", ""])
      same(await codeOf(again.close()), "ok")
    },
  },
  {
    name: "whatever is written, rows and lists are those of a store that keeps nothing in memory",
    async run(open) {
      const store = await open()
      const plain = createMemoryStore()
      let state = 7
      const draw = (below: number): number => {
        state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
        return Math.floor((state / 2_147_483_648) * below)
      }
      for (let step = 0; step < 200; step++) {
        const changes = Array.from({ length: 1 + draw(3) }, () => {
          const key = `${"xy"[draw(2)]}/${draw(3)}/${draw(12)}`
          return draw(3) === 0 ? { delete: key } : { put: key, value: Uint8Array.of(draw(256)) }
        })
        await store.write(changes)
        await plain.write(changes)
        const prefix = ["", "x/", "y/", "x/1/", "y/2/", "x/1/1"][draw(6)] ?? ""
        const limit = [undefined, 1, 2, 5][draw(4)]
        const options = { ...under(prefix), ...(limit === undefined ? {} : { limit }), reverse: draw(4) === 0 }
        const shown = async (of: EngineStore) => (await of.list(options)).map(({ key, value }) => [key, value[0]])
        same(await shown(store), await shown(plain), `step ${step}: ${JSON.stringify(options)}:`)
      }
      await store.close()
    },
  },
]

/** Of those that outlive their process. */
export const durableCases: readonly StoreCase[] = [
  {
    name: "a write whose last change fails changes nothing",
    async run(open) {
      const store = await open()
      await store.write([{ put: "f/1", value: bytes("1") }])
      const broken = [
        { put: "f/1", value: bytes("2") },
        { put: null as unknown as string, value: bytes("3") },
      ]
      if ((await codeOf(store.write(broken))) === "ok") throw new Error("it was written")
      same(text(await store.get("f/1")), "1")
      await store.close()
      const again = await open()
      same(text(await again.get("f/1")), "1")
      await again.close()
    },
  },
  {
    name: "one that is open is not opened again; closed, it answers nothing and is free",
    async run(open) {
      const store = await open()
      await store.write([{ put: "l/1", value: bytes("1") }])
      same(await codeOf(open()), "store.busy")
      await store.close()
      same(
        [await codeOf(store.get("l/1")), await codeOf(store.write([{ delete: "l/1" }]))],
        ["store.write", "store.write"],
      )
      await (await open()).close()
    },
  },
]
