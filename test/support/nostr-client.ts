/** Nostr events for tests, signed or forged, and relays that lie. */

import { type NostrEvent, signEvent, type UnsignedEvent } from "../../packages/channels/src/nostr-event.ts"
import { startSocketServer } from "../../packages/channels/test/support/socket-server.ts"
import { createSigner, formatHex, publicKeyBytes, type Signer } from "../../packages/core/src/index.ts"

export interface Account {
  readonly signer: Signer
  readonly npub: string
  /** The key as hex. */
  readonly author: string
  event(members: Partial<UnsignedEvent>): Promise<NostrEvent>
}

/** An account whose 32-byte secret is one byte repeated. */
export function createAccount(fill: number): Account {
  const signer = createSigner("nostr", new Uint8Array(32).fill(fill))
  const npub = signer.key.slice("nostr:".length)
  const author = formatHex(publicKeyBytes({ system: "nostr", value: npub }))
  return {
    signer,
    npub,
    author,
    event: (members) =>
      signEvent({ pubkey: author, created_at: 1_800_000_000, kind: 1, tags: [], content: "", ...members }, signer.sign),
  }
}

/** Another content under the old id and signature. */
export function forge(event: NostrEvent, members: Partial<NostrEvent>): NostrEvent {
  return { ...event, ...members }
}

/** What a relay of the test says: events for every question, then how it ends. */
export interface Script {
  readonly events?: readonly unknown[]
  readonly ends?: "eose" | "silent" | "closed"
  readonly delayMs?: number
  /** The answer to an event that is given to it. */
  readonly fate?: readonly [isAccepted: boolean, reason: string]
  /** Said as soon as the connection stands. */
  readonly greeting?: readonly unknown[]
}

export interface ScriptedRelay {
  readonly url: string
  /** The events that it was given. */
  readonly given: readonly NostrEvent[]
  /** Resolves when no connection is open. */
  allClosed(): Promise<void>
  close(): Promise<void>
}

export async function startScriptedRelay(script: Script): Promise<ScriptedRelay> {
  const { events = [], ends = "eose", delayMs = 0, fate = [true, ""], greeting } = script
  const given: NostrEvent[] = []
  const server = await startSocketServer((socket) => {
    const say = (message: readonly unknown[]) => socket.send(JSON.stringify(message))
    if (greeting) say(greeting)
    socket.on("message", (data) => {
      const [verb, second] = JSON.parse(String(data)) as [string, unknown]
      setTimeout(() => {
        if (verb === "EVENT") {
          const event = second as NostrEvent
          given.push(event)
          say(["OK", event.id, ...fate])
        }
        if (verb !== "REQ") return
        for (const event of events) say(["EVENT", second, event])
        if (ends === "eose") say(["EOSE", second])
        if (ends === "closed") say(["CLOSED", second, "auth-required: \u001b[31mpay first"])
      }, delayMs)
    })
  })
  return {
    url: server.origin.replace("http", "ws"),
    given,
    allClosed: () => server.allClosed(),
    close: () => server.close(),
  }
}
