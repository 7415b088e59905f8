/** Mailboxes, readers, conversations and commits on a real nats-server: order, ids, races, a full mailbox, 1,001 readers, kill -9. */
import assert from "node:assert/strict"
import { after, describe, test } from "node:test"
import { type BrokerStore, conversationOf, mailboxOf } from "@kez/broker"
import { mailboxShardOf } from "@kez/core"
import { jetstream, jetstreamManager } from "@nats-io/jetstream"
import type { NatsConnection } from "@nats-io/transport-node"
import {
  connectDevice,
  makeDevice,
  skipWithoutNats,
  startCallout,
  startTestBroker,
  type TestDevice,
} from "../support/broker.ts"

describe("streams", { skip: skipWithoutNats }, async () => {
  if (skipWithoutNats !== false) return
  const t = { after }
  const broker = await startTestBroker(t)
  await startCallout(broker)
  const [storeConnection, store] = [await broker.service("store"), await broker.store()]
  await store.ensureStreams()
  const alice = await makeDevice("alice")
  const connection = await connectDevice(t, { broker, device: alice })
  const deliver = (to: TestDevice, id: string) =>
    store.deliver({ uid: to.uid, id: `${id}:${to.uid}`, data: Buffer.from(id) })

  test("a reader has exactly the settings of the design, whatever there was before", async () => {
    const { consumer } = await store.openSession(alice, 0)
    const again = (await store.openSession(alice, 0)).consumer
    assert.equal(consumer.name, again.name)
    const {
      ack_policy,
      mem_storage,
      num_replicas,
      inactive_threshold,
      max_waiting,
      max_batch,
      filter_subject,
      opt_start_seq,
    } = again.config
    assert.deepEqual(
      {
        ack_policy,
        mem_storage,
        num_replicas,
        inactive_threshold,
        max_waiting,
        max_batch,
        filter_subject,
        opt_start_seq,
      },
      {
        ack_policy: "none",
        mem_storage: true,
        num_replicas: 1,
        inactive_threshold: 120_000_000_000,
        max_waiting: 8,
        max_batch: 256,
        filter_subject: mailboxOf(alice.uid, broker.keys.mailboxSecret).subject,
        opt_start_seq: 1,
      },
    )
  })

  test("a device reads from its cursor on, and only its own person's messages", async () => {
    const bob = await makeDevice(await personInShardOf(alice))
    assert.equal(mailboxShardOf(bob.uid), mailboxShardOf(alice.uid))
    for (const id of ["a1", "a2", "a3"]) {
      await deliver(alice, id)
      await deliver(bob, `of bob ${id}`)
    }
    assert.deepEqual((await readAll(store, connection, alice, 0)).texts, ["a1", "a2", "a3"])
    const { seqs } = await readAll(store, connection, alice, 0)
    assert.deepEqual((await readAll(store, connection, alice, seqs[1] ?? 0)).texts, ["a3"])
    assert.deepEqual((await readAll(store, connection, alice, seqs[2] ?? 0)).texts, [])
  })

  test("a cursor beyond what is stored is told, and reading begins anew: the broker has lost messages", async () => {
    assert.equal((await store.openSession(alice, 0)).isRewound, false)
    assert.equal((await store.openSession(alice, 1_000_000)).isRewound, true)
    assert.ok((await readAll(store, connection, alice, 1_000_000)).texts.length > 0)
  })

  test("trap: ids are per stream, so that one without its recipient would swallow another's message", async () => {
    const bob = await makeDevice(await personInShardOf(alice))
    const same = { id: "same id", data: Buffer.from("x") }
    assert.equal((await store.deliver({ uid: alice.uid, ...same })).isDuplicate, false)
    assert.equal((await store.deliver({ uid: bob.uid, ...same })).isDuplicate, true)
    assert.equal((await deliver(alice, "once")).isDuplicate, false)
    assert.equal((await deliver(bob, "once")).isDuplicate, false)
    const again = await deliver(alice, "once")
    assert.equal(again.isDuplicate, true)
  })

  test("trimMailbox() forgets what all have, and nothing of others", async () => {
    const carol = await makeDevice("carol")
    const kept = []
    for (const id of ["c1", "c2", "c3"]) kept.push(await deliver(carol, id))
    assert.equal(await store.trimMailbox(carol.uid, kept[1]?.seq ?? 0), 2)
    const [other] = [await connectDevice(t, { broker, device: carol })]
    assert.deepEqual((await readAll(store, other, carol, 0)).texts, ["c3"])
    assert.ok((await readAll(store, connection, alice, 0)).texts.length >= 3)
  })

  test("a full mailbox refuses -> store.full; others in its stream do not notice", async () => {
    const dave = await makeDevice("dave")
    const { stream, subject } = mailboxOf(dave.uid, broker.keys.mailboxSecret)
    const manager = await jetstreamManager(storeConnection)
    const { config } = await manager.streams.info(stream)
    await manager.streams.update(stream, { ...config, max_msgs_per_subject: 3 })
    for (const id of ["1", "2", "3"]) await deliver(dave, id)
    await assert.rejects(deliver(dave, "4"), { code: "store.full" })
    await manager.streams.purge(stream, { filter: subject })
    assert.equal((await deliver(dave, "5")).isDuplicate, false)
    await store.ensureStreams()
    assert.equal((await manager.streams.info(stream)).config.max_msgs_per_subject, 10_000)
  })

  test("trap: the 1,001st reader of a stream is taken", async () => {
    const manager = await jetstreamManager(storeConnection)
    const { stream } = mailboxOf(alice.uid, broker.keys.mailboxSecret)
    const many = Array.from(
      { length: 1_010 },
      (_, i) => ({ name: `reader${i}`, ack_policy: "none", mem_storage: true }) as const,
    )
    for (let at = 0; at < many.length; at += 101) {
      await Promise.all(many.slice(at, at + 101).map((config) => manager.consumers.add(stream, config)))
    }
    assert.ok((await manager.streams.info(stream)).state.consumer_count > 1_000)
    await Promise.all(many.map(({ name }) => manager.consumers.delete(stream, name)))
  })

  test("M11 of 20 commits that race, one wins each of 25 epochs, and the losers are told which", async () => {
    let newest = 0
    for (let epoch = 0; epoch < 25; epoch++) {
      const racers = Array.from({ length: 20 }, (_, racer) =>
        store.commit({
          conversation: "race",
          id: `${epoch}.${racer}`,
          data: Buffer.from(`${epoch}.${racer}`),
          follows: newest,
        }),
      )
      const outcomes = await Promise.all(racers)
      const won = outcomes.flatMap((outcome) => (outcome.accepted ? [outcome.seq] : []))
      assert.equal(won.length, 1, `epoch ${epoch}`)
      newest = won[0] ?? 0
      for (const outcome of outcomes) if (!outcome.accepted) assert.equal(outcome.newest, newest)
    }
    const { messages: log } = await store.read({ conversation: "race", kind: "commits", fromSeq: 1 })
    assert.equal(log.length, 25)
    assert.deepEqual(
      log.map(({ data }) => Number(Buffer.from(data).toString().split(".")[0])),
      Array.from({ length: 25 }, (_, i) => i),
    )
  })

  test("a commit sent again after a lost answer is told its own place, as long as it is the newest", async () => {
    const commit = { conversation: "again", id: "same", data: Buffer.from("x"), follows: 0 }
    const first = await store.commit(commit)
    assert.ok(first.accepted)
    assert.deepEqual(await store.commit(commit), first)
    const next = await store.commit({ ...commit, id: "next", follows: first.seq })
    assert.ok(next.accepted)
    assert.deepEqual(await store.commit(commit), { accepted: false, newest: next.seq })
  })

  test("messages of a conversation do not disturb its commits, and both are read apart", async () => {
    const first = await store.commit({ conversation: "both", id: "b1", data: Buffer.from("commit 1"), follows: 0 })
    for (let i = 0; i < 5; i++) await store.append({ conversation: "both", id: `bm${i}`, data: Buffer.from(`${i}`) })
    assert.ok(first.accepted)
    assert.ok(
      (await store.commit({ conversation: "both", id: "b2", data: Buffer.from("commit 2"), follows: first.seq }))
        .accepted,
    )
    const texts = async (kind: "messages" | "commits", fromSeq: number, limit?: number) =>
      (
        await store.read({ conversation: "both", kind, fromSeq, ...(limit === undefined ? {} : { limit }) })
      ).messages.map(({ data }) => Buffer.from(data).toString())
    assert.deepEqual(await texts("messages", 1), ["0", "1", "2", "3", "4"])
    assert.deepEqual(await texts("messages", 1, 2), ["0", "1"])
    assert.deepEqual(await texts("commits", 1), ["commit 1", "commit 2"])
    assert.deepEqual(await texts("commits", 1_000_000), [])
    assert.equal(conversationOf("both").commits.stream, conversationOf("both").messages.stream)
  })

  test("a page ends with the message that reaches its bytes, and says whether there is more", async () => {
    const data = Buffer.alloc(100_000, 7)
    for (let i = 0; i < 12; i++) await store.archive({ uid: alice.uid, id: `page ${i}`, data })
    const page = (fromSeq: number, maxBytes: number, limit?: number) =>
      store.readArchive({ uid: alice.uid, fromSeq, maxBytes, ...(limit === undefined ? {} : { limit }) })
    const sizeOf = async (fromSeq: number, maxBytes: number, limit?: number) => {
      const { messages, isEnd } = await page(fromSeq, maxBytes, limit)
      return [messages.length, isEnd]
    }
    assert.deepEqual(await sizeOf(0, 196_608), [2, false])
    assert.deepEqual(await sizeOf(0, 1), [1, false])
    assert.deepEqual(await sizeOf(0, 10_000_000, 5), [5, false])
    assert.deepEqual(await sizeOf(0, 10_000_000), [12, true])
    const all: number[] = []
    for (let isEnd = false; !isEnd; ) {
      const read = await page((all.at(-1) ?? 0) + 1, 250_000)
      all.push(...read.messages.map(({ seq }) => seq))
      isEnd = read.isEnd
    }
    assert.equal(new Set(all).size, 12)
    assert.deepEqual(await sizeOf((all.at(-1) ?? 0) + 1, 196_608), [0, true])
  })

  test("a closed session's reader is gone, and closing it again is no fault", async () => {
    await store.openSession(alice, 0)
    await store.closeSession(alice)
    await store.closeSession(alice)
    const manager = await jetstreamManager(storeConnection)
    await assert.rejects(manager.consumers.info(`MBX${mailboxShardOf(alice.uid)}`, `${alice.uid}_${alice.dev}`))
  })
})

