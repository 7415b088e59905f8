/** `kez chat` at a real pseudo-terminal: the whole screen, and a terminal that is as it was afterwards. */
import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { alternate, openSession, plain } from "../cli/support/pty.ts"
import { skipWithoutNats } from "../support/broker.ts"
import { type Chatter, envOf, makeMember } from "../support/chat-people.ts"
import { type ChatWorld, startChatWorld } from "../support/chat-world.ts"
import { laterCleaner } from "../support/person.ts"

const key = {
  ctrl: (letter: string) => String.fromCharCode(letter.charCodeAt(0) - 96),
  escape: "\u001b",
  f1: "\u001bOP",
}

describe("kez at a terminal, over real servers", { skip: skipWithoutNats }, () => {
  const t = laterCleaner(after)
  let world: ChatWorld
  let alice: Chatter
  let bob: Chatter
  before(async () => {
    world = await startChatWorld(t)
    alice = await makeMember(t, world, "alice")
    bob = await makeMember(t, world, "bob")
    await alice.ok("contacts", "add", "bob@localhost")
  })

  test("two screens: text, reply, reaction, edit, delete, typing", async () => {
    using a = openSession(["chat", "bob"], { env: envOf(alice), columns: 80 })
    await a.expect(/● online/)
    using b = openSession(["chat", "alice"], { env: envOf(bob), columns: 80 })
    await b.expect(/● online/)
    a.type("hello from the screen")
    a.type("\r")
    await b.expect(/alice: .{0,8}hello from the screen/)
    await a.expect(/· (?:delivered|read)/)
    b.type("t")
    await a.expect(/is typing/)
    b.type(`${key.ctrl("u")}${key.ctrl("p")}`)
    await b.expect(/r reply · e edit/)
    b.type("r")
    await b.expect(/reply> /)
    b.type("an answer\r")
    await a.expect(/bob.{0,8} ↪ you: hello from the screen/)
    await a.expect(/an answer/)
    a.type("\u001b[A") // the last own message
    await a.expect(/edit> .{0,8}hello from the screen/)
    a.type(", better\r")
    await b.expect(/hello from the screen, better/)
    b.type(`${key.ctrl("p")}`)
    await b.expect(/r reply · e edit/)
    b.type("d")
    await a.expect(/\(taken back\)/)
    a.type(`${key.ctrl("e")}`)
    await a.expect(/safety code\s+\w+ \w+/)
    a.type(key.ctrl("q"))
    b.type(key.ctrl("q"))
    assert.deepEqual([await a.end(), await b.end()], [0, 0])
    for (const { screen } of [a, b])
      assert.ok(screen.lastIndexOf(alternate.leave) > screen.lastIndexOf(alternate.enter))
  })

  test("hostile text is shown, never obeyed", async () => {
    await bob.ok("dm", "alice", "x\u001b[2Jy\u0007\u202ez")
    using a = openSession(["chat", "bob"], { env: envOf(alice), columns: 80 })
    await a.expect(/x\\u\{1b\}\[2Jy\\u\{7\}\\u\{202e\}z/)
    a.type(key.ctrl("q"))
    assert.equal(await a.end(), 0)
  })

  test("an unknown command says what there is, and the text stays; help opens and closes", async () => {
    using a = openSession(["chat", "bob"], { env: envOf(alice), columns: 100 })
    await a.expect(/● online/)
    a.type("/quitt\r")
    await a.expect(/Did you mean \/quit\?/)
    a.type(key.ctrl("u"))
    a.type(key.f1)
    await a.expect(/Ctrl-K/)
    a.type(key.escape)
    await a.expect(/\^P choose a message/)
    a.type("/quit\r")
    assert.equal(await a.end(), 0)
  })

  test("a second kez on the same account says who has it", async () => {
    using a = openSession(["chat", "bob"], { env: envOf(alice), columns: 80 })
    await a.expect(/● online/)
    const { code, error } = await alice.json(["dm", "bob", "hi"])
    assert.deepEqual([code, error.code], [1, "store.busy"])
    assert.match(error.message, /kez chat/)
    a.type(key.ctrl("q"))
    await a.end()
  })

  test("TERM=dumb and --plain draw nothing", async () => {
    for (const [args, env] of [
      [["chat", "bob", "--plain"], {}],
      [["chat", "bob"], { TERM: "dumb" }],
    ] as const) {
      using a = openSession(args, { env: { ...envOf(alice), ...env } })
      await a.expect(/with bob@localhost/)
      a.enter("/quit")
      assert.equal(await a.end(), 0)
      assert.ok(!a.screen.includes(alternate.enter))
      assert.equal(plain(a.screen), a.screen)
    }
  })
})
