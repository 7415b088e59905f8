/** Places and lines per host. SPEC §7, adversarial case N19. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { createHostQueue } from "../src/queue.ts"

const limits = { maxRequestsPerHost: 2, maxQueuedPerHost: 3 }
const forever = new AbortController().signal

/** Tasks that end when they are told to, in the order they were started. */
function createTasks() {
  const running: PromiseWithResolvers<void>[] = []
  const start = () => {
    const task = Promise.withResolvers<void>()
    running.push(task)
    return task.promise
  }
  return { running, start }
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

test("N19 two run, three wait, the sixth is refused with net.busy", async () => {
  const { running, start } = createTasks()
  const runAtHost = createHostQueue(limits)
  const calls = Array.from({ length: 5 }, () => runAtHost("a.example", forever, start))
  await assert.rejects(runAtHost("a.example", forever, start), { code: "net.busy" })
  for (let done = 0; done < 5; done += 1) {
    await settle()
    assert.equal(running.length, Math.min(5, done + 2))
    running[done]?.resolve()
  }
  await Promise.all(calls)
})

test("N19 a slow host does not hold up another one", async () => {
  const { running, start } = createTasks()
  const runAtHost = createHostQueue(limits)
  const slow = Array.from({ length: 5 }, () => runAtHost("slow.example", forever, start))
  assert.equal(await runAtHost("quick.example", forever, async () => "done"), "done")
  for (const task of [0, 1, 2, 3, 4]) {
    running[task]?.resolve()
    await settle()
  }
  await Promise.all(slow)
})

test("createHostQueue() frees the place of a failed task and of a call that gave up", async () => {
  const runAtHost = createHostQueue({ maxRequestsPerHost: 1, maxQueuedPerHost: 1 })
  await assert.rejects(
    runAtHost("a.example", forever, () => Promise.reject(new Error("failed"))),
    /failed/,
  )
  const { running, start } = createTasks()
  const first = runAtHost("a.example", forever, start)
  const givingUp = new AbortController()
  const second = runAtHost("a.example", givingUp.signal, start)
  givingUp.abort(new Error("gave up"))
  await assert.rejects(second, /gave up/)
  const third = runAtHost("a.example", forever, async () => "third")
  running[0]?.resolve()
  await first
  assert.equal(await third, "third")
  assert.equal(running.length, 1)
})
