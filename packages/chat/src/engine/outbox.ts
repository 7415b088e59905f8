/** Sending: encrypted once for an epoch, kept, and published until the server says that it is on its disk. */
import { type Digest, digestOf, KezError } from "@kez/core"
import type { Desk } from "./desk.ts"
import { failAll, groupAt, holdUp, markSent, type OutboxEntry, outboxOf, ownMessage, seal } from "./outbox-rows.ts"
import { keys, type ThreadRow } from "./row.ts"
import { stopOf } from "./threads.ts"

/** Refusals that no later attempt changes. */
const final: ReadonlySet<string> = new Set(["limit.size", "chat.removed", "chat.policy", "chain.unknown"])

/** Sends the oldest message that waits. True: it was sent, and there may be more. */
export async function sendNext(desk: Desk, group: Digest): Promise<boolean> {
  const made = await desk.turn(async (unit) => {
    const [entry] = await outboxOf(unit, group, 1)
    if (entry === undefined) return undefined
    const row = await groupAt(unit, group)
    if (row.isStopped === true) return undefined
    const thread = await unit.get<ThreadRow>(keys.thread(row.thread))
    const stop = thread === undefined ? undefined : await stopOf(unit, thread)
    if (stop !== undefined) {
      await holdUp(unit, desk, group, stop)
      return undefined
    }
    const cipher = await desk.ciphers.of(group)
    if (entry.ciphertext !== undefined && entry.epoch === cipher.epoch) return { entry, ciphertext: entry.ciphertext }
    const plaintext = await ownMessage(unit, group, entry.counter)
    if (plaintext === undefined)
      throw new KezError("store.corrupt", "Cannot send a message: its text is not in the store")
    // In the epoch in force: who was removed meanwhile does not read it. If an earlier ciphertext of it did arrive, its count tells it from a new one.
    return { entry, ciphertext: await seal(unit, cipher, { group, entry, bytes: plaintext }) }
  })
  if (made === undefined) return false
  return publish(desk, group, made)
}

async function publish(
  desk: Desk,
  group: Digest,
  { entry, ciphertext }: { readonly entry: OutboxEntry; readonly ciphertext: Uint8Array },
): Promise<boolean> {
  const id = digestOf(ciphertext)
  desk.noteSent(id)
  try {
    const conversation = group.slice("sha256:".length)
    // Of the ciphertext: a digest of the text would let the server try what it might be.
    await desk.request("send", { conversation, id }, [ciphertext])
  } catch (error) {
    if (!(error instanceof KezError) || !final.has(error.code)) throw error
    await desk.turn((unit) => failAll(unit, desk, group, error))
    return false
  }
  await desk.turn((unit) => markSent(unit, desk, group, entry))
  return true
}
