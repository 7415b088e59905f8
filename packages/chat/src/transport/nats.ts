/**
 * The chat server over NATS. Whoever dials is given: TCP in Node, a WebSocket in a page. It goes on for ever: a broker that refuses may only be starting,
 * and many clients must not come back all at once.
 */
import { commandSubjectOf, inboxPrefixOf, KezError } from "@kez/core"
import { type ConsumerInfo, type ConsumerMessages, jetstream } from "@nats-io/jetstream"
import type { ConnectionOptions, NatsConnection, Status } from "@nats-io/nats-core"
import type { CommandAnswers, Operation } from "../wire/commands.ts"
import { Knocking } from "./knocking.ts"
import type { MailboxItem, StartTransport, Transport } from "./transport.ts"

export interface NatsOptions {
  /** `nats://127.0.0.1:4222`, `wss://chat.example`. */
  readonly servers: string | readonly string[]
  /** `connect` of `@nats-io/transport-node`, or `wsconnect`, as `createPageTransport` does. One of them in a process: the client has one way to dial. */
  readonly dial: (options: ConnectionOptions) => Promise<NatsConnection>
  /** From 0 to below 1. */
  readonly random?: () => number
}

/** Longer than a herd of others takes, shorter than the server's 30 s: a question that nobody hears is asked anew. */
const connectMs = 5_000
const requestMs = 10_000
const closeMs = 200
const pullMs = 30_000
const pullMessages = 128

export function createNatsTransport(options: NatsOptions): Transport {
  return new NatsTransport(options)
}

class NatsTransport implements Transport {
  readonly #options: NatsOptions
  #start: StartTransport | undefined
  #connection: NatsConnection | undefined
  #reading: ConsumerMessages | undefined
  #isClosed = false
  #isUp = false
  /** Questions under way: what was asked over a connection that is lost is not answered any more. */
  readonly #asking = new Set<(fault: KezError) => void>()
  readonly #knocking: Knocking
  #wakeUp: () => void = () => undefined

  constructor(options: NatsOptions) {
    this.#options = options
    this.#knocking = new Knocking(options.random ?? Math.random)
  }

  async start(start: StartTransport): Promise<void> {
    this.#start = start
    void this.#live(start)
  }

