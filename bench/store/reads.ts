/** Reads of chains against nginx with the same bytes as files, and against node:http that says hello. */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { findServer } from "../../test/support/servers.ts"
import { median, notMeasured, perSecond, type Row } from "../measure.ts"
import { startNginx } from "./nginx.ts"
import { type Running, startBare, startLoader, startStore } from "./processes.ts"
import { readsPerSecond } from "./wrk.ts"

export interface ReadOptions {
  /** Empty; everything is put there. */
  readonly folder: string
  readonly rounds: number
  readonly seconds: number
}

/** Chains that are read in turn, and the events of each: about 7 kB. */
const chains = 100
const length = 10
const connections = 32

export async function readRows(options: ReadOptions): Promise<readonly Row[]> {
  const what = `reads of ${chains} chains of ${length} events, by wrk: kez-sig-server`
  const nginx = findServer("nginx")
  if (nginx === undefined || findServer("wrk") === undefined)
    return [notMeasured(what, "nginx or wrk is missing (sh scripts/setup-test-servers.sh)")]
  const store = await startStore(join(options.folder, "data"))
  const hello = await startBare("bare-server.ts", "hello")
  try {
    return await compareReads(what, { ...options, nginx, store, hello })
  } finally {
    await Promise.all([store.stop(), hello.stop()])
  }
}

type Comparison = ReadOptions & { readonly nginx: string; readonly store: Running; readonly hello: Running }

async function compareReads(what: string, options: Comparison): Promise<readonly Row[]> {
  const { folder, rounds, seconds, store, hello } = options
  const files = await fillChains(store)
  mkdirSync(join(folder, "nginx"))
  const server = await startNginx(options.nginx, { folder: join(folder, "nginx"), files })
  const paths = {
    store: [...files.keys()].map((name) => `/v1/chains/${name}`),
    files: [...files.keys()].map((name) => `/${name}`),
  }
  const rates: { readonly product: number; readonly nginx: number; readonly hello: number }[] = []
  try {
    // The first round is a warm-up.
    for (let round = 0; round <= rounds; round++) {
      rates.push({
        product: await readsPerSecond({ port: store.port, paths: paths.store, seconds, folder }),
        nginx: await readsPerSecond({ port: server.port, paths: paths.files, seconds, folder }),
        hello: await readsPerSecond({ port: hello.port, paths: ["/"], seconds, folder }),
      })
    }
  } finally {
    await server.stop()
  }
  const [, ...counted] = rates
  const product = median(counted.map((rate) => rate.product))
  const bytes = [...files.values()][0]?.length ?? 0
  return [
    rowOf(
      `${what}; limit: nginx of one worker, the same ${bytes} bytes as files`,
      product,
      median(counted.map((rate) => rate.nginx)),
      0.4,
    ),
    rowOf("the same; limit: node:http that answers hello", product, median(counted.map((rate) => rate.hello)), 0.7),
  ]
}

function rowOf(what: string, product: number, limit: number, target: number): Row {
  const ratio = product / limit
  return {
    what,
    product: perSecond(product, 1_000),
    limit: perSecond(limit, 1_000),
    ratio,
    target: `>= ${target}`,
    holds: ratio >= target,
  }
}

/** Posts the chains, and gives what the store serves of them, by id. */
async function fillChains({ port }: Running): Promise<ReadonlyMap<string, Buffer>> {
  const loader = startLoader()
  try {
    const { ids } = await loader.ask({ make: "chains", seed: "reads", count: chains, length })
    await loader.ask({ post: [0, length], port, connections, status: 201 })
    const files = new Map<string, Buffer>()
    for (const id of ids) {
      const answer = await fetch(`http://127.0.0.1:${port}/v1/chains/${id}`)
      files.set(id, Buffer.from(await answer.arrayBuffer()))
    }
    return files
  } finally {
    loader.close()
  }
}
