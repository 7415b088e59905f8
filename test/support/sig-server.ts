/** A real kez-sig-server as its own process. */
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
