/** D-4 A store with a damaged chain: the log says that there is one and not whose; `kez-sig-server check` names it. SPEC STORE-14 */
import assert from "node:assert/strict"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { test } from "node:test"
import { openSqlite } from "../../apps/sig-server/src/storage/sqlite.ts"
import { makeChain, storeEvents } from "../../apps/sig-server/test/chain-maker.ts"
import { runSigServer, startSigServer } from "../support/sig-server.ts"

test("D-4 store.corrupt names nobody in the log, and check names the chain on the terminal", async (t) => {
  const server = await startSigServer(t)
  const data = join(server.folder, "data")
  await server.end()
  const path = join(data, "kez-sig.sqlite")
  const storage = openSqlite({ path, now: () => 1_800_000_000 })
  const [hurt, lost, whole] = [await makeChain("a", 4), await makeChain("b", 2), await makeChain("c", 3)]
  for (const chain of [hurt, lost, whole]) await storeEvents(storage, chain)
  await storage.close()
  const check = () => runSigServer(["check", "--data", data])
  assert.deepEqual(await check(), { code: 0, stdout: "all is whole: 3 chains, 9 events\n", stderr: "" })
  const database = new DatabaseSync(path)
  // What it says is another account, in a text that is still JSON; and of the other chain the first event.
  database.exec("UPDATE events SET text = replace(text, 'a2.a.example', 'z2.a.example') WHERE seq = 2")
  database.prepare("UPDATE events SET text = '{' WHERE chain = ? AND seq = 0").run(lost.replay.chain)
  database.close()

  const again = await startSigServer(t, { folder: server.folder })
  const read = async (path: string) => (await fetch(`${again.url}${path}`)).status
  const primary = hurt.events[0]?.payload.primary ?? assert.fail()
  assert.deepEqual(
    [
      await read(`/v1/chains/${hurt.replay.chain}`),
      await read(`/v1/chains/${primary}/head`),
      await read(`/v1/chains/${lost.replay.chain}`),
      await read(`/v1/chains/${whole.replay.chain}`),
      await read("/v1/events"),
    ],
    [500, 500, 500, 200, 500],
  )
  const log = again.log().join("\n")
  assert.match(log, /"code":"store.corrupt"/)
  // Neither ids nor keys nor accounts, of any chain.
  assert.doesNotMatch(log, /[0-9a-f]{64}|sha256:|ed25519:|example/)

  const { code, stdout, stderr } = await check()
  assert.equal(code, 1)
  assert.equal(
    stdout,
    `damaged: chain ${hurt.replay.chain}\ndamaged: the event after cursor 2\ndamaged: the event after cursor 4\n`,
  )
  assert.match(stderr, /^kez-sig-server: damage in 3 places \[store\.corrupt\]\nkez-sig-server: hint: /)
})
