/** A real kez-sig-server as its own process. */
import { type ChainReplay, formatEnvelope } from "../../packages/core/src/index.ts"
import type { Cleaner } from "./person.ts"
import { type Finished, runServer, type ServerProcess, type ServerSetup, startServer } from "./server-process.ts"

export type { Finished }
export type SigServerSetup = ServerSetup
export type SigServer = ServerProcess

/** Resolves when it listens. */
export function startSigServer(t: Cleaner, setup: SigServerSetup = {}): Promise<SigServer> {
  return startServer(t, { name: "sig-server" }, setup)
}

/** Runs a command of it to its end. */
export function runSigServer(args: readonly string[], setup: SigServerSetup = {}): Promise<Finished> {
  return runServer({ name: "sig-server" }, { ...setup, args })
}

/** What the store has not got yet is posted; the rest is known to it. */
export async function publishChain(store: { readonly url: string }, { chain, path }: ChainReplay): Promise<void> {
  const head = await fetch(`${store.url}/v1/chains/${chain}/head`)
  const from = head.ok ? ((await head.json()) as { readonly seq: number }).seq + 1 : 0
  for (const event of path.slice(from)) {
    const answer = await fetch(`${store.url}/v1/chains/${chain}/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: formatEnvelope(event),
    })
    if (!answer.ok) throw new Error(`Cannot publish: ${await answer.text()}`)
  }
}
