/** Durable appends against the same kind of server that checks one signature and keeps nothing, and against a did:plc directory. */
import { median, perSecond, type Row } from "../measure.ts"
import { type Loader, startBare, startLoader, startStore } from "./processes.ts"

export interface WriteOptions {
  readonly dataFolder: string
  readonly rounds: number
  /** Chains of each round. */
  readonly chains: number
}

const length = 10
const connections = 256

/** Rates of rounds, and the ratio of their medians. */
export async function appendRows({ dataFolder, rounds, chains }: WriteOptions): Promise<readonly Row[]> {
  const servers = [
    await startStore(dataFolder),
    await startBare("bare-server.ts", "verify"),
    await startBare("bare-server.ts", "front"),
  ]
  const loader = startLoader()
  const measured = servers.map(({ port }) => ({ port, rates: [] as number[] }))
  try {
    // The first round is a warm-up: code is compiled while it runs.
    for (let round = 0; round <= rounds; round++) {
      await loader.ask({ make: "chains", seed: `appends-${round}`, count: chains, length })
      for (const { port, rates } of measured) {
        const rate = await post(loader, port)
        if (round > 0) rates.push(rate)
      }
    }
  } finally {
    loader.close()
    await Promise.all(servers.map((server) => server.stop()))
  }
  const [product = 0, verifier = 0, front = 0] = measured.map(({ rates }) => median(rates))
  const what = `durable appends over HTTP, ${connections} at once, SQLite: kez-sig-server`
  return [
    rowOf(`${what}; limit: Fastify that checks one signature and stores nothing`, product, verifier),
    // What the store saves by answering before Node's HTTP is saved here too: what is left is judging and keeping.
    rowOf(
      "the same; limit: its own HTTP side, over a service that checks one signature and stores nothing",
      product,
      front,
    ),
  ]
}

function rowOf(what: string, product: number, limit: number): Row {
  const ratio = product / limit
  return {
    what,
    product: perSecond(product, 1_000),
    limit: perSecond(limit, 1_000),
    ratio,
    target: ">= 0.7",
    holds: ratio >= 0.7,
  }
}

async function post(loader: Loader, port: number): Promise<number> {
  const { requests, ms } = await loader.ask({ post: [0, length], port, connections, status: 201 })
  return (requests * 1_000) / ms
}
