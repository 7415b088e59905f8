/** How each nats-server does: how full its streams are, and whether it can write. Asked through the system account. */
import { KezError } from "@kez/core"
import type { NatsConnection } from "@nats-io/transport-node"
import { isObject, type Unknown } from "./callout/jwt.ts"
import { requestMs } from "./limits.ts"

/** Servers of a cluster answer each for itself: how long the next one may take after the last. */
const stallMs = 100

export interface BrokerHealth {
  /** Of the server. */
  readonly name: string
  /** Bytes of all streams, and the most that they may have. */
  readonly storedBytes: number
  readonly limitBytes: number
  /** What is wrong, in its own words. A stream that met a full disk takes nothing until nats-server is started anew, whatever room there is by then. */
  readonly fault: string | undefined
}

/** Of every server of a cluster that says both; of one that says half of it nothing is known. Throws `broker.refused` where nobody does. */
export async function healthOf(sys: NatsConnection): Promise<readonly BrokerHealth[]> {
  const [streams, states] = await Promise.all([ask(sys, "JSZ"), ask(sys, "HEALTHZ")]).catch((cause: unknown) => {
    throw silent(cause)
  })
  const all = [...streams].flatMap(([name, { storage, config }]): readonly BrokerHealth[] => {
    const state = states.get(name)
    if (state === undefined) return []
    const limitBytes = bytesOf(isObject(config) ? config["max_storage"] : undefined)
    return [{ name, storedBytes: bytesOf(storage), limitBytes, fault: faultOf(state) }]
  })
  if (all.length === 0) throw silent()
  return all
}

function faultOf({ status, error }: Unknown): string | undefined {
  if (typeof error === "string" && error !== "") return error
  return status === "ok" ? undefined : String(status)
}

function silent(cause?: unknown): KezError {
  return new KezError("broker.refused", "Cannot ask the broker how it does: it did not answer", { cause })
}

async function ask(sys: NatsConnection, what: "JSZ" | "HEALTHZ"): Promise<ReadonlyMap<string, Unknown>> {
  const options = { strategy: "stall", maxWait: requestMs, stall: stallMs } as const
  const found = new Map<string, Unknown>()
  for await (const answer of await sys.requestMany(`$SYS.REQ.SERVER.PING.${what}`, "{}", options)) {
    const told: unknown = answer.json()
    if (!isObject(told) || !isObject(told["server"]) || !isObject(told["data"])) continue
    const { name } = told["server"]
    if (typeof name === "string") found.set(name, told["data"])
  }
  return found
}

const bytesOf = (value: unknown): number => (typeof value === "number" ? value : 0)
