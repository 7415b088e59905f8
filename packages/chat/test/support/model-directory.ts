/** The HTTP of a chat server in memory: its handle directory with a real log, and the standing of devices. */
import {
  createSigner,
  type Digest,
  decodeEnvelope,
  type Envelope,
  envelopeDigest,
  formatEnvelope,
  formatTime,
  parseJson,
  type Signer,
  signEnvelope,
} from "@kez/core"
import { type DirectoryStatement, encodeLeaf } from "@kez/core/directory"
import {
  consistencyRanges,
  createNoteSigner,
  encodeBase64,
  encodeBundle,
  formatNoteKey,
  formatProofText,
  inclusionRanges,
  joinSubtrees,
  leafHash,
  nodeHash,
  type Range,
  signCheckpoint,
  tryParseTilePath,
} from "@kez/core/tlog"
import type { HttpAnswer, HttpPort } from "../../src/engine/ports.ts"
import { now, type Person } from "./world.ts"

export const host = "localhost"

export class ModelDirectory implements HttpPort {
  readonly leaves: DirectoryStatement[] = []
  readonly revoked = new Set<string>()
  /** Answers something else for a path. */
  lie: ((path: string) => HttpAnswer | undefined) | undefined
  /** Which leaf answers for a handle. */
  readonly places = new Map<string, number>()
  readonly #log = createNoteSigner(`${host}/handles`, new Uint8Array(32).fill(7))
  readonly #answers: Signer = createSigner("ed25519", new Uint8Array(32).fill(9))

  async register(
    person: Person,
    handle: string,
    chain: Digest = person.chain,
  ): Promise<Envelope<"handle_registration">> {
    const payload = {
      type: "kez.chat.handle_registration",
      version: 1,
      ...{ handle, host, primary: person.primary.key, chain },
      created_at: formatTime(now),
    } as const
    const statement = await signEnvelope("handle_registration", payload, person.primary)
    this.places.set(handle, this.leaves.length)
    this.leaves.push(statement)
    return statement
  }

  async move(person: Person, handle: string, to: string): Promise<void> {
    const payload = {
      type: "kez.chat.handle_move",
      version: 1,
      ...{ handle, host, new_handle: to, new_host: host },
      ...{ chain: person.chain, created_at: formatTime(now) },
    } as const
    const statement = await signEnvelope("handle_move", payload, person.primary)
    this.places.set(handle, this.leaves.length)
    this.leaves.push(statement)
    await this.register(person, to)
  }

  async request({ path, body }: Parameters<HttpPort["request"]>[0]): Promise<HttpAnswer> {
    const lied = this.lie?.(path)
    if (lied !== undefined) return lied
    if (path === "/v1/log/key") return text(`${formatNoteKey(this.#log)}\n`)
    if (path === "/v1/log/checkpoint") return text(this.#checkpoint())
    if (path === "/v1/server") return text(JSON.stringify({ host, key: this.#answers.key, chat: true }))
    if (path === "/v1/standing") return this.#standing(body ?? new Uint8Array())
    if (path.startsWith("/v1/log/tile/")) return this.#bundle(path.slice("/v1/log/".length))
    const sizes = /^\/v1\/log\/consistency\?first=(\d+)&second=(\d+)$/.exec(path)
    if (sizes !== null) return this.#consistency(Number(sizes[1]), Number(sizes[2]))
    return this.#lookUp(path.slice("/v1/handles/".length))
  }

  #lookUp(handle: string): HttpAnswer {
    const index = this.places.get(handle)
    const statement = index === undefined ? undefined : this.leaves[index]
    if (index === undefined || statement === undefined) return { status: 404, body: new Uint8Array() }
    const path = inclusionRanges(index, this.leaves.length).map((range) => this.#hashOf(range))
    const proof = formatProofText({ index, path, checkpoint: this.#checkpoint() }).split("\n").slice(0, -1)
    const isRegistered = statement.payload.type === "kez.chat.handle_registration"
    const signed = parseJson(formatEnvelope(statement))
    const body = { handle, host, proof, ...(isRegistered ? { registration: signed } : { statement: signed }) }
    return { status: isRegistered ? 200 : 410, body: bytes(JSON.stringify(body)) }
  }

  #bundle(path: string): HttpAnswer {
    const tile = tryParseTilePath(path)
    if (tile === undefined) return { status: 400, body: new Uint8Array() }
    const leaves = this.leaves.slice(tile.index * 256, tile.index * 256 + tile.width).map(encodeLeaf)
    return { status: 200, body: encodeBundle(leaves) }
  }

  #consistency(first: number, second: number): HttpAnswer {
    const proof = consistencyRanges(first, second).map((range) => encodeBase64(this.#hashOf(range)))
    return text(JSON.stringify({ first, second, proof }))
  }

  #checkpoint(): string {
    const size = this.leaves.length
    const root = size === 0 ? joinSubtrees([]) : this.#hashOf({ start: 0, end: size })
    return signCheckpoint({ origin: this.#log.name, size, root }, this.#log)
  }

  #hashOf({ start, end }: Range): Uint8Array {
    const [only] = this.leaves.slice(start, end)
    if (end - start === 1 && only !== undefined) return leafHash(encodeLeaf(only))
    let half = 1
    while (half * 2 < end - start) half *= 2
    return nodeHash(this.#hashOf({ start, end: start + half }), this.#hashOf({ start: start + half, end }))
  }

  async #standing(body: Uint8Array): Promise<HttpAnswer> {
    const session = decodeEnvelope(body, "nats_session")
    const audience = session.signature.key
    const payload = {
      type: "kez.chat.server_answer",
      version: 1,
      ...{ audience, request: envelopeDigest(session) },
      ...{ code: this.revoked.has(audience) ? "revoked" : "current", created_at: formatTime(now) },
    } as const
    return text(`{"answer":${formatEnvelope(await signEnvelope("server_answer", payload, this.#answers))}}`)
  }
}

function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content)
}

function text(content: string): HttpAnswer {
  return { status: 200, body: bytes(content) }
}
