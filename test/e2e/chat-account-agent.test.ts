/** The agent of an account ends with what it holds: also where that is removed while a passphrase is typed, or replaced by a restore. */
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { readdirSync } from "node:fs"
import { open } from "node:fs/promises"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { skipWithoutNats } from "../support/broker.ts"
import { type Chatter, makeChatter } from "../support/chat-people.ts"
import { type ChatWorld, startChatWorld } from "../support/chat-world.ts"
import { wordsOf } from "../support/history.ts"
import { laterCleaner } from "../support/person.ts"

const socketsOf = ({ home }: Chatter): readonly string[] => readdirSync(join(home, "run"))

describe("the agent of an account that goes", { skip: skipWithoutNats }, () => {
  const t = laterCleaner(after)
  let world: ChatWorld
  before(async () => {
    world = await startChatWorld(t)
  })

  test("account restore --replace ends the agent of the device that it replaces", async () => {
    const vera = await makeChatter(t, world)
    const secret = ["--passphrase-file", vera.file("pass", "correct horse battery\n")]
    await vera.ok("account", "create", "vera@localhost", ...secret)
    await vera.ok("account", "unlock", ...secret)
    assert.equal(socketsOf(vera).length, 1)
    const words = vera.file("words", await wordsOf(vera, "vera", ...secret))
    await vera.ok("account", "restore", "vera@localhost", "--mnemonic", `@${words}`, "--replace", ...secret)
    assert.deepEqual(socketsOf(vera), [])
  })

  test("an account that is removed while its passphrase is typed keeps no agent", async () => {
    const nora = await makeChatter(t, world)
    const secret = ["--passphrase-file", nora.file("pass", "correct horse battery\n")]
    await nora.ok("account", "create", "nora@localhost", ...secret)
    const fifo = join(nora.dir, "passphrase")
    execFileSync("mkfifo", [fifo])
    const unlocking = nora.json(["account", "unlock", "--passphrase-file", fifo])
    // It opens when the command reads it, which has read the key file by then.
    const typing = await open(fifo, "w")
    await nora.ok("account", "remove", "nora@localhost", "--yes")
    await typing.write("correct horse battery\n")
    await typing.close()
    const { code, error } = await unlocking
    assert.deepEqual([code, error.code], [1, "store.unknown"])
    assert.deepEqual(socketsOf(nora), [])
  })
})
