/** A message of before that its own device gives once more, to who had no device that could read it. */
import { type Digest, KezError } from "@kez/core"
import type { Message } from "../wire/message.ts"
import { raise } from "./alarms.ts"
import type { Desk } from "./desk.ts"
import { keepSaid, threadAt } from "./message-rows.ts"
import { noteReceived } from "./receipts.ts"
import { isGiven } from "./resend.ts"
import { decodeRow, keys, type MessageRow, padded } from "./row.ts"
import type { DeviceSequence } from "./sequence-rows.ts"
import type { Unit } from "./unit.ts"

interface Given {
  readonly group: Digest
  readonly thread: Digest
  readonly chain: Digest
  /** The device. */
  readonly by: string
  readonly at: number
  readonly before: DeviceSequence
}

/** Sent when no device that is left could read it, and given once more by its own device: it is before what is counted here. */
export async function takeGiven(
  unit: Unit,
  desk: Desk,
  inner: Message,
  { before, thread, group, chain, at, by }: Given,
): Promise<void> {
  const { counter = 0, id, device } = inner
  const { next, recent, isTold } = before.sequence
  const known = recent[recent.length - (next - counter)]
  if (known !== undefined && known !== id && isTold !== true && recent.length > next - counter) {
    const alarm = { kind: "sender_fork", conversation: thread, device, counter } as const
    return raise(
      unit,
      desk,
      alarm,
      new KezError("chat.sender_fork", `A device said two different things as message ${counter}`),
    )
  }
  if (!isGiven(inner)) return
  if ((await unit.bytes(keys.placeOf(thread, id))) === undefined) {
    const slot = await slotAmong(unit, { thread, group, device, counter })
    await keepSaid(unit, desk, inner, {
      ...{ thread, group, chain, device, at, isEarly: false },
      ...(slot === undefined ? {} : { slot }),
    })
  }
  if (chain !== desk.chain) await noteReceived(unit, group, { device: by, delivered: next, isShown: true })
}

/** Messages that are looked through for where an older one belongs. */
const maxLooked = 200

/** Before what the same device said later. */
async function slotAmong(
  unit: Unit,
  { thread, group, device, counter }: { readonly thread: Digest } & Pick<MessageRow, "group" | "device" | "counter">,
): Promise<number | undefined> {
  const { nextSlot } = await threadAt(unit, thread)
  const rows = await unit.after(keys.message(thread), padded(Math.max(0, nextSlot - maxLooked)), 2 * maxLooked)
  const later = rows
    .map(({ value }) => decodeRow<MessageRow>(value).value)
    .filter((row) => row.group === group && row.device === device && row.counter > counter)
  const slots = later.map(({ place: at }) => Number(at.slice(0, 16)))
  return slots.length === 0 ? undefined : Math.min(...slots)
}
