/** Starts real nostr relays, several in one process, each with a store of its own. test/peers/nostr-relay. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { peerFolder, skipWithoutPeer } from "./servers.ts"

/** For `{ skip: relaysMissing }`. */
export const relaysMissing: string | false = skipWithoutPeer("nostr-relay")

export interface NostrRelays {
  /** `ws://127.0.0.1:port`, one a relay. */
  readonly urls: readonly string[]
  close(): Promise<void>
}

/** `delayMs` is waited before each answer, as a distant relay would need. */
export async function startNostrRelays(count: number, delayMs = 0): Promise<NostrRelays> {
  const child = spawn(process.execPath, ["relay.js", String(count), String(delayMs)], {
    cwd: peerFolder("nostr-relay"),
    stdio: ["pipe", "pipe", "inherit"],
  })
  const exited = once(child, "exit")
  const [line] = (await Promise.race([
    once(createInterface(child.stdout), "line"),
    exited.then(() => Promise.reject(new Error("the relay ended before it was ready"))),
  ])) as [string]
  return {
    urls: JSON.parse(line) as readonly string[],
    async close() {
      child.stdin.end()
      await exited
    },
  }
}
