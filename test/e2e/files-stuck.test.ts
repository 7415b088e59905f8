/** A kez-iroh that does not answer any more: whoever stops fetching waits a few seconds for it, is told so, and it is ended. */
import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { startIroh } from "@kez/chat/iroh"
import { skipWithoutNats } from "../support/broker.ts"
import { type Chatter, startCouple } from "../support/chat-people.ts"
import { buildIroh, folderOf, startKez } from "../support/files-people.ts"
import { skipWithoutIroh } from "../support/iroh.ts"
import { laterCleaner } from "../support/person.ts"

/** Five seconds for the answer, and what ends beside it. */
const boundMs = 9_500
/** As long as nobody waits for one that is known to be stuck. */
const endMs = 4_000

describe("a kez-iroh that is stuck", { skip: skipWithoutNats || skipWithoutIroh() }, () => {
  const t = laterCleaner(after)
  let alice: Chatter
  let bob: Chatter
  let env: { readonly KEZ_IROH: string }
  let film: string
  /** kez-iroh, which says what process it is. */
  const noted = ({ dir }: Chatter): { readonly program: string; readonly pidFile: string } => {
    const [pidFile, program] = [join(dir, "pid"), join(dir, "iroh")]
    writeFileSync(program, `#!/bin/sh\necho $$ > '${pidFile}'\nexec '${env.KEZ_IROH}' "$@"\n`, { mode: 0o755 })
    return { program, pidFile }
  }
  before(async () => {
    env = await buildIroh()
    ;({ alice, bob } = await startCouple(t))
    film = join(folderOf(alice, "out"), "film.mp4")
    writeFileSync(film, randomBytes(3_000_000))
  })

  for (const { name, schema, giving, fetching } of [
    {
      name: "kez receive",
      schema: "kez.receive/1",
      giving: () => ["send", film, "bob"],
      fetching: (into: string) => ["receive", "alice", "--yes", "--dir", into],
    },
    {
      name: "kez files get",
      schema: "kez.files_get/1",
      giving: () => ["files", "serve"],
      fetching: (into: string) => ["files", "get", "alice", "film.mp4", "--to", into],
    },
  ]) {
    test(`${name} ends within a time, and says that it did not wait any longer`, async () => {
      if (schema === "kez.files_get/1")
        assert.equal((await alice.json(["files", "share", film, "--with", "bob"], { env })).code, 0)
      const gives = startKez(t, alice, { args: giving(), env })
      const { program, pidFile } = noted(bob)
      const args = [...fetching(folderOf(bob, "in")), "--limit-rate", "50000"]
      const fetches = startKez(t, bob, { args, env: { KEZ_IROH: program } })
      await fetches.until(({ data }) => data.state === "running" && data.bytes > 0)
      const pid = Number(readFileSync(pidFile, "utf8"))
      process.kill(pid, "SIGSTOP")
      const ended = once(fetches.child, "exit", { signal: AbortSignal.timeout(boundMs) })
      fetches.child.kill("SIGINT")
      const line = await fetches.until((one) => one.schema === schema)
      assert.match(String(line.warnings), /kez-iroh did not answer within 5 seconds and is ended/)
      assert.deepEqual(await ended, [130, null])
      assert.throws(() => process.kill(pid, 0), { code: "ESRCH" })
      await gives.kill()
    })
  }

  test("one that is known to be stuck is not given another five seconds to end", async () => {
    const { program, pidFile } = noted(alice)
    const mover = await startIroh({ program, data: folderOf(alice, "store") })
    const pid = Number(readFileSync(pidFile, "utf8"))
    process.kill(pid, "SIGSTOP")
    const begunAt = performance.now()
    await mover.close({ isStuck: true })
    assert.ok(performance.now() - begunAt < endMs)
    assert.throws(() => process.kill(pid, 0), { code: "ESRCH" })
  })
})
