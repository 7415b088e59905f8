/** What a device may do on the broker: four subjects, whatever it is a member of. docs/decisions/broker.md. */
import { type BrokerDevice, inboxPrefixOf, isBrokerName, KezError, mailboxReaderOf } from "@kez/core"

export interface Permissions {
  readonly pub: { readonly allow: readonly string[] }
  readonly sub: { readonly allow: readonly string[] }
}

/**
 * Commands to the chat server and pulls of its own mailbox; its answers and what its person hears live. An empty list, or none,
 * would allow everything: nats-server fails open there.
 */
export function permissionsOf(device: BrokerDevice): Permissions {
  const { uid, dev } = device
  if (!isBrokerName(uid) || !isBrokerName(dev)) {
    throw new KezError("schema.value", "Cannot give permissions: expected names of a-z and 2-7, which hold no wildcard")
  }
  const { stream, consumer } = mailboxReaderOf(device)
  return {
    pub: { allow: [`cmd.${uid}.${dev}.>`, `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`] },
    sub: { allow: [`${inboxPrefixOf(device)}.>`, `live.${uid}.>`] },
  }
}
