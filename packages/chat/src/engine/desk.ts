/** What all parts of the engine share: one step after another, rows, ciphers, events, and the calls for work that follows. */
import type { Digest } from "@kez/core"
import { type ChainReplay, deviceIdOf, keyOfSecret, userIdOf } from "@kez/core"
import type { DeviceCredential } from "../credential/device-credential.ts"
import { decodeAnswer, encodeRequest, type WithParts } from "../wire/command-codec.ts"
import type { CommandAnswers, CommandRequests, Operation } from "../wire/commands.ts"
import { Ciphers } from "./ciphers.ts"
import type { EngineEvent } from "./event.ts"
import type { EnginePorts } from "./ports.ts"
import type { OutboxRow } from "./row.ts"
import { Unit } from "./unit.ts"

const maxSent = 1_024

/** A message of the outbox as it goes out. */
export interface SealedMessage {
  readonly entry: OutboxRow
  readonly ciphertext: Uint8Array
}

export class Desk {
  readonly ports: EnginePorts
  readonly ciphers: Ciphers
  readonly chain: Digest
  readonly device: string
  /** Of this device on the broker. */
  readonly name: { readonly uid: string; readonly dev: string }
  /** Kept by `account.ts`. */
  credential: DeviceCredential | undefined
  isOnline = false
  /** Digests of what this run sent last. */
  readonly sent = new Set<Digest>()
  /** Messages that were shown while they were written, and are not kept yet: after a full disk they come again (message-rows.ts). */
  readonly shownAhead = new Set<string>()
  /** Of the mailbox: beyond the cursor that is kept, nothing but what this device skips. */
  cursorAhead = 0
  isClosed = false
  /** What the server has, where that is not written down yet, by group. */
  readonly answered = new Map<Digest, readonly OutboxRow[]>()
  /** Set by whoever does it. */
  wake: (group: Digest) => void = () => undefined
  /** This is to be sent: at once if nothing else is to be done before. */
  send: (group: Digest, sealed: SealedMessage) => void = () => undefined
  /** Groups in which nothing is to be done but to send: whatever wakes one takes that back. */
  readonly calm = new Set<Digest>()
  /** Key packages and credential are to be looked at. */
  wakeAccount: () => void = () => undefined
  /** Something is to be written to the archive. */
  wakeArchive: () => void = () => undefined
  /** There are more chains to be followed. */
  followChains: () => void = () => undefined
  /** A defect: told to who runs this. */
  readonly fault = (error: unknown): void => this.ports.onFault?.(error)
  tell: (event: EngineEvent) => void = () => undefined
  #queue: Promise<unknown> = Promise.resolve()

  constructor(ports: EnginePorts) {
    const { account, chains, clock } = ports
    this.ports = ports
    this.chain = account.chain
    this.device = keyOfSecret("ed25519", account.keys.sign)
    this.name = { uid: userIdOf(account.chain), dev: deviceIdOf(this.device) }
    this.ciphers = new Ciphers({ chains: (chain) => chains.known(chain), now: () => clock.now(), keys: account.keys })
  }

  now(): number {
    return this.ports.clock.now()
  }

  known(chain: Digest): ChainReplay | undefined {
    return this.ports.chains.known(chain)
  }

  /** One step: what it changes is kept all or nothing when this resolves. Never waits for the network inside. */
  turn<T>(run: (unit: Unit) => Promise<T>): Promise<T> {
    const turn = this.#queue.then(() => this.#step(run))
    this.#queue = turn.catch(() => undefined)
    return turn
  }

  noteSent(ciphertext: Digest): void {
    this.sent.add(ciphertext)
    const [oldest] = this.sent
    if (this.sent.size > maxSent && oldest !== undefined) this.sent.delete(oldest)
  }

  answeredOf(group: Digest): readonly OutboxRow[] {
    return this.answered.get(group) ?? []
  }

  forgetAnswered(group: Digest, written: readonly OutboxRow[]): void {
    const left = this.answeredOf(group).filter((entry) => !written.includes(entry))
    if (left.length === 0) this.answered.delete(group)
    else this.answered.set(group, left)
  }

  /** Resolves when all steps so far are done. */
  async idle(): Promise<void> {
    await this.#queue
  }

  async request<O extends Operation>(
    operation: O,
    request: CommandRequests[O],
    parts: readonly Uint8Array[] = [],
  ): Promise<WithParts<CommandAnswers[O]>> {
    const bytes = await this.ports.transport.request(operation, encodeRequest(operation, request, parts))
    return decodeAnswer(operation, bytes)
  }

  async #step<T>(run: (unit: Unit) => Promise<T>): Promise<T> {
    const unit = new Unit(this.ports.store)
    this.ciphers.begin(unit)
    try {
      const result = await run(unit)
      await unit.write()
      return result
    } catch (error) {
      this.ciphers.undo(unit)
      throw error
    }
  }
}
