/**
 * A chat server with its broker in memory, by the contract of the wire formats, which can be told to lie: to drop, hold back, repeat, reorder, alter,
 * or hand out other key packages.
 */
import { type BrokerDevice, type Digest, deviceIdOf, KezError, userIdOf } from "@kez/core"
import { parseKeyPackageMessage } from "../../src/cipher/mls-message.ts"
import { maxKeyPackageBytes } from "../../src/limits.ts"
import type { MailboxItem, StartTransport, Transport } from "../../src/transport/transport.ts"
import { decodeRequest, encodeAnswer, encodeRefusal, type WithParts } from "../../src/wire/command-codec.ts"
import type { CommandAnswers, CommandRequests, Operation } from "../../src/wire/commands.ts"
import { type Delivery, encodeDelivery, encodeLive } from "../../src/wire/delivery.ts"

export interface Kept {
  readonly seq: number
  readonly id: Digest
  readonly data: Uint8Array
}

interface ModelConversation {
  members: readonly Digest[]
  readonly messages: Kept[]
  readonly commits: Kept[]
}

interface Line {
  readonly device: BrokerDevice
  readonly start: StartTransport
  isUp: boolean
  readers: Set<() => void>
  /** Readers that were begun: the last one counts. */
  sessions: number
}

interface HeldKeyPackage {
  readonly bytes: Uint8Array
  isUsed: boolean
  readonly isLastResort: boolean
}

/** What it may do wrong. Each is asked for every delivery or command. */
export interface Lies {
  /** What goes into a mailbox in place of a delivery. */
  deliver?: (uid: string, delivery: Delivery) => readonly Delivery[]
  /** A key package in place of the one asked for. */
  handOut?: (device: string, bytes: Uint8Array) => Uint8Array
  /** What a command of a device is answered with; undefined: as it should be. Thrown errors are refusals. */
  answer?: (operation: Operation, device: BrokerDevice) => "lose_request" | "lose_answer" | undefined
  /** What history shows of what is kept. */
  history?: (kept: readonly Kept[], kind: "messages" | "commits") => readonly Kept[]
  /** What a device is shown of an archive. */
  archive?: (kept: readonly Kept[], device: BrokerDevice) => readonly Kept[]
}

export class ModelServer {
  lies: Lies = {}
  /** Everything that the server ever saw in the clear or not. */
  readonly seen: Uint8Array[] = []
  readonly mailboxes = new Map<string, MailboxItem[]>()
  readonly conversations = new Map<string, ModelConversation>()
  readonly archives = new Map<string, Kept[]>()
  /** Items of an archive in one answer. */
  archivePage = 4
  requests = 0
  readonly #devices = new Map<
    string,
    { readonly chain: Digest; readonly device: string; readonly packages: HeldKeyPackage[] }
  >()
  readonly #lines = new Set<Line>()
  #seq = 0
  #mailSeq = 0

