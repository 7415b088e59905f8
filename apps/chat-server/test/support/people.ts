/** People with chains that list handles, and what they post. */
import { type Envelope, encodeChain, formatEnvelope, formatTime, replayChain, type SigchainEvent } from "@kez/core"
import type { DirectoryKind } from "@kez/core/directory"
import { add, now } from "../../../../packages/core/test/support/chains.ts"
import { keyNamed, sealed, type TestKey } from "../../../../packages/core/test/support/keys.ts"

export { now }

export interface Person {
  readonly key: TestKey
  readonly events: readonly SigchainEvent[]
  /** Chain id. */
  readonly chain: string
}

/** A person whose chain lists these handles of localhost. */
export function personWith(name: string, ...handles: readonly string[]): Person {
  const key = keyNamed(name)
  const events: SigchainEvent[] = []
  for (const handle of handles) events.push(add(events.at(-1), `kez:${handle}@localhost`, key))
  return { key, events, chain: replayChain(events).chain }
}

export interface Changes {
  readonly by?: TestKey
  readonly at?: number
  readonly host?: string
  readonly newHandle?: string
  readonly newHost?: string
}

export function stated<K extends DirectoryKind>(
  kind: K,
  person: Person,
  handle: string,
  changes: Changes = {},
): Envelope<K> {
  const { by = person.key, at = now, host = "localhost", newHandle, newHost = "localhost" } = changes
  const own = {
    handle_registration: { primary: person.key.key },
    handle_move: { new_handle: newHandle, new_host: newHost },
    handle_release: {},
  }[kind]
  const payload = {
    type: `kez.chat.${kind}`,
    version: 1,
    handle,
    host,
    chain: person.chain,
    created_at: formatTime(at),
    ...own,
  }
  return sealed(kind, payload as unknown as Envelope<K>["payload"], by)
}

export function bodyOf(members: Readonly<Record<string, Envelope | string | undefined>>): Uint8Array {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined)
  const values = entries.map(([name, value]) => [
    name,
    typeof value === "object" ? JSON.parse(formatEnvelope(value)) : value,
  ])
  return new TextEncoder().encode(JSON.stringify(Object.fromEntries(values)))
}

/** The body of a registration, with the chain. */
export function registrationOf(
  person: Person,
  handle: string,
  changes: Changes & { readonly invitation?: string } = {},
): Uint8Array {
  return bodyOf({
    registration: stated("handle_registration", person, handle, changes),
    chain: encodeChain(person.events),
    invitation: changes.invitation,
  })
}
