/** `session`, `cursor`: a device opens its reader, and says what it has. */

import type { CommandDeps, Handler } from "./command.ts"
import { countKeyPackages } from "./key-package-table.ts"

export function session({ store, devices, database, mailboxes, nowSeconds }: CommandDeps): Handler<"session"> {
  return async (caller, { header: { cursor } }) => {
    const { consumer, isRewound } = await store.openSession(caller, cursor)
    // A device that was set back, or that missed something, has to ask the conversations themselves.
    const isBehind = cursor < caller.cursor || (await devices.takeMissed(caller))
    if (isRewound) await devices.resetCursors(caller.uid)
    else devices.noteCursor(caller, cursor)
    mailboxes.opened(caller.uid)
    const held = await countKeyPackages(database, caller, nowSeconds())
    return {
      answer: {
        stream: consumer.stream_name,
        consumer: consumer.name,
        info: JSON.stringify(consumer),
        rewound: isRewound || isBehind,
        ...held,
        now: nowSeconds(),
      },
    }
  }
}

export function cursor({ devices, mailboxes }: CommandDeps): Handler<"cursor"> {
  return async (caller, { header }) => {
    devices.noteCursor(caller, header.cursor)
    await mailboxes.trimSoon(caller.uid)
    return { answer: {} }
  }
}
