/** Alice and Bob on one broker, their chat server as little as attacks need it, and what is seen of an attack. */
import { type BrokerStore, commandSubjects, mailboxOf, type Place, parseCommand } from "@kez/broker"
import { commandSubjectOf, liveSubjectOf, mailboxReaderOf } from "@kez/core"
import { jetstreamManager } from "@nats-io/jetstream"
import { connect, type Msg, type NatsConnection, type Payload, type PublishOptions } from "@nats-io/transport-node"
import { connectDevice, makeDevice, type TestBroker, type TestDevice } from "./broker.ts"
import type { Cleaner } from "./person.ts"

export const canary = "canary-5f1c"
export const conversation = "c2"

export interface World {
  readonly broker: TestBroker
  readonly store: BrokerStore
  readonly storeService: NatsConnection
  readonly sys: NatsConnection
  readonly alice: TestDevice
  readonly bob: TestDevice
  readonly bobConnection: NatsConnection
  readonly mailbox: Place
  readonly reader: { readonly stream: string; readonly consumer: string }
  /** Whatever reached Bob or his part of the chat server since `prepare`. */
  readonly reached: Msg[]
  /** Bob's reader is there, with a message to read. */
  prepare(): Promise<void>
  /** Something happens on every subject that is Bob's, and on those of the broker itself. */
  traffic(): Promise<void>
}

export async function makeWorld(
  t: Cleaner,
  broker: TestBroker,
  {
    transport = "tcp",
    connectBob,
    devices,
  }: {
    readonly transport?: "tcp" | "websocket"
    readonly connectBob?: (bob: TestDevice) => Promise<NatsConnection>
    /** Registered at a real chat server, which answers commands then. */
    readonly devices?: { readonly alice: TestDevice; readonly bob: TestDevice }
  } = {},
): Promise<World> {
  const [store, storeService, sys, chat] = [
    await broker.store(),
    await broker.service("store"),
    await broker.service("sys"),
    await broker.service("chat"),
  ]
  const { alice, bob } = devices ?? { alice: await makeDevice("alice"), bob: await makeDevice("bob") }
  const bobConnection = await (connectBob?.(bob) ?? connectDevice(t, { broker, device: bob, transport }))
  const reached: Msg[] = []
  const note = (_: unknown, message: Msg): void => {
    reached.push(message)
  }
  bobConnection.subscribe(`live.${bob.uid}.>`, { callback: note })
  bobConnection.subscribe(`_INBOX.${bob.uid}.${bob.dev}.watched.>`, { callback: note })
  chat.subscribe(commandSubjects, {
    queue: "chat",
    callback: (_, message) => {
      if (message.subject.includes(bob.uid) || message.subject.includes("other")) reached.push(message)
      if (devices === undefined && parseCommand(message.subject, message.reply) !== undefined) message.respond(canary)
    },
  })
  await Promise.all([bobConnection.flush(), chat.flush()])
  const mailbox = mailboxOf(bob.uid, broker.keys.mailboxSecret)
  let count = 0
  const deliver = async (): Promise<void> => {
    count += 1
    await store.deliver({ uid: bob.uid, id: `${count}:${bob.uid}`, data: Buffer.from(canary) })
    await store.append({ conversation, id: `${count}`, data: Buffer.from(canary) })
  }
  return {
    broker,
    store,
    storeService,
    sys,
    alice,
    bob,
    bobConnection,
    mailbox,
    reader: mailboxReaderOf(bob),
    reached,
    async prepare() {
      await store.ensureStreams()
      await deliver()
      await store.openSession(bob, 0)
      await Promise.all([bobConnection.flush(), chat.flush()])
      reached.length = 0
    },
    async traffic() {
      chat.publish(liveSubjectOf(bob.uid, "typing"), canary)
      await bobConnection.request(commandSubjectOf(bob, "send"), canary, { timeout: 2_000, noMux: true })
      await deliver()
      await (await jetstreamManager(storeService, { checkAPI: false })).streams.info(mailbox.stream)
      await sys.request("$SYS.REQ.SERVER.PING", "", { timeout: 2_000 })
      // Somebody knocks, so that the callout is asked.
      await connect({ servers: broker.url, token: "CHAT", reconnect: false }).then(
        (open) => open.close(),
        () => {},
      )
      await Promise.all([bobConnection.flush(), chat.flush(), storeService.flush()])
    },
  }
}

/** `refused`: the broker itself said so. `nothing`: it was silent, and nothing came of it. */
export type Outcome = "refused" | "nothing" | "worked"

/** A connection that attacks, with the broker's refusals noted. */
export interface Attacker {
  readonly connection: NatsConnection
  readonly inbox: string
  /** Refusals since the last call. */
  refusals(): Promise<number>
  /** Subscribes and tells what comes while `during` runs. */
  listen(subject: string, options: { readonly queue?: string; readonly during: () => Promise<void> }): Promise<Outcome>
  publish(subject: string, payload: Payload, options?: PublishOptions): Promise<boolean>
  /** Asks and returns the first answer, or how it failed. */
  ask(subject: string, payload?: string): Promise<Msg | "refused" | "nothing">
}

export function attackBy(connection: NatsConnection, inbox: string): Attacker {
  let refused = 0
  void (async () => {
    for await (const status of connection.status()) if (status.type === "error") refused += 1
  })()
  const refusals = async (): Promise<number> => {
    await connection.flush()
    // What came before the answer to flush is in the queue of statuses; one turn lets it be read.
    await new Promise((resolve) => setImmediate(resolve))
    const count = refused
    refused = 0
    return count
  }
  return {
    connection,
    inbox,
    refusals,
    async listen(subject, { queue, during }) {
      let heard = 0
      const subscription = connection.subscribe(subject, {
        ...(queue === undefined ? {} : { queue }),
        callback: (error) => {
          if (error === null) heard += 1
        },
      })
      try {
        if ((await refusals()) > 0) return "refused"
        await during()
        await connection.flush()
        for (let waited = 0; heard === 0 && waited < 10; waited += 1)
          await new Promise((resolve) => setTimeout(resolve, 20))
        return heard > 0 ? "worked" : "nothing"
      } finally {
        subscription.unsubscribe()
      }
    },
    async publish(subject, payload, options) {
      connection.publish(subject, payload, options)
      return (await refusals()) > 0
    },
    async ask(subject, payload = "") {
      const reply = `${inbox}.ask${Math.random().toString(36).slice(2)}`
      let answer: Msg | undefined
      const subscription = connection.subscribe(reply, {
        callback: (error, message) => {
          if (error === null) answer ??= message
        },
      })
      try {
        connection.publish(subject, payload, { reply })
        if ((await refusals()) > 0) return "refused"
        for (let waited = 0; answer === undefined && waited < 50; waited += 1)
          await new Promise((resolve) => setTimeout(resolve, 10))
        return answer ?? "nothing"
      } finally {
        subscription.unsubscribe()
      }
    },
  }
}
