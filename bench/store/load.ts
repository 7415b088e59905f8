/** Makes chains and posts them, in a process of its own. Started by bench/store/loader.ts. */
import { median } from "../measure.ts"
import { makeChain, type PostedChain } from "./chains.ts"
import { run, type Series } from "./client.ts"
import { makeOperations } from "./plc-operations.ts"

export type Order =
  /** What is posted next: `count` chains of a seed, which are the same each time; from the `from`th on, each `step`th. */
  | {
      readonly make: "chains"
      readonly seed: string
      readonly from?: number
      readonly step?: number
      readonly count: number
      readonly length: number
    }
  | { readonly make: "operations"; readonly count: number; readonly length: number }
  /** Events `from` to `to` of all that was made. */
  | {
      readonly post: readonly [from: number, to: number]
      readonly port: number
      readonly connections: number
      readonly status: number
    }

export interface Done {
  /** Of what was made. */
  readonly ids: readonly string[]
  readonly requests: number
  readonly ms: number
  readonly medianMs: number
}

let made: readonly PostedChain[] = []

process.on("disconnect", () => process.exit())
process.on("message", async (order: Order) => {
  process.send?.("make" in order ? await make(order) : await post(order))
})

async function make(order: Exclude<Order, { readonly post: unknown }>): Promise<Done> {
  const { count, length } = order
  if (order.make === "operations") made = await makeOperations(count, length)
  else {
    const { seed, from = 0, step = 1 } = order
    const chains: PostedChain[] = []
    for (let i = 0; i < count; i++) chains.push(await makeChain(`${seed}-${from + i * step}`, length))
    made = chains
  }
  return { ids: made.map(({ id }) => id), requests: 0, ms: 0, medianMs: 0 }
}

async function post(order: Extract<Order, { readonly post: unknown }>): Promise<Done> {
  const series: readonly Series[] = made.map(({ requests }) => requests.slice(...order.post))
  const { ms, latenciesMs } = await run(series, order)
  return { ids: [], requests: latenciesMs.length, ms, medianMs: median(latenciesMs) }
}