test("kill -9 of nats-server: with the cursor that the client holds nothing is lost and nothing twice", {
  skip: skipWithoutNats,
}, async (t) => {
  const first = await startTestBroker(t)
  await startCallout(first)
  const store = await first.store()
  await store.ensureStreams()
  const alice = await makeDevice("alice")
  const connection = await connectDevice(t, {
    broker: first,
    device: alice,
    // Who knocks just before the responder is back is never answered: a dial must not wait for as long as the server would.
    options: {
      reconnect: true,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
      ignoreAuthErrorAbort: true,
      timeout: 5_000,
    },
  })
  const acknowledged: string[] = []
  const seen: string[] = []
  let cursor = 0
  const readSome = async (): Promise<void> => {
    const { consumer } = await store.openSession(alice, cursor)
    const pull = jetstream(connection).consumers.getConsumerFromInfo(consumer)
    for await (const message of await pull.fetch({ max_messages: 100, expires: 1_000 })) {
      seen.push(message.string())
      cursor = message.seq
    }
  }
  const write = async (from: number): Promise<void> => {
    for (let i = from; i < from + 20; i++) {
      await store.deliver({ uid: alice.uid, id: `${i}:${alice.uid}`, data: Buffer.from(`${i}`) })
      // What is tried again after a failure was perhaps delivered before.
      if (!acknowledged.includes(`${i}`)) acknowledged.push(`${i}`)
    }
  }
  await write(0)
  await readSome()
  await write(20)
  first.child.kill("SIGKILL")
  await first.ended
  await startTestBroker(t, first.settings)
  await eventually(() => connection.flush())
  await eventually(() => write(40))
  await eventually(readSome)
  assert.deepEqual(seen, acknowledged)
})

async function readAll(store: BrokerStore, connection: NatsConnection, device: TestDevice, cursor: number) {
  const { consumer } = await store.openSession(device, cursor)
  const pull = jetstream(connection).consumers.getConsumerFromInfo(consumer)
  const [texts, seqs]: [string[], number[]] = [[], []]
  if (consumer.num_pending > 0) {
    for await (const message of await pull.fetch({ max_messages: consumer.num_pending, expires: 2_000 })) {
      texts.push(message.string())
      seqs.push(message.seq)
    }
  }
  return { texts, seqs }
}

/** Somebody else whose mailbox lies in the same stream. */
async function personInShardOf({ uid }: TestDevice): Promise<string> {
  for (let i = 0; ; i++)
    if (mailboxShardOf((await makeDevice(`person ${i}`)).uid) === mailboxShardOf(uid)) return `person ${i}`
}

async function eventually(run: () => Promise<void>): Promise<void> {
  const until = Date.now() + 60_000
  for (;;) {
    try {
      return await run()
    } catch (error) {
      if (Date.now() > until) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
