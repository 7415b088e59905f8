/** The page of chat-browser.test.ts: an account made here, whose keys never leave it, and an engine over the real servers. */
import {
  type ChainPort,
  createDeviceKeys,
  decodeDeviceKeys,
  deviceSigner,
  type Engine,
  encodeDeviceKeys,
  openEngine,
} from "@kez/chat"
import { createPageHttp, createPageTransport, openIndexedDbStore } from "@kez/chat/page"
import {
  appendEvent,
  type ChainReplay,
  createSigner,
  type Digest,
  encodeChain,
  formatEnvelope,
  formatTime,
  KezError,
  readChain,
  replayChain,
  signEnvelope,
} from "@kez/core"
import { backend } from "../../../packages/chat/src/backend/web.ts"
import { under } from "../../../packages/chat/src/store/store.ts"
import { hpkeKey, hpkeOpen, hpkeSeal, primitives } from "./primitives.ts"
import { sendTimes } from "./send-times.ts"

export interface PageServers {
  readonly store: string
  readonly broker: string
}

const host = "localhost"
const pollMs = 500
const pageOrigin = (): string =>
  (globalThis as unknown as { readonly location: { readonly origin: string } }).location.origin
const now = (): number => Math.floor(Date.now() / 1_000)
const utf8 = new TextEncoder()
const http = createPageHttp({ originOf: pageOrigin })
const faults: string[] = []
let engine: Engine | undefined
let sent = 0

function opened(): Engine {
  if (engine === undefined) throw new Error("no engine")
  return engine
}

/** What a call came to: its code, or what it gave. */
async function told<T>(work: () => Promise<T>): Promise<T | string> {
  try {
    return await work()
  } catch (error) {
    return error instanceof KezError ? error.code : String(error)
  }
}

