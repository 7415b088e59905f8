/** A device's reader: a consumer in memory that acknowledges nothing. The client holds the cursor, so nothing here must survive. */
import type { BrokerDevice } from "@kez/core"
import {
  AckPolicy,
  type ConsumerInfo,
  DeliverPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
} from "@nats-io/jetstream"
import { sessionIdleSeconds, sessionMaxBatch, sessionMaxWaiting } from "../limits.ts"
import type { Place } from "./layout.ts"

const nanosPerSecond = 1_000_000_000

export interface Session {
  /** For `consumers.getConsumerFromInfo` of the client. It lets it ask for messages without asking what the consumer is. */
  readonly consumer: ConsumerInfo
  /** True when the cursor was beyond what is stored: the broker has lost messages, and the client has to ask others. */
  readonly isRewound: boolean
}

export async function openSession(
  manager: JetStreamManager,
  { device, cursor, mailbox }: { readonly device: BrokerDevice; readonly cursor: number; readonly mailbox: Place },
): Promise<Session> {
  const name = `${device.uid}_${device.dev}`
  const { state } = await manager.streams.info(mailbox.stream)
  const isRewound = cursor > state.last_seq
  // An existing one has a place of its own, which is not the client's.
  await deleteConsumer(manager, mailbox.stream, name)
  const consumer = await manager.consumers.add(mailbox.stream, {
    name,
    ack_policy: AckPolicy.None,
    mem_storage: true,
    num_replicas: 1,
    inactive_threshold: sessionIdleSeconds * nanosPerSecond,
    max_waiting: sessionMaxWaiting,
    max_batch: sessionMaxBatch,
    // One subject, never a list: an empty list is the whole stream.
    filter_subject: mailbox.subject,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: isRewound ? 1 : cursor + 1,
  })
  return { consumer, isRewound }
}

/** Deletes it if it is there. */
export async function deleteConsumer(manager: JetStreamManager, stream: string, name: string): Promise<void> {
  try {
    await manager.consumers.delete(stream, name)
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== JetStreamApiCodes.ConsumerNotFound) throw error
  }
}
