/**
 * A small sigchain store on loopback for tests of its readers: SPEC §8 as far as they use it, and every lie on request.
 * It believes what it is given; apps/sig-server is the one that checks.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { listen, type TestServer } from "../../packages/channels/test/support/http-server.ts"
import {
  type ChainHead,
  decodeEnvelope,
  envelopeDigest,
  formatChain,
  formatEnvelope,
  KezError,
  replayChain,
  type SigchainEvent,
} from "../../packages/core/src/index.ts"

/** What a path answers instead of the truth. */
export type Lie = (request: IncomingMessage, response: ServerResponse) => void

export interface ChainStore {
  /** Base URL. */
  readonly url: string
  /** By chain id. Tests put chains in, and cut them as a store restored from yesterday would be. */
  readonly chains: Map<string, SigchainEvent[]>
  readonly heads: ChainHead[]
  /** `METHOD path` of every request. */
  readonly asked: string[]
  /** Answers instead of the truth: by the end of the path, such as `/head`, or "" for the chain itself. */
  readonly lies: Map<string, Lie>
  /** Events of this chain that are served: others are kept back. Evidence of forks is kept back too. */
  readonly shown: Map<string, readonly SigchainEvent[]>
  /** Streams that stand open. */
  readonly streams: ReadonlySet<ServerResponse>
  /** Puts events in as if somebody had posted them, and tells those who follow. */
  put(...events: readonly SigchainEvent[]): void
  /** Cuts every open stream. */
  cut(): void
  close(): Promise<void>
}

export async function startChainStore(t: { after(clean: () => Promise<void>): void }): Promise<ChainStore> {
  const chains = new Map<string, SigchainEvent[]>()
  const shown = new Map<string, readonly SigchainEvent[]>()
  const lies = new Map<string, Lie>()
  const heads: ChainHead[] = []
  const asked: string[] = []
  const streams = new Map<ServerResponse, string>()

  const server: TestServer = await listen(
    createServer((request, response) => {
      void answer(request, response).catch(() => send(response, 500, ""))
    }),
    "http://127.0.0.1",
  )

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "" } = request
    asked.push(`${method} ${url}`)
    const [, id = "", end = ""] = /^\/v1\/chains\/([^/?]+)(\/[a-z]+)?$/.exec(url) ?? []
    const lie = lies.get(end)
    if (lie !== undefined) {
      lie(request, response)
    } else if (method === "POST") {
      sendReply(response, take({ id, end, body: await readBody(request) }))
    } else if (end === "/stream" && find(id).length === 1) {
      openStream(response, find(id)[0] ?? "")
    } else {
      sendReply(response, read(id, end))
    }
  }

  function read(id: string, end: string): Reply {
    const found = find(id)
    const [chain, ...others] = found
    if (chain === undefined) return problem(404, { code: "chain.unknown" })
    if (others.length > 0) return problem(409, { code: "chain.fork", chains: found })
    const events = shown.get(chain) ?? chains.get(chain) ?? []
    const { path, head, digests } = replayChain(events, { chain })
    switch (end) {
      case "":
        return { status: 200, body: formatChain(path), type: "application/jsonl" }
      case "/head": {
        const own = heads.filter(({ payload }) => payload.chain === chain).reverse()
        return { status: 200, body: JSON.stringify({ chain, ...head, heads: own }) }
      }
      case "/forks": {
        const losing = events.filter((event) => !digests.includes(envelopeDigest(event)))
        return { status: 200, body: formatChain(losing), type: "application/jsonl" }
      }
      default:
        return problem(404, {})
    }
  }

  function openStream(response: ServerResponse, chain: string): void {
    response.writeHead(200, { "content-type": "text/event-stream" })
    response.write(": hello\n\n")
    streams.set(response, chain)
    response.on("close", () => streams.delete(response))
  }

  function find(id: string): readonly string[] {
    if (chains.has(id)) return [id]
    return [...chains].flatMap(([chain, events]) =>
      replayChain(events, { chain }).everyPrimary.includes(id) ? [chain] : [],
    )
  }

  function take({ id, end, body }: { readonly id: string; readonly end: string; readonly body: string }): Reply {
    try {
      if (end !== "/heads") return takeEvent(id, decodeEnvelope(body, "sigchain_event"))
      const head = decodeEnvelope(body, "chain_head")
      if (!heads.some((one) => formatEnvelope(one) === formatEnvelope(head))) heads.push(head)
      return { status: 204, body: "" }
    } catch (error) {
      if (!(error instanceof KezError)) throw error
      return problem(422, { code: error.code })
    }
  }

  function takeEvent(chain: string, event: SigchainEvent): Reply {
    const events = chains.get(chain) ?? []
    const digest = envelopeDigest(event)
    if (events.some((one) => envelopeDigest(one) === digest)) return { status: 200, body: "{}" }
    const { prev } = event.payload
    if (prev !== undefined && !events.some((one) => envelopeDigest(one) === prev)) {
      return problem(409, { code: "chain.gap", kept: false })
    }
    const after = replayChain([...events, event], { chain })
    const refusal = after.refused.find((one) => one.digest === digest)
    if (refusal !== undefined) return problem(422, { code: refusal.code })
    put(event)
    if (after.digests.includes(digest)) return { status: 201, body: "{}" }
    return problem(409, { code: "chain.fork", kept: true, head: after.head })
  }

  function put(...events: readonly SigchainEvent[]): void {
    const digests = new Map(events.map((event) => [event, envelopeDigest(event)]))
    for (const event of events) {
      const { prev } = event.payload
      const owner = [...chains].find(([, known]) => known.some((one) => envelopeDigest(one) === prev))
      const chain = prev === undefined ? (digests.get(event) ?? "") : (owner?.[0] ?? "")
      const known = chains.get(chain) ?? []
      if (!known.some((one) => envelopeDigest(one) === digests.get(event))) chains.set(chain, [...known, event])
      const { head } = replayChain(chains.get(chain) ?? [], { chain })
      const data = JSON.stringify({ chain, ...head })
      for (const [stream, followed] of streams) {
        if (followed === chain) stream.write(`id: ${head.seq}\nevent: head\ndata: ${data}\n\n`)
      }
    }
  }

  const cut = () => {
    for (const stream of streams.keys()) stream.destroy()
  }
  const close = async () => {
    cut()
    await server.close()
  }
  t.after(close)
  return {
    url: server.origin,
    chains,
    heads,
    asked,
    lies,
    shown,
    get streams() {
      return new Set(streams.keys())
    },
    put,
    cut,
    close,
  }
}

interface Reply {
  readonly status: number
  readonly body: string
  /** JSON unless given. */
  readonly type?: string
}

function problem(status: number, members: Readonly<Record<string, unknown>>): Reply {
  return { status, body: JSON.stringify({ status, ...members }), type: "application/problem+json" }
}

function sendReply(response: ServerResponse, { status, body, type = "application/json" }: Reply): void {
  send(response, status, body, type)
}

export function send(response: ServerResponse, status: number, body: string, type = "text/plain"): void {
  if (!response.headersSent) response.writeHead(status, { "content-type": type })
  response.end(body)
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}
