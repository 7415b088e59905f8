/** Sending, and waiting for what becomes of it. */
import type { Delivered, Draft, Engine, ShownMessage } from "@kez/chat"
import type { Digest } from "@kez/core"

/** After it was sent: for a device of the other side that is there at the moment. */
const deliveryMs = 300

export interface Sent {
  readonly message: ShownMessage
  readonly delivered: Delivered
}

/** Resolves when it is sent (and delivered, if that is quick), has failed, or after `waitMs`. It is kept in any case. */
export async function sendAndWait(engine: Engine, conversation: Digest, draft: Draft, waitMs: number): Promise<Sent> {
  // From before the sending on, or a quick answer would be missed.
  const events = engine.events()
  let timer = setTimeout(() => void events.return?.(), waitMs)
  try {
    const message = await engine.send(conversation, draft)
    let delivered: Delivered = message.delivered ?? { state: "waiting" }
    let isSent = false
    for await (const event of events) {
      if (event.kind !== "outbox" || event.message !== message.id) continue
      delivered = event.delivered
      if (delivered.state === "failed" || delivered.state === "delivered" || delivered.state === "read") break
      if (delivered.state !== "sent" || isSent) continue
      isSent = true
      clearTimeout(timer)
      timer = setTimeout(() => void events.return?.(), Math.min(waitMs, deliveryMs))
    }
    return { message, delivered: withReason(engine, delivered) }
  } finally {
    clearTimeout(timer)
    await events.return?.()
  }
}

/** Why something still waits: the connection says it where the outbox does not. */
export function withReason(engine: Engine, delivered: Delivered): Delivered {
  if (delivered.state !== "waiting" || delivered.reason !== undefined) return delivered
  const connection = engine.connection()
  if (connection.kind === "offline" || connection.kind === "revoked") return { ...delivered, reason: connection.reason }
  return { ...delivered, reason: "the other side has no device here yet, or the server is slow" }
}
