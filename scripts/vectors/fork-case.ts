/** One case of vectors/sigchain-forks.json. */
import { formatEnvelope } from "@kez/core"
import { ChainBuilder } from "./chain-builder.ts"
import { alice, laptop, phone } from "./keys.ts"
import type { VectorCase } from "./vector-file.ts"

interface Expected {
  readonly status: "ok" | "fork"
  readonly contested: boolean
  /** Name of the event at the end of the winning path. */
  readonly head: string
  readonly devices?: readonly string[]
  readonly suspended?: readonly string[]
  readonly revoked?: readonly string[]
  readonly ranks?: Readonly<Record<string, string>>
}

export function caseOf(
  id: string,
  why: string,
  chain: ChainBuilder,
  names: readonly string[],
  expect: Expected,
): VectorCase {
  const { head, ranks = {}, ...rest } = expect
  return {
    id,
    why,
    events: chain.pick(...names).map(formatEnvelope),
    expect: {
      suspended: [],
      revoked: [],
      ...rest,
      head: chain.digest(head),
      ranks: Object.fromEntries(Object.entries(ranks).map(([name, rank]) => [chain.digest(name), rank])),
    },
  }
}

export const a = { subject: "dns:a.example" } as const
export const b = { subject: "dns:b.example" } as const
export const both = [phone.key, laptop.key]

/** Event 0 and 1 add phone and laptop. */
export async function twoDevices(): Promise<ChainBuilder> {
  const c = new ChainBuilder(alice.key)
  await c.addDevice("0", undefined, phone, alice)
  await c.addDevice("1", "0", laptop, alice)
  return c
}
