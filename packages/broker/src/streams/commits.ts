/** Commits of a conversation: one after the other, each naming the one that it follows. JetStream compares and sets. */
import { JetStreamApiError, type JetStreamClient, type JetStreamManager } from "@nats-io/jetstream"
import { conversationOf } from "./layout.ts"

export type CommitOutcome =
  | { readonly accepted: true; readonly seq: number }
  /** Another one came first: it is at `newest`, to be applied before the next attempt. 0: there is none. */
  | { readonly accepted: false; readonly newest: number }

/** JetStream's code for another last sequence than expected. */
const wrongLastSequence = 10_071

export async function publishCommit(
  client: JetStreamClient,
  manager: JetStreamManager,
  commit: {
    readonly conversation: string
    readonly id: string
    readonly data: Uint8Array
    readonly follows: number
  },
): Promise<CommitOutcome> {
  const { stream, subject } = conversationOf(commit.conversation).commits
  try {
    const options = { msgID: commit.id, expect: { lastSubjectSequence: commit.follows } }
    const { seq } = await client.publish(subject, commit.data, options)
    return { accepted: true, seq }
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== wrongLastSequence) throw error
    const newest = await manager.streams.getMessage(stream, { last_by_subj: subject })
    // The same commit again, after an answer that was lost: the sequence is compared before ids are.
    if (newest?.header.get("Nats-Msg-Id") === commit.id) return { accepted: true, seq: newest.seq }
    return { accepted: false, newest: newest?.seq ?? 0 }
  }
}
