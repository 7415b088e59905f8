/**
 * One conversation on this device, over MLS. What changes a key is written before it has an effect outside: a message's generation
 * before the message is handed out, a commit before it is published, an applied commit before it is told.
 */
import { type Digest, formatHex, KezError, sha256 } from "@kez/core"
import { createGroupInfoWithExternalPubAndRatchetTree, encodeMlsMessage } from "ts-mls"
import { encodeText, joinBytes } from "../bytes.ts"
import { type Chains, chainOf, headOf, standingNow } from "../chains.ts"
import type { StateBody, StateChange } from "../conversation/state-body.ts"
import { broughtInBy, namedBy } from "../conversation/state-log.ts"
import { type DeviceCredential, timeFaultOfCredential } from "../credential/device-credential.ts"
import { type DeviceKeys, deviceSigner } from "../credential/device-keys.ts"
import { maxJournalEntries } from "../limits.ts"
import { encodeHandshake, exportFrom } from "./attachments.ts"
import type { AuthenticatedData } from "./authenticated-data.ts"
import { encodeUsedGeneration, type UsedGeneration } from "./generations.ts"
import type {
  AppliedCommit,
  CipherStore,
  CommitOutcome,
  CommitRequest,
  GroupCipher,
  GroupDevice,
  MessageOutcome,
  PreparedCommit,
} from "./group-cipher.ts"
import {
  devicesOf,
  epochOf,
  type GroupRecord,
  markOf,
  ownDeviceOf,
  ownIndexOf,
  transcriptOf,
  withRefusedCommit,
} from "./group-record.ts"
import { readCommit } from "./incoming.ts"
import { bundleExtension, encodeJoinBundle } from "./join-bundle.ts"
import { decryptMessage, encryptMessage } from "./messages.ts"
import { noLeaf, withConfig } from "./mls-config.ts"
import { appliedByOther, appliedByUs, prepared, withTreeOf } from "./outcomes.ts"
import { makeCommit } from "./outgoing.ts"
import { encodeRecord } from "./saved-group.ts"
import { suite } from "./suite.ts"

export interface CipherPorts {
  readonly chains: Chains
  readonly store: CipherStore
  /** Unix seconds. */
  readonly now: () => number
  readonly keys: DeviceKeys
}

export class MlsGroup implements GroupCipher {
  readonly #ports: CipherPorts
  #record: GroupRecord
  #journaled: number
  /** One operation after another: two at once would use one generation twice. */
  #queue: Promise<unknown> = Promise.resolve()

  /** `journaled`: entries of the journal that stand behind the record already. */
  constructor(record: GroupRecord, ports: CipherPorts, journaled = 0) {
    this.#record = record
    this.#ports = ports
    this.#journaled = journaled
  }

  get group(): Digest {
    return this.#record.log.group
  }
  get epoch(): number {
    return epochOf(this.#record.state)
  }
  get state(): StateBody {
    return this.#record.log.body
  }
  get stateDigest(): Digest {
    return this.#record.log.digest
  }
  get isRemoved(): boolean {
    return ownDeviceOf(this.#record.state) === undefined
  }
  get pending(): PreparedCommit | undefined {
    const { pending } = this.#record
    return pending === undefined ? undefined : prepared(this.epoch, pending)
  }

  members(): readonly GroupDevice[] {
    const own = ownIndexOf(this.#record.state)
    return devicesOf(this.#record.state.ratchetTree).map(({ index, credential }) =>
      this.#deviceOf(index, credential, index === own && !this.isRemoved),
    )
  }

  broughtInBy(chain: Digest): Digest | undefined {
    return broughtInBy(this.#record.log, chain)
  }
  namedBy(): Digest | undefined {
    return namedBy(this.#record.log)
  }

  overdue(): readonly GroupDevice[] {
    return this.members().filter(({ standing }) => standing !== "current")
  }

  commit(request: CommitRequest): Promise<PreparedCommit> {
    return this.#inTurn(async () => {
      const self = this.#self()
      if (this.#record.pending !== undefined) throw waiting()
      const { chains, now, keys } = this.#ports
      const made = await makeCommit(this.#record, request, { chains, now: now(), self, signer: deviceSigner(keys) })
      await this.#replace(made.record)
      return prepared(this.epoch, made.pending)
    })
  }

  add(keyPackages: readonly Uint8Array[], change?: StateChange): Promise<PreparedCommit> {
    return this.commit({ add: keyPackages, ...(change === undefined ? {} : { change }) })
  }

  remove(devices: readonly string[], change?: StateChange): Promise<PreparedCommit> {
    return this.commit({ remove: devices, ...(change === undefined ? {} : { change }) })
  }

  update(renew?: DeviceCredential): Promise<PreparedCommit> {
    return this.commit(renew === undefined ? {} : { renew })
  }

  accept(): Promise<AppliedCommit> {
    return this.#inTurn(async () => {
      const { pending, state } = this.#record
      if (pending === undefined) throw new KezError("usage", "Cannot accept a commit: none waits")
      const before = this.#record
      const next = { ...pending.next, state: withTreeOf(pending.next.state, state) }
      await this.#replace(next)
      return appliedByUs(before, next, this.#self())
    })
  }

  discard(): Promise<void> {
    return this.#inTurn(() => {
      const { pending: _, ...rest } = this.#record
      return this.#replace(rest)
    })
  }

  process(commit: Uint8Array): Promise<CommitOutcome> {
    return this.#inTurn(async () => {
      if (this.isRemoved) return { kind: "refused", fault: removed() }
      const before = this.#record
      const incoming = await readCommit(before, commit, this.#ports.chains)
      if (incoming.kind === "applied") {
        await this.#replace(incoming.record)
        return appliedByOther(before, incoming.record, incoming)
      }
      if (incoming.kind !== "refused" || incoming.commit === undefined) return incoming
      await this.#replace(withRefusedCommit(before, incoming.commit))
      const { commit: _, ...outcome } = incoming
      return outcome
    })
  }

  encrypt(content: Uint8Array): Promise<Uint8Array> {
    return this.#inTurn(async () => {
      const self = this.#self()
      this.#assertMaySend(self)
      const made = await encryptMessage(this.#record.state, content, this.#data(self))
      await this.#use({ ...this.#record, state: made.state }, made.used)
      return made.bytes
    })
  }

