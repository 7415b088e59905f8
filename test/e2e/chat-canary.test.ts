/** A text that is sent a hundred times is found nowhere: in no file of the broker, no database, no log, no store of a device. adversarial M20 */
import assert from "node:assert/strict"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { after, describe, test } from "node:test"
import { skipWithoutNats } from "../support/broker.ts"
import { openTestEngine, until } from "../support/chat-engines.ts"
import { startChatWorld, type WorldDevice } from "../support/chat-world.ts"
import { laterCleaner } from "../support/person.ts"

const canary = "canary-8e61d2-nobody-else-reads-this"

function filesUnder(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
}

describe("what servers and disks see", { skip: skipWithoutNats }, async () => {
  if (skipWithoutNats !== false) return
  const t = laterCleaner(after)
  const world = await startChatWorld(t)
  const [alice, bob] = [await world.person("alice"), await world.person("bobby")]
  const of = (person: typeof alice) => ({ person, device: person.devices[0] as WorldDevice })
  const [a, b] = [await openTestEngine(t, world, of(alice)), await openTestEngine(t, world, of(bob))]

  test("M20 the canary is read by Bob a hundred times, and stands in no file and no output", async () => {
    await a.engine.contacts.add("bobby@localhost")
    for (let i = 0; i < 100; i++) await a.say(bob.chain.chain, `${canary} ${i}`)
    await until("bob has all", async () => (await b.texts(alice.chain.chain)).length === 100, 40)
    assert.ok((await b.texts(alice.chain.chain)).every((text, i) => text === `${canary} ${i}`))
    const folders = [world.broker.settings.folder, world.server.folder, world.store.folder, a.folder, b.folder]
    const files = folders.flatMap(filesUnder)
    assert.ok(files.some((path) => path.endsWith("chat.db")) && files.length > 5)
    // Whole, and as base64 or JSON would carry it.
    const forms = [canary, Buffer.from(canary).toString("base64").slice(4, 40), Buffer.from(canary).toString("hex")]
    for (const path of files) {
      const bytes = readFileSync(path)
      for (const form of forms) assert.ok(!bytes.includes(form), `${form} in ${path}`)
    }
    for (const { log } of [world.server, world.store]) assert.ok(!log().join("\n").includes("canary"))
  })
})
