/** Two copies of the chat server on one PostgreSQL and one nats-server share the work, and give one answer. */
import assert from "node:assert/strict"
import { createHash, randomBytes } from "node:crypto"
import { after, before, suite, test } from "node:test"
import { openPostgres } from "../../apps/chat-server/src/storage/postgres.ts"
import { conversationSuite } from "../../apps/chat-server/test/conversation-suite.ts"
import { skipWithoutNats } from "../support/broker.ts"
import { ask, startChatServer } from "../support/chat-server.ts"
import { keyPackagesOf, startChatWorld } from "../support/chat-world.ts"
import { postgresMissing, startPostgres, type TestPostgres } from "../support/postgres.ts"

const idOf = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`

suite("PostgreSQL", { skip: postgresMissing || skipWithoutNats }, () => {
  let postgres: TestPostgres
  before(async () => {
    postgres = await startPostgres()
  })
  after(() => postgres?.close())

  conversationSuite("PostgreSQL", { open: async () => openPostgres(await postgres.createDatabase()) })

  test("two copies: each key package once, one winner among commits, messages by both", async (t) => {
    const url = await postgres.createDatabase()
    const world = await startChatWorld(t, { args: ["--database-url", url] })
    const second = await startChatServer(t, {
      args: [
        ...["--database-url", url, "--log-key", `${world.server.folder}/data/directory.key`],
        ...[
          "--stores",
          world.store.url,
          "--nats-url",
          world.broker.url,
          "--command-burst",
          "0",
          "--message-burst",
          "0",
        ],
        ...["--broker-keys", `${world.broker.settings.folder}/keys`],
      ],
    })
    const [alice, bob] = [await world.person("alice"), await world.person("bob")]
    const [[phone], [theirs]] = [alice.devices, bob.devices]
    assert.ok(phone && theirs)
    const [a, b] = [await world.connect(phone), await world.connect(theirs)]
    await b.ask("key-packages-put", {}, await keyPackagesOf(theirs, 5))
    const taken = await Promise.all(
      Array.from({ length: 5 }, () => a.ask("key-packages-take", { chain: bob.chain.chain })),
    )
    assert.equal(new Set(taken.map(({ parts: [part] }) => Buffer.from(part ?? []).toString("hex"))).size, 5)
    assert.equal(await a.codeOf("key-packages-take", { chain: bob.chain.chain }), "net.rate_limit")
    const conversation = randomBytes(32).toString("hex")
    const members = [alice.chain.chain, bob.chain.chain]
    const racing = await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        a.ask("commit", { conversation, id: idOf(`begin ${at}`), follows: 0, members }, [Buffer.from("begin")]),
      ),
    )
    assert.equal(racing.filter(({ header }) => header.accepted).length, 1)
    await Promise.all(
      Array.from({ length: 40 }, (_, at) =>
        a.ask("send", { conversation, id: idOf(`m ${at}`) }, [Buffer.from(`m ${at}`)]),
      ),
    )
    const seen = (await b.read()).filter(({ kind }) => kind === "message")
    assert.equal(new Set(seen.map(({ seq }) => seq)).size, 40)
    for (const { metricsUrl } of [world.server, second]) {
      const { text } = await ask(`${metricsUrl}/metrics`)
      assert.match(text, /kez_chat_commands_total\{operation="send",result="ok"\} [1-9]/)
    }
  })
})
