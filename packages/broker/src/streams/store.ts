/** What the chat server does with streams: makes them, writes to mailboxes and conversations, and opens a device's reader. */
import { type BrokerDevice, KezError } from "@kez/core"
import {
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from "@nats-io/jetstream"
import type { NatsConnection } from "@nats-io/transport-node"
import { maxHistoryBytes, maxHistoryMessages, requestMs } from "../limits.ts"
import { type CommitOutcome, publishCommit } from "./commits.ts"
import { archiveOf, conversationOf, mailboxesOf, type Place, type StreamSettings, streamSettings } from "./layout.ts"
import { Places } from "./places.ts"
import { deleteConsumer, openSession, type Session } from "./session.ts"

export interface StoreOptions {
  /** A connection of the user of account STORE. */
  readonly connection: NatsConnection
  readonly mailboxSecret: Uint8Array
  /** Copies of each stream: 1 for a server alone, 3 in a cluster. */
  readonly replicas?: number
}

export interface Kept {
  /** Its place in the stream, from 1. */
  readonly seq: number
  /** It was there already: this id was published within the last two minutes. */
  readonly isDuplicate: boolean
}

export interface StoredMessage {
  readonly seq: number
  readonly data: Uint8Array
}

/** In order. */
export interface StoredPage {
  readonly messages: readonly StoredMessage[]
  /** There was nothing behind them when they were read. */
  readonly isEnd: boolean
}

/** From where on, and how much: at most 256, and not many bytes more than `maxBytes`, but one at least where there is one. */
export interface ReadFrom {
  readonly fromSeq: number
  readonly limit?: number
  readonly maxBytes?: number
}

/** Each call throws `broker.refused` when the broker does not do it or has no room, `store.full` when a mailbox or an archive is full. */
export interface BrokerStore {
  /** Makes those streams that are missing and brings the others to the settings of this version. */
  ensureStreams(): Promise<void>
  /** Resolves when the message is on the disk. `id` names it for its recipient: `<message>:<uid>`, since ids are per stream. */
  deliver(message: { readonly uid: string; readonly id: string; readonly data: Uint8Array }): Promise<Kept>
  /** Forgets what a person's devices all have, up to and with this place. Returns how many. */
  trimMailbox(uid: string, upToSeq: number): Promise<number>
  /** Opens, or opens anew, the reader of a device from the message after its cursor (0 for all). */
  openSession(device: BrokerDevice, cursor: number): Promise<Session>
  /** Ends the reader of a device, for a revoked one. */
  closeSession(device: BrokerDevice): Promise<void>
  /**
   * Puts a message behind the others of a conversation. `ahead` is told the place that it will get, right before it goes out, where that can be told: mailboxes,
   * which others wait for, come first on the line. It is wrong where somebody else writes too or the broker fails: what came of it is in the answer.
   */
  append(
    message: { readonly conversation: string; readonly id: string; readonly data: Uint8Array },
    ahead?: (place: number) => void,
  ): Promise<Kept>
  /** Accepted only if the newest commit is at `follows` (0: there is none). Of any number that race, one wins. */
  commit(commit: {
    readonly conversation: string
    readonly id: string
    readonly data: Uint8Array
    readonly follows: number
  }): Promise<CommitOutcome>
  /** Messages or commits of a conversation. */
  read(from: ReadFrom & { readonly conversation: string; readonly kind: "messages" | "commits" }): Promise<StoredPage>
  /** Puts an entry at the end of a person's archive. */
  archive(entry: { readonly uid: string; readonly id: string; readonly data: Uint8Array }): Promise<Kept>
  /** Entries of a person's archive. */
  readArchive(from: ReadFrom & { readonly uid: string }): Promise<StoredPage>
}

export async function createBrokerStore(options: StoreOptions): Promise<BrokerStore> {
  const { connection, mailboxSecret, replicas = 1 } = options
  const manager = await jetstreamManager(connection, { timeout: requestMs, checkAPI: false })
  const client = jetstream(connection, { timeout: requestMs })
  const box = mailboxesOf(mailboxSecret)
  const places = new Places(Date.now)
  // While streams are made, of a broker that lost its disk, nothing else is asked for: it would be refused.
  let making: Promise<void> | undefined
  const whenMade = <T>(what: string, run: () => Promise<T>): Promise<T> =>
    making === undefined ? asking(what, run) : making.then(() => asking(what, run))
  return {
    ensureStreams() {
      const made = asking("make the streams", () => ensureStreams(manager, streamSettings(replicas)))
      making = made
        .catch(() => undefined)
        .finally(() => {
          making = undefined
        })
      return made
    },
    deliver: ({ uid, id, data }) =>
      whenMade("deliver a message", () => publish(client, box(uid).subject, { id, data })),
    trimMailbox: (uid, upToSeq) =>
      whenMade("trim a mailbox", async () => {
        const { stream, subject } = box(uid)
        return (await manager.streams.purge(stream, { filter: subject, seq: upToSeq + 1 })).purged
      }),
    openSession: (device, cursor) =>
      whenMade("open a session", () => openSession(manager, { device, cursor, mailbox: box(device.uid) })),
    closeSession: ({ uid, dev }) =>
      whenMade("close a session", async () => {
        await deleteConsumer(manager, box(uid).stream, `${uid}_${dev}`)
      }),
    append: ({ conversation, id, data }, ahead) =>
      whenMade("append a message", () => {
        const { stream, subject } = conversationOf(conversation).messages
        return places.message(stream, (place) => {
          if (place !== undefined) ahead?.(place)
          return publish(client, subject, { id, data })
        })
      }),
    commit: (commit) =>
      whenMade("commit", () => {
        const { stream } = conversationOf(commit.conversation).commits
        const placeOf = (outcome: CommitOutcome) => (outcome.accepted ? outcome.seq : undefined)
        return places.commit(stream, () => publishCommit(client, manager, commit), placeOf)
      }),
    read: (from) =>
      whenMade("read a conversation", () => readPlace(manager, conversationOf(from.conversation)[from.kind], from)),
    archive: ({ uid, id, data }) =>
      whenMade("keep an entry of the archive", () =>
        publish(client, archiveOf(uid, mailboxSecret).subject, { id, data }),
      ),
    readArchive: (from) =>
      whenMade("read the archive", () => readPlace(manager, archiveOf(from.uid, mailboxSecret), from)),
  }
}

async function ensureStreams(manager: JetStreamManager, wanted: readonly StreamSettings[]): Promise<void> {
  const present = new Map<string, object>()
  for await (const { config } of manager.streams.list()) present.set(config.name, config)
  for (const settings of wanted) {
    const config = present.get(settings.name)
    if (config === undefined) await manager.streams.add(settings)
    else if (differs(config, settings)) await manager.streams.update(settings.name, settings)
  }
}

function differs(config: object, settings: StreamSettings): boolean {
  const held = new Map<string, unknown>(Object.entries(config))
  // The server leaves out what is false or zero.
  const isSame = ([name, value]: [string, unknown]) =>
    JSON.stringify(held.get(name) ?? false) === JSON.stringify(value) || (value === -1 && held.get(name) === undefined)
  return !Object.entries(settings).every(isSame)
}

async function publish(
  client: JetStreamClient,
  subject: string,
  { id, data }: { readonly id: string; readonly data: Uint8Array },
): Promise<Kept> {
  const { seq, duplicate } = await client.publish(subject, data, { msgID: id })
  return { seq, isDuplicate: duplicate }
}

async function readPlace(
  manager: JetStreamManager,
  { stream, subject }: Place,
  { fromSeq, limit = maxHistoryMessages, maxBytes = maxHistoryBytes }: ReadFrom,
): Promise<StoredPage> {
  const batch = Math.min(limit, maxHistoryMessages)
  // The broker ends a batch with the message that reaches `max_bytes`.
  const query = { seq: Math.max(1, fromSeq), next_by_subj: subject, batch, max_bytes: maxBytes }
  const messages: StoredMessage[] = []
  let isEnd = true
  try {
    for await (const { seq, data, pending } of await manager.direct.getBatch(stream, query)) {
      messages.push({ seq, data })
      isEnd = pending === 0
    }
  } catch (error) {
    // Nothing from there on.
    if (!(error instanceof Error && "code" in error && error.code === 404)) throw error
  }
  return { messages, isEnd }
}

/** JetStream's code of a subject that has all the messages that it may have, and of streams that have all the bytes that they may have together. */
const fullCodes: readonly number[] = [10_077]
const noRoomCodes: readonly number[] = [10_023, 10_047]

async function asking<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    if (cause instanceof KezError) throw cause
    if (
      cause instanceof JetStreamApiError &&
      (fullCodes.includes(cause.code) || /maximum messages/.test(cause.message))
    ) {
      throw new KezError("store.full", `Cannot ${what}: it is full`, { cause })
    }
    // Not `store.full`: no mailbox is at fault, and none is emptied for it.
    if (cause instanceof JetStreamApiError && noRoomCodes.includes(cause.code)) {
      throw new KezError("broker.refused", `Cannot ${what}: the server has no room left`, {
        cause,
        hint: "Nothing is lost. Who runs the server has to give nats-server more room.",
      })
    }
    throw new KezError("broker.refused", `Cannot ${what}: the broker refused, or did not answer`, { cause })
  }
}
