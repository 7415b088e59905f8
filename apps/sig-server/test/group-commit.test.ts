/** One transaction for many writes: what fails in it, and what that undoes. */
import assert from "node:assert/strict"
import { DatabaseSync } from "node:sqlite"
import { type TestContext, test } from "node:test"
import { digestOf, KezError } from "@kez/core"
import { createGroupCommit } from "../src/storage/group-commit.ts"
import { migrations } from "../src/storage/schema.ts"
import { packOrders, unpackOrders } from "../src/storage/sqlite-message.ts"
import { createWrites, KnownError, type WriteOrder } from "../src/storage/sqlite-writes.ts"

function open(t: TestContext) {
  const database = new DatabaseSync(":memory:")
  t.after(() => database.close())
  for (const { sql } of migrations) database.exec(sql)
  const { carryOut, begin, finish } = createWrites(database)
  const mark = { claim: () => () => undefined }
  const commitTogether = createGroupCommit({ database, path: ":memory:", mark, begin, finish })
  const write = (orders: readonly WriteOrder[]) => commitTogether(orders.map((order) => () => carryOut(order)))
  const rows = (sql: string) =>
    database
      .prepare(sql)
      .all()
      .map((row) => Object.values(row).join(" "))
  return { database, commitTogether, write, rows }
}

function append(name: string, expectedSize: number, chain = "a"): WriteOrder {
  const event = {
    digest: digestOf(name),
    chain,
    seq: expectedSize,
    text: name,
    primaries: [`key ${chain}`],
    storedAt: 1,
  }
  return { kind: "append", event, expectedSize }
}

/** No database takes it: the columns are strict. */
function broken(): WriteOrder {
  const order = append("broken", 0, "b")
  return order.kind === "append" ? { ...order, event: { ...order.event, seq: 0.5 } } : order
}

const kinds = (outcomes: ReturnType<ReturnType<typeof open>["write"]>) =>
  outcomes.map((outcome) => ("value" in outcome ? outcome.value : "failed"))

test("what one order throws undoes that order alone, and the totals count what was kept", (t) => {
  const { write, rows } = open(t)
  assert.deepEqual(kinds(write([append("one", 0), broken(), append("three", 1)])), [1, "failed", 2])
  assert.deepEqual(rows("SELECT text FROM events"), ["one", "three"])
  assert.deepEqual(rows("SELECT chain, size, bytes FROM chains"), ["a 2 8"])
  assert.deepEqual(rows("SELECT events, chains, bytes FROM totals"), ["2 1 8"])
  assert.deepEqual(rows("SELECT key FROM chain_primaries"), ["key a"])
})

test("an order that was raced writes nothing, wherever it stands in its batch", (t) => {
  const { write, rows } = open(t)
  const raced = [append("gap", 5), append("one", 0), append("two", 0), append("two", 1), append("late", 1)]
  assert.deepEqual(kinds(write(raced)), [undefined, 1, undefined, 2, undefined])
  assert.deepEqual(rows("SELECT text FROM events"), ["one", "two"])
  assert.deepEqual(rows("SELECT events, chains, bytes FROM totals"), ["2 1 6"])
})

test("an event that is kept already is not kept twice, though the size of its chain is as expected", (t) => {
  const { write, rows } = open(t)
  write([append("one", 0)])
  const [again, other, next] = write([append("one", 1), append("one", 0, "b"), append("two", 1)])
  assert.ok(again !== undefined && "error" in again && again.error instanceof KnownError)
  assert.ok(other !== undefined && "error" in other && other.error instanceof KnownError)
  assert.ok(next !== undefined && "value" in next)
  assert.deepEqual(rows("SELECT chain, size, bytes FROM chains"), ["a 2 6"])
  assert.deepEqual(rows("SELECT events, chains, bytes FROM totals"), ["2 1 6"])
})

test("a commit that fails is everybody's failure, and is not tried again", (t) => {
  const { database, commitTogether, rows } = open(t)
  let runs = 0
  const work = () => {
    runs += 1
    // A row without its chain: found at the end only.
    database.exec("PRAGMA defer_foreign_keys = ON; INSERT INTO chain_primaries VALUES ('k', 'none')")
  }
  assert.deepEqual(
    commitTogether([work]).map((outcome) => "error" in outcome),
    [true],
  )
  assert.equal(runs, 1)
  assert.equal(database.isTransaction, false)
  assert.deepEqual(rows("SELECT key FROM chain_primaries"), [])
})

test("errors keep their codes, and are of the piece that threw them", (t) => {
  const { commitTogether } = open(t)
  const busy = new KezError("store.busy", "not now")
  const fail = () => {
    throw busy
  }
  assert.deepEqual(commitTogether([() => 1, fail, () => 3]), [{ value: 1 }, { error: busy }, { value: 3 }])
})

test("unpackOrders() gives what packOrders() was given", () => {
  const twoKeys = append("two keys", 3)
  if (twoKeys.kind !== "append") assert.fail()
  const orders: readonly WriteOrder[] = [
    append("text with \n and \0 and \u{1f600}", 0),
    { kind: "mark", name: "n", value: "v" },
    { ...twoKeys, event: { ...twoKeys.event, primaries: ["k1", "k2"] } },
    { ...twoKeys, event: { ...twoKeys.event, primaries: [] } },
    { kind: "probe" },
  ]
  assert.deepEqual(unpackOrders(packOrders(orders)), orders)
  assert.deepEqual(unpackOrders(structuredClone(packOrders(orders))), orders)
})
