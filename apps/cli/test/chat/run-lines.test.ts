/** What is typed while a large file is hashed does not wait for it. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { runLines } from "../../src/chat/run-lines.ts"

async function* linesOf(...lines: readonly string[]): AsyncGenerator<string> {
  yield* lines
}

test("runLines() runs what comes after a long command while that is under way, in its order", async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const done: string[] = []
  const run = async (line: string): Promise<"go" | "quit"> => {
    if (line === "/share large") await promise
    done.push(line)
    return line === "/quit" ? "quit" : "go"
  }
  const isLong = (line: string): boolean => line.startsWith("/share")
  const { settled } = await runLines(linesOf("/share large", "/block", "/unshare large", "/quit", "never"), {
    run,
    isLong,
  })
  assert.deepEqual(done, ["/block", "/unshare large", "/quit"])
  resolve()
  await settled
  assert.equal(done.at(-1), "/share large")
})

test("runLines() fails where something that goes on beside it fails", async () => {
  const run = (): Promise<"go"> => Promise.reject(new Error("broken"))
  const waiting = (async function* () {
    yield "/send x"
    await new Promise(() => undefined)
  })()
  await assert.rejects(runLines(waiting, { run, isLong: () => true }), /broken/)
})
