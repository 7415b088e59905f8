/** kill -9 between a leaf and its checkpoint, and everywhere else: what was acknowledged is there, in a log that only grew. */
import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { judgeLookUp, rememberDirectory } from "../../packages/core/src/directory/index.ts"
import { type Checkpoint, isConsistent, openCheckpoint, parseNoteKey } from "../../packages/core/src/tlog/index.ts"
import { ask, nowSeconds, personWith, register, signerOf, startChatServer } from "../support/chat-server.ts"

const rounds = 5
const perRound = 30
const nameOf = (number: number): string =>
  `u${String(number).replaceAll(/[0-9]/g, (digit) => "abcdefghjk"[Number(digit)] ?? "")}zz`

test("kill -9 loses no acknowledged registration, and never shows two logs", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "kez-chat-kill-"))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const acknowledged: string[] = []
  const seen: Checkpoint[] = []
  let key = ""
  for (let round = 0; round <= rounds; round++) {
    const server = await startChatServer(t, { folder })
    key = (await ask(`${server.url}/v1/log/key`)).text.trim()
    const note = (await ask(`${server.url}/v1/log/checkpoint`)).text
    const now = openCheckpoint(note, parseNoteKey(key))
    for (const first of seen) {
      const { proof } = (await ask(`${server.url}/v1/log/consistency?first=${first.size}&second=${now.size}`)).body
      const path = proof.map((hash: string) => new Uint8Array(Buffer.from(hash, "base64")))
      assert.ok(isConsistent({ first, second: now, path }))
    }
    const memory = rememberDirectory("localhost", key, note)
    for (const handle of acknowledged) {
      const { text } = await ask(`${server.url}/v1/handles/${handle}`)
      assert.equal(judgeLookUp({ body: text, handle, memory, consistency: [], now: nowSeconds() }).state, "registered")
    }
    if (round === rounds) break
    const people = await Promise.all(
      Array.from({ length: perRound }, async (_, at) => {
        const number = 100 + round * perRound + at
        return { number, person: await personWith(signerOf(number), `kez:${nameOf(number)}@localhost`) }
      }),
    )
    const work = people.map(async ({ number, person }) => {
      const answer = await register(server, person, nameOf(number)).catch(() => undefined)
      if (answer?.status !== 201) return
      acknowledged.push(nameOf(number))
      // What stands in an answer was shown to somebody, and binds the server.
      const lines: readonly string[] = answer.body.proof
      seen.push(
        openCheckpoint(
          lines
            .slice(lines.indexOf("") + 1)
            .map((line) => `${line}\n`)
            .join(""),
          parseNoteKey(key),
        ),
      )
    })
    // The first kill is while all are asked; the others come between the first answer and the last, however slow this machine is.
    if (round > 0) await Promise.race(work)
    await sleep(round * 5)
    await server.end("SIGKILL")
    await Promise.all(work)
  }
  assert.ok(acknowledged.length > 0, "nothing was acknowledged before a kill")
  assert.ok(acknowledged.length < rounds * perRound, "no kill came in the middle")
})
