/** The same job as a did:plc directory does it: making a name, and reading its log. For information: what is signed differs. */
import { skipWithoutPeer } from "../../test/support/servers.ts"
import { median, perSecond, type Row } from "../measure.ts"
import { type Running, startBare, startLoader, startStore } from "./processes.ts"
import { readsPerSecond } from "./wrk.ts"

export interface PeerOptions {
  /** Empty; everything is put there. */
  readonly folder: string
  readonly rounds: number
  /** Chains, and DIDs, that are made in each round. */
  readonly count: number
  readonly seconds: number
}

const connections = 64
/** Events of a chain and operations of a DID that are read. */
const length = 10
const read = 20

const creates =
  "new chains against new DIDs of the did:plc directory server with its own mock store: in memory, nothing durable"
const reads = `reads of ${read} chains of ${length} events against logs of ${read} DIDs with ${length} operations there`

export async function peerRows(options: PeerOptions): Promise<readonly Row[]> {
  if (skipWithoutPeer("atproto") !== false) return []
  const store = await startStore(options.folder)
  const plc = await startBare("plc-server.ts")
  try {
    return [await compareCreates(options, store, plc), await compareReads(options, store, plc)]
  } finally {
    await Promise.all([store.stop(), plc.stop()])
  }
}

async function compareCreates({ rounds, count }: PeerOptions, store: Running, plc: Running): Promise<Row> {
  const loader = startLoader()
  const rates: (readonly [product: number, peer: number])[] = []
  try {
    for (let round = 0; round <= rounds; round++) {
      await loader.ask({ make: "chains", seed: `creates-${round}`, count, length: 1 })
      const product = await loader.ask({ post: [0, 1], port: store.port, connections, status: 201 })
      await loader.ask({ make: "operations", count, length: 1 })
      const peer = await loader.ask({ post: [0, 1], port: plc.port, connections, status: 200 })
      rates.push([count / product.ms, count / peer.ms])
    }
  } finally {
    loader.close()
  }
  return rowOf(creates, rates)
}

async function compareReads({ rounds, seconds, folder }: PeerOptions, store: Running, plc: Running): Promise<Row> {
  const loader = startLoader()
  const rates: (readonly [product: number, peer: number])[] = []
  try {
    const chains = await loader.ask({ make: "chains", seed: "peer", count: read, length })
    await loader.ask({ post: [0, length], port: store.port, connections, status: 201 })
    const names = await loader.ask({ make: "operations", count: read, length })
    await loader.ask({ post: [0, length], port: plc.port, connections, status: 200 })
    const productPaths = chains.ids.map((id) => `/v1/chains/${id}`)
    const peerPaths = names.ids.map((did) => `/${did}/log`)
    for (let round = 0; round <= rounds; round++) {
      const product = await readsPerSecond({ port: store.port, paths: productPaths, seconds, folder })
      const peer = await readsPerSecond({ port: plc.port, paths: peerPaths, seconds, folder })
      rates.push([product / 1_000, peer / 1_000])
    }
  } finally {
    loader.close()
  }
  return rowOf(reads, rates)
}

/** Of rates per millisecond. The first round is a warm-up. */
function rowOf(what: string, [, ...rates]: readonly (readonly [product: number, peer: number])[]): Row {
  const product = median(rates.map(([rate]) => rate))
  const peer = median(rates.map(([, rate]) => rate))
  return {
    what,
    product: perSecond(product, 1),
    limit: perSecond(peer, 1),
    ratio: product / peer,
    target: "for information",
    holds: true,
  }
}