  /** Somebody registers a device, as the callout would learn it. */
  register(chain: Digest, device: string): BrokerDevice {
    const name = { uid: userIdOf(chain), dev: deviceIdOf(device) }
    if (!this.#devices.has(name.dev)) this.#devices.set(name.dev, { chain, device, packages: [] })
    return name
  }

  /** The same server once more, without the lines to it. */
  copy(): ModelServer {
    const copy = new ModelServer()
    for (const [name, items] of this.mailboxes) copy.mailboxes.set(name, [...items])
    for (const [name, { members, messages, commits }] of this.conversations) {
      copy.conversations.set(name, { members, messages: [...messages], commits: [...commits] })
    }
    for (const [name, device] of this.#devices) {
      copy.#devices.set(name, { ...device, packages: device.packages.map((one) => ({ ...one })) })
    }
    for (const [name, items] of this.archives) copy.archives.set(name, [...items])
    copy.#seq = this.#seq
    copy.#mailSeq = this.#mailSeq
    return copy
  }

  /** The stream of mailboxes is gone, and its count begins anew; conversations are kept. */
  loseMailboxes(): void {
    this.mailboxes.clear()
    this.#mailSeq = 0
  }

  keyPackagesOf(device: string): number {
    return this.#devices.get(deviceIdOf(device))?.packages.filter(({ isUsed }) => !isUsed).length ?? 0
  }

  /** The network of one device. */
  transport(): ModelTransport {
    return new ModelTransport(this)
  }

  open(line: Line): void {
    this.#lines.add(line)
  }
  shut(line: Line): void {
    this.#lines.delete(line)
  }

  /** Puts something into a mailbox, whoever made it. */
  push(uid: string, delivery: Delivery): void {
    const box = this.mailboxes.get(uid) ?? []
    this.mailboxes.set(uid, box)
    for (const one of this.lies.deliver?.(uid, delivery) ?? [delivery]) {
      box.push({ seq: ++this.#mailSeq, bytes: encodeDelivery(one) })
    }
    for (const line of this.#lines) if (line.device.uid === uid) for (const wake of line.readers) wake()
  }

  handle(operation: Operation, from: BrokerDevice, bytes: Uint8Array): Uint8Array {
    this.requests++
    this.seen.push(bytes)
    try {
      const { header, parts } = decodeRequest(operation, bytes)
      const answer = this.#do(operation, from, { header, parts })
      return encodeAnswer(operation, answer.header, answer.parts)
    } catch (error) {
      if (error instanceof KezError) return encodeRefusal(error)
      throw error
    }
  }

  #do(
    operation: Operation,
    from: BrokerDevice,
    request: WithParts<CommandRequests[Operation]>,
  ): WithParts<CommandAnswers[Operation]> {
    const { parts } = request
    const header = request.header as never
    switch (operation) {
      case "session":
        return plain(this.#session(from, header))
      case "cursor":
        return plain({})
      case "key-packages-put":
        return plain(this.#put(from, parts))
      case "key-packages-take":
        return this.#take(header)
      case "send":
        return plain(this.#send(from, header, parts))
      case "commit":
        return plain(this.#commit(from, header, parts))
      case "welcome":
        return plain(this.#welcome(from, header, parts))
      case "history":
        return this.#history(from, header)
      case "live":
        return plain(this.#live(from, header, parts))
      case "archive-put":
        return plain(this.#archivePut(from, header, parts))
      case "archive-read":
        return this.#archiveRead(from, header)
      case "invite":
        throw new KezError("usage", "not in the model")
    }
  }

  #session(from: BrokerDevice, { cursor }: CommandRequests["session"]): CommandAnswers["session"] {
    const box = this.mailboxes.get(from.uid) ?? []
    const last = this.#mailSeq
    const rewound = cursor > last
    const start = rewound ? 0 : cursor
    const info = { config: { opt_start_seq: start + 1 }, num_pending: box.filter(({ seq }) => seq > start).length }
    const held = this.#held(from)
    return { stream: "MBX0", consumer: from.dev, info: JSON.stringify(info), rewound, ...held, now: 0 }
  }

  #held({ dev }: BrokerDevice): { key_packages: number; last_resort: boolean } {
    const packages = this.#devices.get(dev)?.packages ?? []
    const oneTime = packages.filter(({ isUsed, isLastResort }) => !isUsed && !isLastResort)
    return { key_packages: oneTime.length, last_resort: packages.some(({ isLastResort }) => isLastResort) }
  }

  #put(from: BrokerDevice, parts: readonly Uint8Array[]): CommandAnswers["key-packages-put"] {
    const device = this.#devices.get(from.dev)
    for (const bytes of parts) device?.packages.push({ bytes, isUsed: false, isLastResort: isLastResort(bytes) })
    return this.#held(from)
  }

  #take({ chain, devices }: CommandRequests["key-packages-take"]): WithParts<CommandAnswers["key-packages-take"]> {
    const found = [...this.#devices.values()].flatMap(({ chain: of, device, packages }) => {
      if (of !== chain || devices?.includes(device) === false) return []
      const next =
        packages.find(({ isUsed, isLastResort }) => !isUsed && !isLastResort) ??
        packages.findLast((one) => one.isLastResort)
      if (next === undefined) return []
      next.isUsed = true
      return [{ device, bytes: this.lies.handOut?.(device, next.bytes) ?? next.bytes }]
    })
    return { header: { devices: found.map(({ device }) => device) }, parts: found.map(({ bytes }) => bytes) }
  }

  #of(name: string, from: BrokerDevice): ModelConversation {
    const conversation = this.conversations.get(name)
    if (conversation === undefined || !conversation.members.some((chain) => userIdOf(chain) === from.uid)) {
      throw new KezError("chat.removed", "Cannot do that: not in the conversation")
    }
    return conversation
  }

  #send(from: BrokerDevice, { conversation: name, id }: CommandRequests["send"], [data]: readonly Uint8Array[]) {
    const conversation = this.#of(name, from)
    const known = conversation.messages.find((kept) => kept.id === id)
    if (known !== undefined) return { seq: known.seq }
    const kept = { seq: ++this.#seq, id, data: data ?? new Uint8Array() }
    conversation.messages.push(kept)
    this.#deliverAll(conversation.members, { kind: "message", conversation: name, ...kept })
    return { seq: kept.seq }
  }

  #commit(
    from: BrokerDevice,
    asked: CommandRequests["commit"],
    [data]: readonly Uint8Array[],
  ): CommandAnswers["commit"] {
    const { conversation: name, id, follows, members } = asked
    const before = this.conversations.get(name)
    if (before !== undefined) this.#of(name, from)
    const conversation = before ?? { members: [], messages: [], commits: [] }
    const known = conversation.commits.find((kept) => kept.id === id)
    if (known !== undefined) return { accepted: true, seq: known.seq }
    const newest = conversation.commits.at(-1)?.seq ?? 0
    if (newest !== follows) return { accepted: false, newest }
    this.conversations.set(name, conversation)
    const all = [...new Set([...conversation.members, ...members])]
    conversation.members = members
    const kept = { seq: ++this.#seq, id, data: data ?? new Uint8Array() }
    conversation.commits.push(kept)
    this.#deliverAll(all, { kind: "commit", conversation: name, ...kept, follows, members })
    return { accepted: true, seq: kept.seq }
  }

  #welcome(from: BrokerDevice, asked: CommandRequests["welcome"], [data]: readonly Uint8Array[]) {
    const { conversation, id, commit, chain, device } = asked
    this.#of(conversation, from)
    const delivery = { kind: "welcome", conversation, seq: commit, id, device: deviceIdOf(device) } as const
    this.push(userIdOf(chain), { ...delivery, data: data ?? new Uint8Array() })
    return {}
  }

  #history(from: BrokerDevice, asked: CommandRequests["history"]): WithParts<CommandAnswers["history"]> {
    const kept = this.#of(asked.conversation, from)[asked.kind]
    const shown = (this.lies.history?.(kept, asked.kind) ?? kept).filter(({ seq }) => seq >= asked.from)
    const some = shown.slice(0, Math.min(asked.limit, 16))
    const header = { places: some.map(({ seq }) => seq), is_end: some.length === shown.length }
    return { header, parts: some.map(({ data }) => data) }
  }

  #archivePut(from: BrokerDevice, { id }: CommandRequests["archive-put"], [data]: readonly Uint8Array[]) {
    const kept = this.archives.get(from.uid) ?? []
    this.archives.set(from.uid, kept)
    const known = kept.find((one) => one.id === id)
    if (known !== undefined) return { seq: known.seq }
    const seq = (kept.at(-1)?.seq ?? 0) + 1
    kept.push({ seq, id, data: data ?? new Uint8Array() })
    return { seq }
  }

  #archiveRead(from: BrokerDevice, { from: place, limit }: CommandRequests["archive-read"]) {
    const kept = this.archives.get(from.uid) ?? []
    const shown = (this.lies.archive?.(kept, from) ?? kept).filter(({ seq }) => seq >= place)
    const some = shown.slice(0, Math.min(limit, this.archivePage))
    const header = { places: some.map(({ seq }) => seq), is_end: some.length === shown.length }
    return { header, parts: some.map(({ data }) => data) }
  }

