/** A sigchain store on loopback that serves what a scenario gives it, true or not. SPEC §8.2 */
import { once } from "node:events"
import { createServer, type ServerResponse } from "node:http"
import { text } from "node:stream/consumers"

/** What it has under one name: a chain id or a key. */
export interface Served {
  /** 200 unless given; `silent` never answers. */
  readonly status?: number | "silent"
  /** A chain document; where there is none, the name is not known. */
  readonly document?: string
  /** The answer to the question for forks alone, where it is none. */
  readonly forksStatus?: number | "silent"
  /** Lines of events beside it. */
  readonly forks?: string
  /** Signed heads, as texts of JSON. */
  readonly heads?: readonly string[]
  /** Ids of the chains of a key that has several: 409. */
  readonly chains?: readonly string[]
}

export interface PlainStore {
  readonly url: string
  /** By name; `*` is any other. */
  serves: Readonly<Record<string, Served>>
  close(): Promise<void>
}

export async function startPlainStore(serves: PlainStore["serves"] = {}): Promise<PlainStore> {
  const server = createServer(async (request, response) => {
    const [, name = "", part] = /^\/v1\/chains\/([^/?]+)(\/forks|\/head)?$/.exec(request.url ?? "") ?? []
    await text(request)
    answer(response, store.serves[decodeURIComponent(name)] ?? store.serves["*"] ?? {}, part)
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("unreachable: a TCP server has a port")
  const store: PlainStore = {
    url: `http://127.0.0.1:${address.port}`,
    serves,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, "close")
    },
  }
  return store
}

function answer(response: ServerResponse, served: Served, part: string | undefined): void {
  const { document, forks = "", heads = [], chains } = served
  const status = (part === "/forks" ? served.forksStatus : undefined) ?? served.status ?? 200
  if (status === "silent") return
  if (status !== 200) problem(response, status, "store.busy")
  else if (chains !== undefined) problem(response, 409, "chain.fork", { chains })
  else if (document === undefined) problem(response, 404, "chain.unknown")
  else if (part === undefined) response.writeHead(200, { "content-type": "application/jsonl" }).end(document)
  else if (part === "/forks") response.writeHead(200, { "content-type": "application/jsonl" }).end(forks)
  else response.writeHead(200, { "content-type": "application/json" }).end(`{"heads":[${heads.join(",")}]}`)
}

function problem(response: ServerResponse, status: number, code: string, more: object = {}): void {
  const body = { type: `urn:kez:error:${code}`, title: code, status, detail: "for a test", code, ...more }
  response.writeHead(status, { "content-type": "application/problem+json" }).end(JSON.stringify(body))
}
