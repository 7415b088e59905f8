/** Real engines of the people of a chat world: over NATS, with SQLite, chains from the store and handles over HTTP. */
import { createHash, randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  type Account,
  archiveKeyPairOfWords,
  type ChainPort,
  type ClockPort,
  type Engine,
  type EngineEvent,
  type HttpPort,
  openEngine,
  signArchiveKey,
  type Transport,
} from "@kez/chat"
import { createNatsTransport } from "@kez/chat/nats"
import { openSqliteStore } from "@kez/chat/sqlite"
import { connect } from "@nats-io/transport-node"
import { type ChainReplay, type Digest, KezError, readChain, replayChain } from "../../packages/core/src/index.ts"
import type { ChatWorld, WorldDevice, WorldPerson } from "./chat-world.ts"
import type { Cleaner } from "./person.ts"

export const clock: ClockPort = {
  now: () => Math.floor(Date.now() / 1_000),
  after(ms, run) {
    const handle = setTimeout(run, ms)
    return () => clearTimeout(handle)
  },
}

/** Looks for news of a chain that often. */
const pollMs = 500

export function chainPort(t: Cleaner, storeUrl: string): ChainPort {
  const known = new Map<Digest, ChainReplay>()
  let timer: NodeJS.Timeout | undefined
  const look = async (chain: Digest): Promise<ChainReplay | undefined> => {
    const answer = await fetch(`${storeUrl}/v1/chains/${chain}`).catch((cause) => {
      throw new KezError("net.refused", "Cannot ask the store", { cause })
    })
    if (answer.status === 200) {
      const { events } = readChain(await answer.text())
      known.set(chain, replayChain([...(known.get(chain)?.path ?? []), ...events], { chain }))
    }
    return known.get(chain)
  }
  t.after(() => clearInterval(timer))
  return {
    known: (chain) => known.get(chain),
    fetch: look,
    follow(chains, onChange) {
      clearInterval(timer)
      if (chains.length === 0) return
      const poll = async (): Promise<void> => {
        for (const chain of chains) {
          const before = known.get(chain)?.head.digest
          const now = await look(chain).catch(() => undefined)
          if (now !== undefined && now.head.digest !== before) onChange(chain)
        }
      }
      timer = setInterval(() => void poll(), pollMs)
    },
  }
}

export function httpPort(url: () => string): HttpPort {
  return {
    async request({ method, path, body }) {
      try {
        const answer = await fetch(`${url()}${path}`, {
          method,
          ...(body === undefined ? {} : { body: body.slice(), headers: { "content-type": "application/json" } }),
        })
        return { status: answer.status, body: new Uint8Array(await answer.arrayBuffer()) }
      } catch (cause) {
        throw new KezError("net.refused", "Cannot ask the chat server", { cause })
      }
    },
  }
}

/** The archive key of somebody, as an account has it, and what its words open it with. The same for each call. */
export async function archiveOf({ handle, chain, primary }: WorldPerson): Promise<Required<ArchiveKeys>> {
  const words = new Uint8Array(createHash("sha256").update(`words of ${handle}`).digest())
  const statement = { chain: chain.chain, epoch: 0, now: clock.now() }
  return {
    archiveKey: await signArchiveKey(words, statement, primary),
    archiveSecret: (await archiveKeyPairOfWords(words)).secretKey,
  }
}

type ArchiveKeys = Pick<Account, "archiveKey" | "archiveSecret">

export interface TestEngine {
  engine: Engine
  readonly events: EngineEvent[]
  readonly folder: string
  readonly storeKey: Uint8Array
  /** Closes it and opens it again from its folder. */
  reopen(): Promise<void>
  /** Texts of the conversation with somebody. */
  texts(chain: Digest): Promise<readonly string[]>
  say(chain: Digest, text: string): Promise<Digest>
}

export async function openTestEngine(
  t: Cleaner,
  world: ChatWorld,
  {
    person,
    device,
    archive = {},
    through = (transport) => transport,
  }: {
    readonly person: WorldPerson
    readonly device: WorldDevice
    readonly archive?: ArchiveKeys
    /** Somebody in between. */
    readonly through?: (transport: Transport) => Transport
  },
): Promise<TestEngine> {
  const folder = mkdtempSync(join(tmpdir(), "kez-engine-"))
  const storeKey = new Uint8Array(randomBytes(32))
  const events: EngineEvent[] = []
  const chains = chainPort(t, world.store.url)
  await chains.fetch(person.chain.chain)
  const open = async (): Promise<Engine> => {
    const engine = await openEngine({
      account: { chain: person.chain.chain, keys: device.keys, host: "localhost", handle: person.handle, ...archive },
      transport: through(createNatsTransport({ servers: world.broker.url, dial: connect })),
      store: openSqliteStore({ folder, key: storeKey, holder: "test" }),
      ...{ chains, clock, http: httpPort(() => world.server.url), random: Math.random },
    })
    void (async () => {
      for await (const event of engine.events()) events.push(event)
    })()
    return engine
  }
  const home: TestEngine = {
    ...{ engine: await open(), events, folder, storeKey },
    async reopen() {
      await home.engine.close()
      home.engine = await open()
    },
    async texts(chain) {
      const found = (await home.engine.conversations()).find(({ contact }) => contact?.chain === chain)
      if (found === undefined) return []
      return (await home.engine.messages(found.id, { limit: 500 })).map(({ text = "" }) => text)
    },
    async say(chain, text) {
      const { id } = await home.engine.openDirect(chain)
      return (await home.engine.send(id, { type: "text", text })).id
    },
  }
  t.after(async () => {
    await home.engine.close().catch(() => undefined)
    rmSync(folder, { recursive: true, force: true })
  })
  return home
}

/** Asks again until it is so. */
export async function until(what: string, isSo: () => Promise<boolean>, seconds = 20): Promise<void> {
  const end = Date.now() + seconds * 1_000
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
}