  #live(from: BrokerDevice, { conversation, topic }: CommandRequests["live"], [data]: readonly Uint8Array[]) {
    const { members } = this.#of(conversation, from)
    const bytes = encodeLive({ conversation, data: data ?? new Uint8Array() })
    const uids = new Set(members.map(userIdOf))
    for (const line of this.#lines) if (line.isUp && uids.has(line.device.uid)) line.start.on.live(topic, bytes)
    return {}
  }

  #deliverAll(members: readonly Digest[], delivery: Delivery): void {
    for (const uid of new Set(members.map(userIdOf))) this.push(uid, delivery)
  }
}

function isLastResort(bytes: Uint8Array): boolean {
  return parseKeyPackageMessage(bytes, maxKeyPackageBytes).extensions.length > 0
}

function plain<T>(header: T): WithParts<T> {
  return { header, parts: [] }
}

/** Goes up and down when the test says so. */
export class ModelTransport implements Transport {
  readonly #server: ModelServer
  #line: Line | undefined
  #isPlugged = true
  /** How many are under way. */
  inFlight = 0

  constructor(server: ModelServer) {
    this.#server = server
  }

  async start(start: StartTransport): Promise<void> {
    this.#line = { device: start.device, start, isUp: false, readers: new Set(), sessions: 0 }
    this.#server.open(this.#line)
    start.token("nonce-of-the-model")
    if (this.#isPlugged) this.plug()
  }

  unplug(reason = "no network", isRefused = false): void {
    this.#isPlugged = false
    const line = this.#line
    if (line === undefined) return
    line.isUp = false
    for (const wake of line.readers) wake()
    line.start.on.offline(reason, isRefused)
  }

  plug(): void {
    this.#isPlugged = true
    const line = this.#line
    if (line === undefined) return
    line.isUp = true
    line.start.on.online()
  }

  async request(operation: Operation, request: Uint8Array): Promise<Uint8Array> {
    const line = this.#line
    this.inFlight++
    await turn()
    this.inFlight--
    if (line === undefined || !line.isUp) throw new KezError("net.refused", "Cannot ask: no connection")
    const lie = this.#server.lies.answer?.(operation, line.device)
    if (lie === "lose_request") throw new KezError("net.timeout", "Cannot ask: no answer")
    const answer = this.#server.handle(operation, line.device, request)
    await turn()
    if (lie === "lose_answer" || !line.isUp) throw new KezError("net.timeout", "Cannot ask: no answer")
    return answer
  }

  async *mailbox(session: CommandAnswers["session"]): AsyncIterable<MailboxItem> {
    const line = this.#line
    if (line === undefined) return
    const info: { readonly config: { readonly opt_start_seq: number } } = JSON.parse(session.info)
    let after = info.config.opt_start_seq - 1
    // A device has one reader: the one of before ends.
    const reader = ++line.sessions
    for (const wake of line.readers) wake()
    while (line.isUp && line.sessions === reader) {
      const item = this.#server.mailboxes.get(line.device.uid)?.find(({ seq }) => seq > after)
      if (item !== undefined) {
        after = item.seq
        yield item
        continue
      }
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          line.readers.delete(wake)
          resolve()
        }
        line.readers.add(wake)
      })
    }
  }

  async close(): Promise<void> {
    const line = this.#line
    if (line === undefined) return
    line.isUp = false
    for (const wake of line.readers) wake()
    this.#server.shut(line)
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