  async request(operation: Operation, request: Uint8Array): Promise<Uint8Array> {
    const [connection, start] = [this.#connection, this.#start]
    if (connection === undefined || start === undefined || !this.#isUp) throw lostFault()
    const subject = commandSubjectOf(start.device, operation)
    let stop: (fault: KezError) => void = () => undefined
    const lost = new Promise<never>((_, reject) => {
      stop = reject
    })
    this.#asking.add(stop)
    try {
      return (await Promise.race([connection.request(subject, request, { timeout: requestMs }), lost])).data
    } catch (cause) {
      throw cause instanceof KezError ? cause : requestFault(cause)
    } finally {
      this.#asking.delete(stop)
    }
  }

  async *mailbox(session: CommandAnswers["session"]): AsyncIterable<MailboxItem> {
    const connection = this.#connection
    if (connection === undefined) return
    // One of before asks by the same name: it would take what is for this one.
    this.#stopReading()
    const info: ConsumerInfo = JSON.parse(session.info)
    const consumer = jetstream(connection, { timeout: requestMs }).consumers.getConsumerFromInfo(info)
    // `bind`: a device may not ask what its reader is. Without heartbeats it ends, and a session is opened anew.
    const messages = await consumer.consume({ bind: true, max_messages: pullMessages, expires: pullMs })
    this.#reading = messages
    try {
      for await (const { seq, data } of messages) yield { seq, bytes: data }
    } finally {
      // Not once more for one that was stopped: that would write to a connection that may be closed by now.
      if (this.#reading === messages) this.#stopReading()
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#wakeUp()
    this.#down()
    const connection = this.#connection
    if (connection === undefined || connection.isClosed()) return
    // A line that the broker has just ended is noticed by this; closed before that, the client's socket fails with nobody to hear it.
    await Promise.race([connection.flush().catch(() => undefined), this.#wait(closeMs)])
    this.#wakeUp()
    await connection.close().catch(() => undefined)
  }

  #up(): void {
    this.#isUp = true
    this.#knocking.back()
  }

  #down(): void {
    this.#isUp = false
    this.#knocking.lost()
    this.#stopReading()
    for (const stop of this.#asking) stop(lostFault())
  }

  #stopReading(): void {
    this.#reading?.stop()
    this.#reading = undefined
  }

  /** Connects, and connects anew whenever the client gives up. */
  async #live(start: StartTransport): Promise<void> {
    while (!this.#isClosed) {
      try {
        const connection = await this.#options.dial(this.#connectionOptions(start))
        this.#connection = connection
        if (this.#isClosed) return void (await connection.close())
        this.#begin(connection, start)
        await this.#watch(connection, start)
      } catch (error) {
        const { reason, isRefused } = faultOf(error)
        start.on.offline(reason, isRefused)
      }
      if (!this.#isClosed) await this.#wait(this.#knocking.waitMs())
    }
  }

  #begin(connection: NatsConnection, { device, on }: StartTransport): void {
    this.#up()
    connection.subscribe(`live.${device.uid}.>`, {
      callback: (error, message) => {
        if (error === null) on.live(message.subject.split(".").at(-1) ?? "", message.data)
      },
    })
    on.online()
  }

  /** Until the client has closed. */
  async #watch(connection: NatsConnection, { on }: StartTransport): Promise<void> {
    void (async () => {
      for await (const status of connection.status()) this.#take(status)
    })()
    const error = await connection.closed()
    this.#down()
    const { reason, isRefused } = faultOf(error)
    if (!this.#isClosed) on.offline(reason, isRefused)
  }

  #take(status: Status): void {
    const on = this.#start?.on
    if (on === undefined || this.#isClosed) return
    switch (status.type) {
      case "disconnect":
        this.#down()
        on.offline("The connection to the chat's broker was lost.", false)
        break
      case "reconnect":
        this.#up()
        on.online()
        break
      case "error": {
        const { reason, isRefused } = faultOf(status.error)
        if (isRefused) on.offline(reason, true)
      }
    }
  }

  #connectionOptions(start: StartTransport): ConnectionOptions {
    const { servers } = this.#options
    return {
      servers: typeof servers === "string" ? servers : [...servers],
      // Without a signature the broker would not tell its nonce to who is asked. The token is bound to that nonce.
      authenticator: (nonce?: string) => ({ auth_token: start.token(nonce), sig: "-" }),
      inboxPrefix: inboxPrefixOf(start.device),
      // *Authorization Violation* is what a broker says whose callout is not there yet.
      ignoreAuthErrorAbort: true,
      maxReconnectAttempts: -1,
      reconnectDelayHandler: () => this.#knocking.sinceLastMs(),
      timeout: connectMs,
      ignoreClusterUpdates: true,
      // Each request would make an error that nobody reads.
      noAsyncTraces: true,
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const handle = setTimeout(resolve, ms)
      this.#wakeUp = () => {
        clearTimeout(handle)
        resolve()
      }
    })
  }
}

function lostFault(): KezError {
  return new KezError("net.refused", "Cannot ask the chat server: there is no connection", {
    hint: "It is tried again by itself.",
  })
}

function requestFault(cause: unknown): KezError {
  const name = cause instanceof Error ? cause.name : ""
  if (name === "TimeoutError") {
    return new KezError("net.timeout", "Cannot ask the chat server: no answer in 10 seconds", { cause })
  }
  if (name === "NoRespondersError" || (cause instanceof Error && /no responders/i.test(cause.message))) {
    return new KezError("net.refused", "Cannot ask the chat server: it is not connected to its broker", {
      hint: "It is tried again by itself.",
      cause,
    })
  }
  return new KezError("broker.refused", "Cannot ask the chat server: the broker refused, or the connection was lost", {
    cause,
  })
}

function faultOf(error: unknown): { readonly reason: string; readonly isRefused: boolean } {
  const text = error instanceof Error ? `${error.name} ${error.message}` : ""
  if (/authori[sz]ation|authentication/i.test(text)) {
    // The user JWT of a quarter of an hour ends like that too.
    return {
      reason: "The chat's broker did not let this device in. It is tried again.",
      isRefused: !/expired/i.test(text),
    }
  }
  return { reason: "The chat's broker cannot be reached. It is tried again.", isRefused: false }
}
