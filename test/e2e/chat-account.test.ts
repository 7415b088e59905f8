/** `kez account` over real servers: words and their recall at a terminal, invitations, interruptions, rename, move, restore. SPEC §7.8 */
import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { openSession, plain, type Session } from "../cli/support/pty.ts"
import { skipWithoutNats } from "../support/broker.ts"
import { type Chatter, envOf, makeChatter, makeMember } from "../support/chat-people.ts"
import { runChatServer, startChatServer } from "../support/chat-server.ts"
import { type ChatWorld, startChatWorld } from "../support/chat-world.ts"
import { laterCleaner } from "../support/person.ts"

const key = { ctrl: (letter: string) => String.fromCharCode(letter.charCodeAt(0) - 96) }
const texts = (data: { readonly messages: readonly { readonly text: string }[] }): readonly string[] =>
  data.messages.map(({ text }) => text)

describe("accounts with the kez command", { skip: skipWithoutNats }, () => {
  const t = laterCleaner(after)
  let world: ChatWorld
  let alice: Chatter
  let bob: Chatter
  before(async () => {
    world = await startChatWorld(t)
    alice = await makeMember(t, world, "alice")
    bob = await makeMember(t, world, "bob")
    await alice.ok("contacts", "add", "bob")
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

  test("a taken handle is refused before anything is made", async () => {
    const mira = await makeChatter(t, world)
    const { code, error } = await mira.json(["account", "create", "alice@localhost", "--no-passphrase"])
    assert.deepEqual([code, error.code], [1, "handle.taken"])
    assert.deepEqual((await mira.ok("account", "show", "--all")).accounts, [])
    assert.deepEqual((await mira.ok("identity", "list")).identities, [])
  })

  test("by invitation: the code comes from a file or the environment, never from an argument, and the command goes on", async () => {
    const server = await startChatServer(t, { args: ["--registration", "invite", "--stores", world.store.url] })
    const guest = await makeChatter(t, { ...world, server } as ChatWorld)
    const create = ["account", "create", "greta@localhost", "--no-passphrase"]
    const refused = await guest.json(create)
    assert.deepEqual([refused.code, refused.error.code], [1, "handle.invitation"])
    assert.match(refused.error.hint ?? "", /--invitation-file/)
    const wrong = await guest.json([...create, "--invitation-file", guest.file("wrong", "7Q4K-M2P9\n")])
    assert.equal(wrong.error.code, "handle.invitation")
    const { stdout } = await runChatServer(["invite", "--data", `${server.folder}/data`])
    const code = /[A-Z2-7-]{12,}/i.exec(stdout)?.[0] ?? ""
    const { code: ended, data } = await guest.json(create, { env: { KEZ_INVITATION: code }, timeoutMs: 40_000 })
    assert.deepEqual([ended, data.account, data.state], [0, "greta@localhost", "ready"])
    assert.equal((await guest.ok("identity", "list")).identities.length, 1)
  })

  test("keys under a passphrase: locked without it, open while the agent has them, and nothing readable on the disk", async () => {
    const vera = await makeChatter(t, world)
    const secret = ["--passphrase-file", vera.file("pass", "correct horse battery\n")]
    const made = await vera.ok("account", "create", "vera@localhost", ...secret)
    assert.deepEqual([made.protection, made.holds_primary], ["passphrase", true])
    const locked = await vera.json(["dm", "bob", "hi"])
    assert.deepEqual([locked.code, locked.error.code], [4, "key.locked"])
    assert.match(locked.error.hint ?? "", /kez account unlock/)
    await vera.ok("account", "unlock", "--for", "5m", ...secret)
    await vera.ok("dm", "bob", "a canary text")
    assert.deepEqual((await vera.ok("account", "lock")).locked, ["vera@localhost"])
    assert.equal((await vera.json(["contacts", "list"])).error.code, "key.locked")
    assert.ok(!vera.keeps("a canary text"))
  })

  test("a renamed contact is told as such, and accepted by hand", async () => {
    const moved = await bob.ok("account", "rename", "robert", "--yes")
    assert.equal(moved.account, "robert@localhost")
    const { alarms } = await alice.ok("contacts", "check")
    assert.deepEqual(
      alarms.map(({ kind, movedTo }: { kind: string; movedTo: string }) => [kind, movedTo]),
      [["handle_moved", "robert@localhost"]],
    )
    const { contacts } = await alice.ok("contacts", "check", "--accept", alarms[0].alarm)
    assert.deepEqual(
      contacts.map(({ account }: { account: string }) => account),
      ["robert@localhost"],
    )
    await alice.ok("dm", "robert", "still you?")
    assert.deepEqual(texts(await bob.ok("dm", "alice", "--tail", "1")), ["still you?"])
  })

  test("move leads from the old server to the new one", async () => {
    const other = await startChatServer(t, { args: ["--domain", "other.example", "--stores", world.store.url] })
    const carl = await makeMember(t, world, "carl", { hosts: { "other.example": other.url } })
    const moved = await carl.ok("account", "move", "carl@other.example", "--yes")
    assert.deepEqual([moved.account, moved.state], ["carl@other.example", "ready"])
    const old = await fetch(`${world.server.url}/v1/handles/carl`)
    assert.equal(old.status, 410)
    assert.equal(((await old.json()) as { readonly moved_to: string }).moved_to, "carl@other.example")
    const { events } = await carl.ok("sigchain", "show", "--identity", "carl")
    assert.ok(JSON.stringify(events).includes("kez:carl@other.example"))
  })

  test("24 words bring the account to another computer, as a second device", async () => {
    const { recovery_words } = await alice.ok("identity", "mnemonic", "--reveal-words")
    const other = await makeChatter(t, world)
    const words = other.file("words", recovery_words.join(" "))
    const restored = await other.ok("account", "restore", "--mnemonic", `@${words}`, "--no-passphrase", "--device-only")
    assert.deepEqual(
      [restored.account, restored.other_devices.length, restored.holds_primary],
      ["alice@localhost", 1, false],
    )
    // One's own devices add a new one at once; those of others leave it to them for a while.
    await alice.ok("dm", "robert", "from the first device")
    await bob.ok("dm", "alice", "to both of you")
    assert.equal(texts(await other.ok("dm", "robert", "--tail")).at(-1), "to both of you")
    assert.equal(texts(await alice.ok("dm", "robert", "--tail")).at(-1), "to both of you")
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
