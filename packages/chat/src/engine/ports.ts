/** What the engine needs of the place where it runs. The same engine runs in Node and in a page; these differ. */
import type { ChainReplay, Digest, Envelope } from "@kez/core"
import type { DeviceKeys } from "../credential/device-keys.ts"
import type { EngineStore } from "../store/store.ts"
import type { Transport } from "../transport/transport.ts"

/** Whose engine it is. */
export interface Account {
  readonly chain: Digest
  /** Of this device, which the chain lists (`add_device`). */
  readonly keys: DeviceKeys
  /** The chat server as its handles and tokens name it: `chat.example`, `localhost`. Where that is, `http` and the transport know. */
  readonly host: string
  /** The own handle on that host, without `@`. Absent: none is watched. */
  readonly handle?: string
  /** Digests of the statements about the handle that this account signed: any other in the log is an alarm. Absent: any that names another chain is. */
  readonly handleStatements?: readonly Digest[]
  /** The public archive key of the words, by `signArchiveKey`: put into the archive if it is not there. Without one there nothing is archived. */
  readonly archiveKey?: Envelope<"archive_key">
  /** Only to restore: `(await archiveKeyPairOfWords(secret)).secretKey`. Kept in memory until the archive's keys are sealed to this device, and stored nowhere. */
  readonly archiveSecret?: Uint8Array
}

/** The sigchains of members: kept and fetched by the app, judged by core. */
export interface ChainPort {
  /** What is known here, newest; undefined: nothing. Answers at once and asks nobody. */
  known(chain: Digest): ChainReplay | undefined
  /**
   * Asks the stores and unites what they say with what is known. Resolves to what is known then (undefined: nobody has the chain).
   * `primary`, `url`: hints where it is found. Throws `net.*`, `chain.*`.
   */
  fetch(chain: Digest, hints?: { readonly primary?: string; readonly url?: string }): Promise<ChainReplay | undefined>
  /**
   * Watches chains for as long as the engine runs, in place of those of the call before: `onChange` whenever more became known of one. A device that is revoked is to be heard of
   * within seconds.
   */
  follow(chains: readonly Digest[], onChange: (chain: Digest) => void): void
}

export interface HttpAnswer {
  readonly status: number
  readonly body: Uint8Array
}

/** HTTP to chat servers, by the app's guarded way out. Throws `net.*`. The answer of any status is an answer. */
export interface HttpPort {
  request(request: {
    readonly host: string
    readonly method: "GET" | "POST"
    /** `/v1/handles/alice`. */
    readonly path: string
    readonly body?: Uint8Array
    readonly maxBytes: number
  }): Promise<HttpAnswer>
}

export interface ClockPort {
  /** Unix seconds. */
  now(): number
  /** Calls `run` once; the result takes it back. */
  after(ms: number, run: () => void): () => void
}

export interface EnginePorts {
  readonly account: Account
  readonly transport: Transport
  readonly store: EngineStore
  readonly chains: ChainPort
  readonly http: HttpPort
  readonly clock: ClockPort
  /** From 0 to below 1; spreads attempts in time. No key is made of it. */
  readonly random: () => number
  /** A defect or a store that fails, where no caller hears it. For a log; without secrets or texts. */
  readonly onFault?: (error: unknown) => void
  /** How many key packages of this device the server is to hold; 100 if absent. Fewer where making them takes long. */
  readonly keyPackages?: number
}
