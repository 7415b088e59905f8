/** A real kez-chat-server as its own process, and people who register at it. */

import type { DirectoryKind } from "../../packages/core/src/directory/index.ts"
import {
  appendEvent,
  type ChainReplay,
  createSigner,
  type Envelope,
  encodeChain,
  formatEnvelope,
  formatTime,
  type Operation,
  type Signer,
  signEnvelope,
} from "../../packages/core/src/index.ts"
import type { Cleaner } from "./person.ts"
import { type Finished, runServer, type ServerProcess, type ServerSetup, startServer } from "./server-process.ts"

export const nowSeconds = (): number => Math.floor(Date.now() / 1_000)

/** Resolves when it listens. Everybody may register, and nobody is slowed down, unless the setup says otherwise. */
export function startChatServer(t: Cleaner, setup: ServerSetup = {}): Promise<ServerProcess> {
  const args = ["--registration", "open", "--write-burst", "0", "--read-burst", "0", ...(setup.args ?? [])]
  return startServer(t, { name: "chat-server" }, { ...setup, args })
}

/** Runs a command of it to its end. */
export function runChatServer(args: readonly string[], setup: ServerSetup = {}): Promise<Finished> {
  return runServer({ name: "chat-server" }, { ...setup, args })
}

export interface ChatPerson {
  readonly signer: Signer
  readonly chain: ChainReplay
}

/** A key of its own for each number. */
export function signerOf(number: number, system: "ed25519" | "nostr" = "ed25519"): Signer {
  const secret = new Uint8Array(32).fill(7)
  new DataView(secret.buffer).setUint32(0, number + 1)
  return createSigner(system, secret)
}

/** A person whose chain lists these subjects. */
export async function personWith(signer: Signer, ...subjects: readonly string[]): Promise<ChatPerson> {
  let chain: ChainReplay | undefined
  for (const subject of subjects) chain = await grow(chain, { op: "add", subject }, signer)
  if (chain === undefined) throw new Error("a chain has an event")
  return { signer, chain }
}

export async function grow(chain: ChainReplay | undefined, operation: Operation, signer: Signer): Promise<ChainReplay> {
  return (await appendEvent({ chain, operation, now: nowSeconds() }, signer)).replay
}

export interface StatementChanges {
  readonly host?: string
  /** Seconds from now. */
  readonly later?: number
  readonly by?: Signer
  readonly newHandle?: string
  readonly newHost?: string
}

/** A statement about a handle, signed. */
export function stated<K extends DirectoryKind>(
  kind: K,
  person: ChatPerson,
  handle: string,
  changes: StatementChanges = {},
): Promise<Envelope<K>> {
  const { host = "localhost", later = 0, by = person.signer, newHandle, newHost = "localhost" } = changes
  const { chain } = person.chain
  const own = {
    handle_registration: { primary: person.chain.state.primary },
    handle_move: { new_handle: newHandle, new_host: newHost },
    handle_release: {},
  }[kind]
  const payload = {
    type: `kez.chat.${kind}`,
    version: 1,
    handle,
    host,
    chain,
    created_at: formatTime(nowSeconds() + later),
    ...own,
  }
  return signEnvelope(kind, payload as unknown as Envelope<K>["payload"], by)
}

export interface Answered {
  readonly status: number
  readonly headers: Headers
  /** Of a JSON answer. */
  readonly body: ReturnType<typeof JSON.parse>
  readonly text: string
}

export async function ask(url: string, init: RequestInit = {}): Promise<Answered> {
  const answer = await fetch(url, { redirect: "manual", ...init })
  const text = await answer.text()
  const isJson = (answer.headers.get("content-type") ?? "").includes("json")
  return { status: answer.status, headers: answer.headers, text, body: isJson ? JSON.parse(text) : undefined }
}

export function postJson(url: string, body: unknown): Promise<Answered> {
  return ask(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })
}

/** Registers a handle with the chain sent along; the answer whatever it is. */
export async function register(
  server: { readonly url: string },
  person: ChatPerson,
  handle: string,
  more: StatementChanges & { readonly invitation?: string; readonly omitsChain?: boolean } = {},
): Promise<Answered> {
  const registration = await stated("handle_registration", person, handle, more)
  return postJson(`${server.url}/v1/register`, {
    registration: JSON.parse(formatEnvelope(registration)),
    ...(more.omitsChain === true ? {} : { chain: encodeChain(person.chain.path) }),
    ...(more.invitation === undefined ? {} : { invitation: more.invitation }),
  })
}
