/** Files while `kez chat` is open: on the screen, in plain lines, and for programs; over real servers and the real kez-iroh. */
import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { openSession } from "../cli/support/pty.ts"
import { Bot, type Line } from "../support/bot.ts"
import { skipWithoutNats } from "../support/broker.ts"
import { type Chatter, envOf, startCouple } from "../support/chat-people.ts"
import { buildIroh, folderOf } from "../support/files-people.ts"
import { skipWithoutIroh } from "../support/iroh.ts"
import { laterCleaner } from "../support/person.ts"

describe("files while kez chat is open", { skip: skipWithoutNats || skipWithoutIroh() }, () => {
  const t = laterCleaner(after)
  let alice: Chatter
  let bob: Chatter
  let env: { readonly KEZ_IROH: string }
  before(async () => {
    env = await buildIroh()
    ;({ alice, bob } = await startCouple(t))
  })

  const isOffer = ({ data }: Line): boolean => data?.kind === "message" && data.type === "file_offer"
  const isDone = (name: string, direction: string) => (line: Line) =>
    line.data?.kind === "transfer" &&
    line.data.name === name &&
    line.data.direction === direction &&
    line.data.state === "done"

  test("programs: offered, fetched, declined; and kez send elsewhere says what to type in the chat", async () => {
    const [a, b] = [new Bot(alice, env), new Bot(bob, env)]
    t.after(() => {
      a.kill()
      b.kill()
    })
    const bytes = randomBytes(2_000_000)
    writeFileSync(join(alice.dir, "one.bin"), bytes)
    assert.equal((await a.ask({ do: "send_file", to: "bob", path: join(alice.dir, "one.bin") })).ok, true)
    const offer = await b.find(isOffer)
    const { conversation, message } = offer.data
    assert.equal((await b.ask({ do: "receive", conversation, message })).ok, true)
    const got = await b.find(isDone("one.bin", "in"))
    await a.find(isDone("one.bin", "out"))
    assert.deepEqual(readFileSync(got.data.target), bytes)
    assert.equal((await b.ask({ do: "receive", conversation, message })).error.code, "usage")
    writeFileSync(join(alice.dir, "two.txt"), "two")
    await a.ask({ do: "send_file", to: "bob", path: join(alice.dir, "two.txt") })
    const second = await b.find((line) => isOffer(line) && line.data.file_offer.name === "two.txt")
    assert.equal((await b.ask({ do: "decline", conversation, message: second.data.message })).ok, true)
    await a.find(
      (line) => line.data?.kind === "transfer" && line.data.name === "two.txt" && line.data.state === "declined",
    )
    const busy = await alice.json(["send", join(alice.dir, "two.txt"), "bob"], { env })
    assert.equal(busy.error.code, "store.busy")
    assert.match(busy.error.hint ?? "", /Type there: \/to bob, then \/send .*two\.txt/)
    const gone = await a.ask({ do: "send_file", to: "bob", path: join(alice.dir, "gone") })
    assert.equal(gone.error.code, "input.unreadable")
    assert.deepEqual([await a.quit(), await b.quit()], [0, 0])
  })

  test("what was offered and accepted in a chat goes on in the next one", async () => {
    const first = new Bot(alice, env)
    t.after(() => first.kill())
    writeFileSync(join(alice.dir, "later.bin"), randomBytes(500_000))
    assert.equal((await first.ask({ do: "send_file", to: "bob", path: join(alice.dir, "later.bin") })).ok, true)
    await first.ask({ do: "conversations" })
    assert.equal(await first.quit(), 0)
    const b = new Bot(bob, env)
    t.after(() => b.kill())
    const { data } = await b.find((line) => isOffer(line) && line.data.file_offer.name === "later.bin")
    await b.ask({ do: "receive", conversation: data.conversation, message: data.message })
    const second = new Bot(alice, env)
    t.after(() => second.kill())
    await second.find(isDone("later.bin", "out"))
    assert.ok(existsSync((await b.find(isDone("later.bin", "in"))).data.target))
    assert.deepEqual([await second.quit(), await b.quit()], [0, 0])
  })

  test("on the screen: /send, then f on the message; in plain lines the same is said", async () => {
    writeFileSync(join(folderOf(alice, "my photos"), "sea.jpg"), randomBytes(300_000))
    using b = openSession(["chat", "alice", "--dir", folderOf(bob, "in")], {
      env: { ...envOf(bob), ...env },
      columns: 100,
    })
    await b.expect(/● online/)
    using a = openSession(["chat", "bob", "--plain"], { env: { ...envOf(alice), ...env } })
    await a.expect(/with bob@localhost/)
    a.enter("/send ~/my\\ photos")
    await a.expect(/offered my photos/)
    await b.expect(/offers my photos, 1 file, 300\.0 kB/)
    await b.expect(/\/receive fetches it/)
    b.type("\u0010") // Ctrl-P
    await b.expect(/f fetch/)
    b.type("f")
    await a.expect(/bob@localhost has my photos, 300\.0 kB/)
    await b.expect(/in\/my photos, 300\.0 kB/)
    assert.ok(existsSync(join(bob.dir, "in", "my photos", "sea.jpg")))
    b.type("\u0011")
    a.enter("/quit")
    assert.deepEqual([await a.end(), await b.end()], [0, 0])
  })

  test("without kez-iroh the chat works, and /send says in a line what is missing", async () => {
    using a = openSession(["chat", "bob", "--plain"], { env: { ...envOf(alice), KEZ_IROH: "/nowhere/kez-iroh" } })
    await a.expect(/with bob@localhost/)
    writeFileSync(join(alice.dir, "x.txt"), "x")
    a.enter("/send ~/x.txt")
    await a.expect(/Cannot move files: KEZ_IROH names no program.*\[file\.program\]/)
    a.enter("still here")
    await a.expect(/you.{0,8}: still here/)
    a.enter("/quit")
    assert.equal(await a.end(), 0)
  })
})
