/** Commands of devices, as they arrive at the chat server: who sends is in the subject, which nobody else may publish to. */
import { type BrokerDevice, inboxPrefixOf, isBrokerName } from "@kez/core"

/** What the chat server subscribes to, in a queue group. */
export const commandSubjects = "cmd.*.*.*"

export interface Command {
  readonly device: BrokerDevice
  readonly operation: string
}

/**
 * The sender of a message on `commandSubjects`, or undefined: then it must be neither obeyed nor answered. The reply is looked at
 * because nats-server does not check reply subjects: a device can have a message of its own mailbox, or an empty status, sent to
 * the command subject of another, and could have answers sent to another's inbox. Neither has a reply in the sender's own inbox.
 */
export function parseCommand(subject: string, reply: string | undefined): Command | undefined {
  const [cmd, uid, dev, operation, ...rest] = subject.split(".")
  if (cmd !== "cmd" || uid === undefined || dev === undefined || operation === undefined || rest.length > 0)
    return undefined
  if (!isBrokerName(uid) || !isBrokerName(dev) || operation === "") return undefined
  const device = { uid, dev }
  return reply?.startsWith(`${inboxPrefixOf(device)}.`) ? { device, operation } : undefined
}
