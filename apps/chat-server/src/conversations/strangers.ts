/** How much of a mailbox strangers may take: what comes of conversations in which its person never wrote. */
import { maxCountedMailboxes, maxUnansweredInMailbox } from "../limits.ts"
import type { Writers } from "./writers.ts"

export interface Admitted {
  readonly isRoom: boolean
  /** There was until now. */
  readonly isFirst: boolean
}

export interface Strangers {
  /** Whether there is room, which is taken. */
  admit(uid: string, conversation: string): Admitted | Promise<Admitted>
  /** A device of the person is here and takes what waits. */
  reset(uid: string): void
}

/** Counts stand in memory, of each copy of the server: a restart gives strangers as much once more. */
export function createStrangers(writers: Writers, most = maxUnansweredInMailbox): Strangers {
  const counts = new Map<string, number>()
  const take = (uid: string): Admitted => {
    const count = (counts.get(uid) ?? 0) + 1
    counts.delete(uid)
    counts.set(uid, count)
    const oldest = counts.keys().next()
    if (counts.size > maxCountedMailboxes && oldest.done !== true) counts.delete(oldest.value)
    return { isRoom: count <= most, isFirst: count === most + 1 }
  }
  return {
    admit(uid, conversation) {
      const isWriter = writers.has(conversation, uid)
      return isWriter === true ? known : isWriter.then((is) => (is ? known : take(uid)))
    },
    reset: (uid) => void counts.delete(uid),
  }
}

const known: Admitted = { isRoom: true, isFirst: false }
