/** Putting things into mailboxes, and taking out of them what all devices of a person have. */
import type { BrokerStore } from "@kez/broker"
import { type Delivery, encodeDelivery } from "@kez/chat"
import { KezError } from "@kez/core"
import type { Devices } from "../broker/devices.ts"
import { busy } from "../commands/come-again.ts"
import {
  costOfDelivery,
  idleDeviceSeconds,
  maxDeliveriesHeld,
  maxDeliveringBytes,
  maxKnownDevices,
  trimEveryMs,
} from "../limits.ts"
import { createGate } from "./gate.ts"
import type { Strangers } from "./strangers.ts"

export interface Mailboxes {
  /** Does what will lead to so many deliveries. Throws `net.busy` where so much is under way that it would only be late. */
  holding<T>(count: number, work: () => Promise<T>): Promise<T>
  /**
   * Into the mailbox of each person. `name` is the same whenever it is done (its place, if nothing is given), so that doing it again completes what was
   * broken off. A full mailbox keeps nobody else from getting theirs: its owner is told to look at the conversations, at the next session. So it is
   * where strangers have had their part of it.
   */
  deliverToAll(delivery: Delivery, uids: readonly string[], name?: string): Promise<void>
  /** Into one. Throws `store.full` where it is full even without what its devices have. */
  deliver(delivery: Delivery, to: { readonly uid: string; readonly id: string }): Promise<void>
  /**
   * Of a full one: forgets what all devices of the person have, else what one of them has; the others are told to look at the conversations.
   * Whether there is room now.
   */
  makeRoom(uid: string): Promise<boolean>
  /** A device of the person takes what waits. */
  opened(uid: string): void
  /** A device of the person has read up to a place. Forgets what all of them have, but does not look often. */
  trimSoon(uid: string): Promise<void>
}

export interface MailboxOptions {
  readonly store: BrokerStore
  readonly devices: Devices
  readonly strangers: Strangers
  readonly nowMs: () => number
  readonly onDelivery: (result: "delivered" | "full" | "unanswered") => void
}

export function createMailboxes({ store, devices, strangers, nowMs, onDelivery }: MailboxOptions): Mailboxes {
  const trimmed = new Map<string, { readonly atMs: number; readonly upTo: number }>()
  const cursorsOf = async (uid: string): Promise<readonly number[]> => {
    const oldest = nowMs() / 1_000 - idleDeviceSeconds
    const rows = await devices.ofPerson(uid)
    const counted = rows.filter(({ revokedSeq, verifiedAt }) => revokedSeq === undefined && verifiedAt > oldest)
    return counted.length === 0 ? [0] : counted.map(({ cursor }) => cursor)
  }
  const placeOfAll = async (uid: string): Promise<number> => Math.min(...(await cursorsOf(uid)))
  const trim = async (uid: string): Promise<number> => {
    const upTo = await placeOfAll(uid)
    trimmed.delete(uid)
    trimmed.set(uid, { atMs: nowMs(), upTo })
    const first = trimmed.keys().next()
    if (trimmed.size > maxKnownDevices && first.done !== true) trimmed.delete(first.value)
    return upTo === 0 ? 0 : store.trimMailbox(uid, upTo)
  }
  const makeRoom = async (uid: string): Promise<boolean> => {
    if ((await trim(uid)) > 0) return true
    // A device that was put into a drawer must not keep the others from getting anything.
    const furthest = Math.max(...(await cursorsOf(uid)))
    if (furthest === 0) return false
    await devices.noteMissed(uid, { why: "full", behind: furthest })
    return (await store.trimMailbox(uid, furthest)) > 0
  }
  let held = 0
  const gate = createGate(maxDeliveringBytes)
  const put = async (uid: string, id: string, data: Uint8Array): Promise<void> => {
    try {
      await gate.pass(data.length + costOfDelivery, () => store.deliver({ uid, id, data }))
    } catch (error) {
      if (!isFull(error) || !(await makeRoom(uid))) throw error
      await store.deliver({ uid, id, data })
    }
  }
  return {
    async holding(count, work) {
      if (held > 0 && held + count > maxDeliveriesHeld) throw busy()
      held += count
      try {
        return await work()
      } finally {
        held -= count
      }
    },
    makeRoom,
    async deliverToAll(delivery, uids, name) {
      const data = encodeDelivery(delivery)
      const { conversation, kind, seq } = delivery
      const named = name ?? `${conversation}.${kind}.${seq}`
      const outcomes = await Promise.allSettled(
        uids.map(async (uid) => {
          const admitted = strangers.admit(uid, conversation)
          // Without a turn between, so that it goes out before what is published behind it.
          const { isRoom, isFirst } = admitted instanceof Promise ? await admitted : admitted
          if (!isRoom) {
            onDelivery("unanswered")
            return isFirst ? devices.noteMissed(uid, { why: "strangers" }) : undefined
          }
          try {
            await put(uid, `${named}:${uid}`, data)
            onDelivery("delivered")
          } catch (error) {
            if (!isFull(error)) throw error
            onDelivery("full")
            await devices.noteMissed(uid, { why: "full" })
          }
        }),
      )
      const failed = outcomes.find((outcome) => outcome.status === "rejected")
      if (failed !== undefined) throw failed.reason
    },
    async deliver(delivery, { uid, id }) {
      await put(uid, id, encodeDelivery(delivery))
      onDelivery("delivered")
    },
    opened: (uid) => strangers.reset(uid),
    async trimSoon(uid) {
      strangers.reset(uid)
      const last = trimmed.get(uid)
      if (last !== undefined && nowMs() - last.atMs < trimEveryMs) return
      if ((await placeOfAll(uid)) > (last?.upTo ?? 0)) await trim(uid)
    },
  }
}

export function isFull(error: unknown): boolean {
  return error instanceof KezError && error.code === "store.full"
}