/** Keys and handle are kept like the engine's own rows, sealed. */
async function withAccount<T>(work: (store: Awaited<ReturnType<typeof openIndexedDbStore>>) => Promise<T>): Promise<T> {
  const store = await openIndexedDbStore({ name: "account" })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

async function create(handle: string): Promise<string> {
  const primary = createSigner("ed25519", crypto.getRandomValues(new Uint8Array(32)))
  const keys = createDeviceKeys()
  const first = await appendEvent(
    { chain: undefined, operation: { op: "add", subject: `kez:${handle}@${host}` }, now: now() },
    primary,
  )
  const device = { op: "add_device", device: deviceSigner(keys) } as const
  const { replay } = await appendEvent({ chain: first.replay, operation: device, now: now() }, primary)
  const registration = await signEnvelope(
    "handle_registration",
    {
      ...{ type: "kez.chat.handle_registration", version: 1, handle, host, chain: replay.chain },
      ...{ primary: replay.state.primary, created_at: formatTime(now()) },
    } as Parameters<typeof signEnvelope<"handle_registration">>[1],
    primary,
  )
  const chain = encodeChain(replay.path)
  const body = utf8.encode(JSON.stringify({ registration: JSON.parse(formatEnvelope(registration)), chain }))
  const answer = await http.request({ host, method: "POST", path: "/v1/register", body, maxBytes: 100_000 })
  if (answer.status !== 201) throw new Error(new TextDecoder().decode(answer.body))
  await withAccount((store) =>
    store.write([
      { put: "keys", value: encodeDeviceKeys(keys) },
      { put: "chain", value: utf8.encode(replay.chain) },
      { put: "handle", value: utf8.encode(handle) },
    ]),
  )
  return typeof chain === "string" ? chain : new TextDecoder().decode(chain)
}

/** What is known of chains is kept: the engine asks for it at once, and a store may later say less. */
async function openChains(storeUrl: string): Promise<ChainPort> {
  const known = new Map<Digest, ChainReplay>()
  const rows = await openIndexedDbStore({ name: "chains" })
  for (const { key, value } of await rows.list(under("chain/"))) {
    const chain = key.slice("chain/".length) as Digest
    known.set(chain, replayChain(readChain(value).events, { chain }))
  }
  let timer: ReturnType<typeof setInterval> | undefined
  const look = async (chain: Digest): Promise<ChainReplay | undefined> => {
    const answer = await fetch(`${storeUrl}/v1/chains/${chain}`, { credentials: "omit" })
    if (answer.status === 200) {
      const text = await answer.text()
      const before = known.get(chain)
      const replay = replayChain([...(before?.path ?? []), ...readChain(text).events], { chain })
      known.set(chain, replay)
      if (replay.head.digest !== before?.head.digest)
        await rows.write([{ put: `chain/${chain}`, value: utf8.encode(text) }])
    }
    return known.get(chain)
  }
  return {
    known: (chain) => known.get(chain),
    fetch: look,
    follow(chains, onChange) {
      clearInterval(timer)
      timer = setInterval(async () => {
        for (const chain of chains) {
          const before = known.get(chain)?.head.digest
          const after = await look(chain).catch(() => undefined)
          if (after !== undefined && after.head.digest !== before) onChange(chain)
        }
      }, pollMs)
    },
  }
}

async function open({ store: storeUrl, broker }: PageServers): Promise<string> {
  const textOf = (value: Uint8Array | undefined): string => new TextDecoder().decode(value)
  const { keys, chain, handle } = await withAccount(async (store) => ({
    keys: decodeDeviceKeys((await store.get("keys")) ?? new Uint8Array()),
    chain: textOf(await store.get("chain")) as Digest,
    handle: textOf(await store.get("handle")),
  }))
  const rows = await openIndexedDbStore({ name: "engine" })
  const chains = await openChains(storeUrl)
  await chains.fetch(chain)
  engine = await openEngine({
    account: { chain, keys, host, handle },
    transport: createPageTransport({ servers: broker }),
    ...{ store: rows, chains, http, random: Math.random, keyPackages: 10 },
    clock: {
      now,
      after(ms, run) {
        const handle = setTimeout(run, ms)
        return () => clearTimeout(handle)
      },
    },
    onFault: (error) => void faults.push(String(error)),
  })
  return "ok"
}

async function texts(chain: string): Promise<readonly string[]> {
  const found = (await opened().conversations()).find(({ contact }) => contact?.chain === chain)
  if (found === undefined) return []
  return (await opened().messages(found.id, { limit: 500 })).map(({ text = "" }) => text)
}

async function say(chain: string, text: string): Promise<string> {
  const { id } = await opened().openDirect(chain)
  const message = await opened().send(id, { type: "text", text })
  sent++
  return message.id
}

const enginePage = {
  create: (handle: string) => told(() => create(handle)),
  open: (servers: PageServers) => told(() => open(servers)),
  close: () => told(() => opened().close()),
  add: (handle: string) => told(async () => (await opened().contacts.add(handle)).chain),
  say: ([chain, text]: readonly [string, string]) => told(() => say(chain, text)),
  texts: (chain: string) => texts(chain),
  settled: (ms: number) => opened().settled(ms),
  connection: () => opened().connection().kind,
  alarms: async () => (await opened().alarms.list()).map(({ alarm }) => alarm.kind),
  sent: () => sent,
  faults: () => faults,
  /** One message after the other until the page ends, about as fast as they are sent: a long queue would only take longer. */
  async flood([chain, name]: readonly [string, string]) {
    for (let i = 0; ; i++) {
      await say(chain, `${name} ${i}`)
      await new Promise((resolve) => setTimeout(resolve, 40))
    }
  },
  times: ([chain, count]: readonly [string, number]) => sendTimes(opened(), chain, count),
  primitives: () => primitives(backend),
  ...{ hpkeKey, hpkeSeal, hpkeOpen },
  /** What this page's origin is answered. */
  ask: ([origin, method, path]: readonly [string, "GET" | "POST", string]) =>
    told(async () => {
      const body = method === "POST" ? { body: utf8.encode("{}") } : {}
      const port = createPageHttp({ originOf: () => origin })
      return String((await port.request({ host, method, path, ...body, maxBytes: 1_000_000 })).status)
    }),
  dial: (url: string) =>
    new Promise<string>((resolve) => {
      const socket = new WebSocket(url)
      socket.onopen = () => {
        socket.close()
        resolve("open")
      }
      socket.onerror = () => resolve("refused")
    }),
}

export type EnginePage = typeof enginePage

Object.assign(globalThis, { enginePage })