  decrypt(message: Uint8Array): Promise<MessageOutcome> {
    return this.#inTurn(async () => {
      try {
        const opened = await decryptMessage(this.#record, message)
        if (opened.kind === "far") {
          const { device, ahead, fault } = opened
          return { kind: "refused", fault, far: { device, ahead } }
        }
        if (opened.kind !== "message") return opened
        await this.#use({ ...this.#record, state: opened.state }, opened.used)
        return this.#opened(opened)
      } catch (fault) {
        if (fault instanceof KezError) return { kind: "refused", fault }
        throw fault
      }
    })
  }

  async exportKey(label: string, context: Uint8Array, length: number): Promise<Uint8Array> {
    this.#self()
    return exportFrom(this.#record.state, label, { context, length })
  }

  safetyCode(): string {
    const { epochAuthenticator } = this.#record.state.keySchedule
    return formatHex(sha256(joinBytes(encodeText("kez/safety/v1"), epochAuthenticator)))
  }

  async groupInfo(): Promise<Uint8Array> {
    this.#self()
    const { state, log, heads } = this.#record
    const bundle = encodeJoinBundle(log, heads.values(), new Uint8Array())
    const extensions = [bundleExtension(bundle)]
    const groupInfo = await createGroupInfoWithExternalPubAndRatchetTree(withConfig(state, noLeaf), extensions, suite)
    const mls = encodeMlsMessage({ version: "mls10", wireformat: "mls_group_info", groupInfo })
    return encodeHandshake({ mls, attached: bundle })
  }

  save(): Uint8Array {
    return encodeRecord(this.#record)
  }

  #self(): DeviceCredential {
    const self = ownDeviceOf(this.#record.state)
    if (self === undefined) throw removed()
    return self
  }

  /** Nobody writes into an epoch that a revoked device can read. */
  #assertMaySend(self: DeviceCredential): void {
    const late = timeFaultOfCredential(self, this.#ports.now())
    if (late !== undefined) throw late
    const [first] = this.overdue()
    if (first === undefined) return
    chainOf(this.#ports.chains, first.chain) // not known here: then it is fetched, not removed
    throw new KezError("chat.credential", `Cannot send: a device in the conversation is ${first.standing}`, {
      hint: "It is removed first; any member can do that.",
    })
  }

  #data(self: DeviceCredential): AuthenticatedData {
    const { state, log } = this.#record
    const head = headOf(chainOf(this.#ports.chains, self.chain))
    const transcript = markOf(this.#record, this.epoch)?.transcript ?? transcriptOf(state)
    return { state: log.digest, transcript, at: this.#ports.now(), heads: [head] }
  }

  #opened(opened: Extract<Awaited<ReturnType<typeof decryptMessage>>, { kind: "message" }>): MessageOutcome {
    const { used, content, sender, data } = opened
    const head = data.heads[0] ?? { chain: sender.chain, seq: 0, digest: sender.chain }
    return {
      kind: "message",
      epoch: used.epoch,
      generation: used.generation,
      sender: this.#deviceOf(used.leaf, sender, false),
      content,
      at: data.at,
      head,
      isHeadKnown: this.#ports.chains(head.chain)?.knows(head.digest) === true,
    }
  }

  #deviceOf(leaf: number, credential: DeviceCredential, isSelf: boolean): GroupDevice {
    const { chain, device } = credential
    const replay = this.#ports.chains(chain)
    const standing = replay === undefined ? "unknown" : standingNow(replay, device)
    return { leaf, chain, device, credential, standing, isSelf }
  }

  /** Written first, then in force. */
  async #replace(record: GroupRecord): Promise<void> {
    await this.#ports.store.saveRecord(record.log.group, encodeRecord(record))
    this.#record = record
    this.#journaled = 0
  }

  async #use(record: GroupRecord, used: UsedGeneration): Promise<void> {
    // Keys of what was read and sent long ago leave the disk with the record that could still derive them.
    if (this.#journaled >= maxJournalEntries) return this.#replace(record)
    await this.#ports.store.appendJournal(record.log.group, encodeUsedGeneration(used))
    this.#record = record
    this.#journaled++
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(run)
    this.#queue = turn.catch(() => undefined)
    return turn
  }
}

function waiting(): KezError {
  return new KezError("chat.commit", "Cannot make another commit: one of this device waits for the server", {
    hint: "Accept or discard that one first.",
  })
}

function removed(): KezError {
  return new KezError("chat.removed", "Cannot go on in the conversation: this device was removed from it", {
    hint: "What was read stays readable. Another member can add the device again.",
  })
}
