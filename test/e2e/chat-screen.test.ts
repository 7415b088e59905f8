/** `kez account create` and `kez chat` at a real pseudo-terminal: words, recall, the whole screen, and a terminal that is as it was afterwards. */
import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { alternate, openSession, plain, type Session } from "../cli/support/pty.ts"
import { skipWithoutNats } from "../support/broker.ts"
import { type Chatter, envOf, makeChatter, makeMember } from "../support/chat-people.ts"
import { type ChatWorld, startChatWorld } from "../support/chat-world.ts"

const key = { ctrl: (letter: string) => String.fromCharCode(letter.charCodeAt(0) - 96), escape: "\u001b", f1: "\u001bOP" }

describe("kez at a terminal, over real servers", { skip: skipWithoutNats }, () => {
  const cleaners: (() => Promise<void> | void)[] = []
  const t = { after: (clean: () => Promise<void> | void) => void cleaners.push(clean) }
  let world: ChatWorld
  let alice: Chatter
  let bob: Chatter
  before(async () => {
    world = await startChatWorld(t)
    alice = await makeMember(t, world, "alice")
    bob = await makeMember(t, world, "bob")
    await alice.ok("contacts", "add", "bob@localhost")
  })
  after(async () => {
    for (const clean of cleaners.toReversed()) await clean()
  })

  test("account create shows the words, has four typed back, and is ready", async () => {
    const mira = await makeChatter(t, world)
    using session = openSession(["account", "create", "mira@localhost", "--no-passphrase"], { env: envOf(mira) })
    const words = await readWords(session)
    await answerRecall(session, words)
    await session.expect(/✓ mira@localhost/)
    assert.equal(await session.end(), 0)
    const shown = await mira.ok("account", "show")
    assert.deepEqual([shown.state, shown.backup], ["ready", "confirmed"])
    assert.ok(!mira.keeps(words.join(" ")))
  })

  test("Ctrl-C before the recall leaves an account that the same command goes on with", async () => {
    const nora = await makeChatter(t, world)
    {
      using session = openSession(["account", "create", "nora@localhost", "--no-passphrase"], { env: envOf(nora) })
      await session.expect(/Press Enter when they are on paper/)
      session.type(key.ctrl("c"))
      assert.equal(await session.end(), 130)
    }
    const begun = await nora.ok("account", "show")
    assert.deepEqual([begun.account, begun.state], ["nora@localhost", "creating"])
    assert.equal((await nora.json(["chat"])).error.code, "store.unknown")
    using session = openSession(["account", "create", "nora@localhost", "--no-passphrase"], { env: envOf(nora) })
    await answerRecall(session, await readWords(session))
    await session.expect(/✓ nora@localhost/)
    assert.equal(await session.end(), 0)
    assert.equal((await nora.ok("identity", "list")).identities.length, 1)
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
    for (const { screen } of [a, b]) assert.ok(screen.lastIndexOf(alternate.leave) > screen.lastIndexOf(alternate.enter))
  })

  test("hostile text is shown, never obeyed", async () => {
    await bob.ok("dm", "alice", "x\u001b[2Jy\u0007\u202ez")
    using a = openSession(["chat", "bob"], { env: envOf(alice), columns: 80 })
    await a.expect(/x\\u\{1b\}\[2Jy\\u\{7\}\\u\{202e\}z/)
    a.type(key.ctrl("q"))
    assert.equal(await a.end(), 0)
  })

  test("an unknown command says what there is, and the text stays; help opens and closes", async () => {
    using a = openSession(["chat", "bob"], { env: envOf(alice), columns: 60 })
    await a.expect(/● online/)
    a.type("/quitt\r")
    await a.expect(/Did you mean \/quit\?/)
    a.type(key.ctrl("u"))
    a.type(key.f1)
    await a.expect(/Ctrl-K/)
    a.type(key.escape)
    await a.expect(/write to bob/)
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

async function readWords(session: Session, count = 24): Promise<readonly string[]> {
  await session.expect(/Write these/)
  const words: string[] = []
  const [shown] = await session.expect(/[\s\S]*Press Enter/)
  for (const [, number, word] of plain(shown).matchAll(/(\d+) ([a-z]{3,8})\b/g)) words[Number(number) - 1] = word ?? ""
  assert.equal(words.filter((word) => word !== undefined).length, count)
  session.enter("")
  return words
}

async function answerRecall(session: Session, words: readonly string[]): Promise<void> {
  await session.expect(/Number \[1\]: /)
  session.enter("1")
  for (let asked = 0; asked < 4; asked++) {
    const [, number] = await session.expect(/Word (\d+) \(\d of 4\): /)
    session.enter(words[Number(number) - 1] ?? "")
  }
}
