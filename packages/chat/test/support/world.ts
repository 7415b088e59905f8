/** People with sigchains and devices, and a store of conversations in memory whose every write can be made to fail. */
import {
  appendEvent,
  type ChainReplay,
  createSigner,
  type Digest,
  type Operation,
  replayChain,
  type Signer,
} from "@kez/core"
import type { Chains } from "../../src/chains.ts"
import type { CipherStore, GroupCipher, StoredGroup } from "../../src/cipher/group-cipher.ts"
import type { CipherPorts, MlsGroup } from "../../src/cipher/mls-group.ts"
import { createConversation, joinConversation, loadConversation } from "../../src/cipher/mls-join.ts"
import { type ConversationMember, directPolicy, type StateBody } from "../../src/conversation/state-body.ts"
import { type DeviceCredential, signDeviceCredential } from "../../src/credential/device-credential.ts"
import { createDeviceKeys, type DeviceKeys, deviceSigner } from "../../src/credential/device-keys.ts"
import { createKeyPackage, type KeyPackageRequest, type OwnKeyPackage } from "../../src/credential/key-package.ts"

/** The library asks the clock when it makes a commit: tests stand in the present. */
export const now = Math.floor(Date.now() / 1000)

export class Person {
  readonly primary: Signer
  replay: ChainReplay

  constructor(primary: Signer, replay: ChainReplay) {
    this.primary = primary
    this.replay = replay
  }

  get chain(): Digest {
    return this.replay.chain
  }

  async append(operation: Operation, signer: Signer = this.primary): Promise<void> {
    this.replay = (await appendEvent({ chain: this.replay, operation, now }, signer)).replay
  }

  async addDevice(): Promise<Device> {
    const keys = createDeviceKeys()
    const device = deviceSigner(keys)
    await this.append({ op: "add_device", device })
    return createDevice(this, keys)
  }

  revoke(...devices: readonly Device[]): Promise<void> {
    return this.append({ op: "revoke_device", keys: devices.map(({ name }) => name) })
  }
}

let people = 0

/** A new identity; event 0 is a claim, so that devices can be added by themselves. */
export async function createPerson(): Promise<Person> {
  people++
  const primary = createSigner("ed25519", crypto.getRandomValues(new Uint8Array(32)))
  const operation: Operation = { op: "add", subject: `dns:p${people}.example` }
  const { replay } = await appendEvent({ chain: undefined, operation, now }, primary)
  return new Person(primary, replay)
}

export interface Device {
  readonly person: Person
  readonly keys: DeviceKeys
  readonly credential: DeviceCredential
  readonly name: string
}

export async function createDevice(person: Person, keys: DeviceKeys, madeAt = now): Promise<Device> {
  const credential = await signDeviceCredential({ chain: person.chain, keys, now: madeAt })
  return { person, keys, credential, name: credential.device }
}

/** Keeps what was written, and no more: what a machine has after the power came back. */
export class MemoryStore implements CipherStore {
  readonly kept = new Map<Digest, StoredGroup>()
  /** The next write fails, before or after it is durable. */
  failNext: "before" | "after" | undefined

  async saveRecord(group: Digest, record: Uint8Array): Promise<void> {
    this.#fail("before")
    this.kept.set(group, { record: record.slice(), journal: [] })
    this.#fail("after")
  }

  async appendJournal(group: Digest, entry: Uint8Array): Promise<void> {
    this.#fail("before")
    const stored = this.kept.get(group)
    if (stored === undefined) throw new Error("no record")
    this.kept.set(group, { ...stored, journal: [...stored.journal, entry.slice()] })
    this.#fail("after")
  }

  #fail(when: "before" | "after"): void {
    if (this.failNext !== when) return
    this.failNext = undefined
    throw new Error("power cut")
  }
}

/** Everything that one device needs, with its own view of the chains. */
export interface Desk extends CipherPorts {
  readonly device: Device
  readonly store: MemoryStore
  at: number
}

export function deskOf(device: Device, chains: Chains): Desk {
  const desk = { device, chains, store: new MemoryStore(), keys: device.keys, at: now, now: () => desk.at }
  return desk
}

/** What everybody knows: the newest of each chain. */
export function chainsOf(...known: readonly Person[]): Chains {
  return (chain) => known.find((person) => person.chain === chain)?.replay
}

/** A copy as it was: what somebody knows who has not fetched since. */
export function frozenChains(...known: readonly Person[]): Chains {
  const copies = new Map(known.map(({ replay }) => [replay.chain, replayChain(replay.path, { chain: replay.chain })]))
  return (chain) => copies.get(chain)
}

export function stateOf(members: readonly ConversationMember[], more: Partial<StateBody> = {}): StateBody {
  const sorted = members.toSorted((a, b) => (a.chain < b.chain ? -1 : 1))
  const salt = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex")
  return { version: 1, kind: "group", salt, members: sorted, policy: directPolicy, ...more }
}

export function keyPackageOf(device: Device, more: Partial<KeyPackageRequest> = {}): Promise<OwnKeyPackage> {
  return createKeyPackage({ keys: device.keys, credential: device.credential, now, ...more })
}

/** A conversation of all these devices, in the order given; the first makes it and adds the others in one commit. */
export async function conversationOf(body: StateBody, desks: readonly Desk[]): Promise<readonly MlsGroup[]> {
  const [maker, ...others] = desks
  if (maker === undefined) throw new Error("nobody")
  const made = await createConversation(body, maker.device.credential, maker)
  if (others.length === 0) return [made]
  const packages = await Promise.all(others.map(({ device }) => keyPackageOf(device)))
  const { welcome } = await made.add(packages.map(({ bytes }) => bytes))
  await made.accept()
  const joined: MlsGroup[] = []
  for (const [i, desk] of others.entries()) {
    joined.push((await joinConversation(welcome ?? new Uint8Array(), packages.slice(i, i + 1), desk)).cipher)
  }
  return [made, ...joined]
}

/** The conversation as it is after a crash now. */
export async function restart(desk: Desk, { group }: { readonly group: Digest }): Promise<MlsGroup> {
  const stored = desk.store.kept.get(group)
  if (stored === undefined) throw new Error("nothing stored")
  return loadConversation(stored, desk)
}

/** One commit to everybody; the maker accepts, the others apply. */
export async function commitAll(
  maker: GroupCipher,
  message: Uint8Array,
  others: readonly GroupCipher[],
): Promise<void> {
  await maker.accept()
  for (const other of others) {
    const outcome = await other.process(message)
    if (outcome.kind !== "applied") throw new Error(`not applied: ${JSON.stringify(outcome)}`)
  }
}

const utf8 = { encoder: new TextEncoder(), decoder: new TextDecoder() }
export const text = (bytes: Uint8Array): string => utf8.decoder.decode(bytes)
export const bytes = (content: string): Uint8Array => utf8.encoder.encode(content)

/** The content that a message opens to, or the code of its refusal, or what else it is. */
export async function read(cipher: GroupCipher, message: Uint8Array): Promise<string> {
  const outcome = await cipher.decrypt(message)
  if (outcome.kind === "message") return text(outcome.content)
  return outcome.kind === "refused" ? outcome.fault.code : outcome.kind
}

/** What became of a commit: `applied`, the code of its refusal, or what else it is. */
export async function offer(cipher: GroupCipher, commit: Uint8Array): Promise<string> {
  const outcome = await cipher.process(commit)
  return outcome.kind === "refused" ? outcome.fault.code : outcome.kind
}
