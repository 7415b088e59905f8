/** Two people with the kez command over real servers: create, find each other by handle and by a proven account, write, be away, in lines and in JSON. */
import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { skipWithoutNats } from "../support/broker.ts"
import { type Chatter, makeMember } from "../support/chat-people.ts"
import { type ChatWorld, startChatWorld } from "../support/chat-world.ts"
import { type GithubServer, startGithubServer } from "../support/github-server.ts"
import { laterCleaner } from "../support/person.ts"

const texts = (data: { readonly messages: readonly { readonly text: string }[] }): readonly string[] =>
  data.messages.map(({ text }) => text)

describe("two people with the kez command", { skip: skipWithoutNats }, () => {
  const t = laterCleaner(after)
  let world: ChatWorld
  let github: GithubServer
  let alice: Chatter
  let bob: Chatter
  before(async () => {
    github = await startGithubServer({
      users: [
        { id: 1001, login: "bob" },
        { id: 9919, login: "github", type: "Organization" },
      ],
      gists: [{ id: "a".repeat(32), owner: 1001, files: { "kez.md": "nothing yet" } }],
    })
    world = await startChatWorld(t)
    alice = await makeMember(t, world, "alice", { hosts: github.hosts })
    bob = await makeMember(t, world, "bob", { hosts: github.hosts })
  })
  after(async () => {
    await github.close()
  })

  test("alice finds bob by the GitHub account that he proved, and sees the proof", async () => {
    const { text } = await bob.ok("claim", "create", "github:bob")
    Object.assign(github.world.gists[0] ?? {}, { files: { "kez.md": text } })
    await bob.ok("sigchain", "add", "github:bob", "--subject-id", "1001")
    await bob.ok("sigchain", "publish")
    const found = await alice.ok("contacts", "add", "github:bob")
    assert.deepEqual([found.account, found.standing], ["bob@localhost", "accepted"])
    assert.deepEqual(
      found.proofs.map((one: { subject: string; word: string }) => [one.subject, one.word]),
      [["github:bob", "proven"]],
    )
    const shown = await alice.kez(["contacts", "show", "bob", "--evidence"])
    assert.match(shown.stdout, /✓ github:bob[\s\S]*gist/)
    assert.equal((await alice.json(["contacts", "add", "github:nobody"])).code, 14)
  })

  test("messages go both ways; who is away gets all of them in order", async () => {
    assert.match((await alice.ok("dm", "bob", "hello", "bob")).delivered.state, /^(?:sent|delivered)$/)
    for (const text of ["one", "two", "three"]) await alice.ok("dm", "github:bob", text)
    assert.deepEqual(texts(await bob.ok("dm", "alice", "--tail")), ["hello bob", "one", "two", "three"])
    const { to } = await bob.ok("dm", "alice@localhost", "hello alice")
    assert.equal(to, "alice@localhost")
    const seen = await alice.ok("dm", "bob", "--tail", "2")
    assert.deepEqual(texts(seen), ["three", "hello alice"])
    assert.equal(seen.messages[0].delivered.state, "read")
  })

  test("text from stdin is sent as it is; an empty one is misuse", async () => {
    const sent = await alice.kez(["dm", "bob"], { input: "two\nlines\n", timeoutMs: 30_000 })
    assert.equal(sent.code, 0, sent.stderr)
    assert.deepEqual(texts(await bob.ok("dm", "alice", "--tail", "1")), ["two\nlines"])
    assert.equal((await alice.kez(["dm", "bob"], { input: "\n" })).code, 2)
  })

  test("controls and bidi of a message do not reach the terminal", async () => {
    await alice.ok("dm", "bob", "a\u001b]0;evil\u0007b\u202ec\u200bd")
    const { stdout } = await bob.kez(["dm", "alice", "--tail", "1"], { timeoutMs: 30_000 })
    assert.match(stdout, /a\\u\{1b\}\]0;evil\\u\{7\}b\\u\{202e\}c\\u\{200b\}d/)
  })

  test("a program sends, replies, reacts, edits and takes back in JSON lines", async () => {
    const { messages } = await bob.ok("dm", "alice", "--tail", "1")
    const id = messages[0].message
    const commands = [
      { do: "send", to: "alice", text: "from a bot", id: 1 },
      { do: "reply", to: "alice", message: id, text: "to that", id: 2 },
      { do: "react", to: "alice", message: id, emoji: "👍", id: 3 },
      { do: "nonsense", id: 4 },
      { do: "conversations", id: 5 },
    ]
    const input = `${commands.map((one) => JSON.stringify(one)).join("\n")}\n`
    const { code, stdout } = await bob.kez(["chat", "--json"], { input, timeoutMs: 40_000 })
    assert.equal(code, 0)
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line))
    const answers = lines.filter(({ schema }) => schema !== "kez.chat_event/1")
    assert.deepEqual(
      answers.map(({ schema, ok, id: own, data }) => [schema, ok, own ?? data?.id ?? null]),
      [
        ["kez.chat_answer/1", true, 1],
        ["kez.chat_answer/1", true, 2],
        ["kez.chat_answer/1", true, 3],
        ["kez.error/1", false, 4],
        ["kez.chat_answer/1", true, 5],
        ["kez.chat/1", true, null],
      ],
    )
    assert.equal(lines[0].data.kind, "begin")
    const seen = await alice.ok("dm", "bob", "--tail", "3")
    assert.deepEqual(texts(seen).slice(1), ["from a bot", "to that"])
    assert.equal(seen.messages[2].answers, id)
    assert.deepEqual(
      seen.messages[0].reactions.map(({ emoji }: { emoji: string }) => emoji),
      ["👍"],
    )
  })

  test("plain lines show what comes, and send what is typed", async () => {
    const input = "hello from plain lines\n/reply that was me\n/nonsense\n/quit\n"
    const { code, stdout, stderr } = await alice.kez(["chat", "bob", "--plain"], { input, timeoutMs: 40_000 })
    assert.equal(code, 0, stderr)
    assert.match(stdout, /with bob@localhost: ✓ github:bob\n/)
    assert.match(stdout, /#\d+ \d\d:\d\d you: hello from plain lines/)
    assert.match(stderr, /there is no such command \[usage\]/)
    assert.deepEqual(texts(await bob.ok("dm", "alice", "--tail", "2")), ["hello from plain lines", "that was me"])
  })
})
