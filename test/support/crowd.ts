/** Many clients of a chat world, in a few processes of their own, so that what they cost is not what is measured. */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import type { BrokerDevice } from "@kez/core"
import type { ChatWorld } from "./chat-world.ts"
import type { Cleaner } from "./person.ts"

export interface CrowdPlan {
  readonly store: string
  readonly server: string
  readonly broker: string
  /** Number of the first person: it gives the key and the handle. */
  readonly first: number
  readonly people: number
  readonly devices: number
}

export type CrowdOrder =
  | ({ readonly do: "make" } & CrowdPlan)
  | { readonly do: "connect" | "pair" | "probe" | "settle" }
  /** One message of somebody, so often. */
  | { readonly do: "write"; readonly everyMs: number }
  /** Connects all and waits until each has so many messages. */
  | { readonly do: "catch-up"; readonly each: number }

export interface CrowdCount {
  readonly online: number
  readonly acknowledged: number
  readonly shown: number
  readonly lost: number
  readonly twice: number
  readonly disordered: number
  readonly rewound: number
}

export interface CrowdTold {
  readonly devices?: readonly BrokerDevice[]
  readonly count?: CrowdCount
  readonly failed?: string
}

export interface Crowd {
  readonly size: number
  readonly devices: readonly BrokerDevice[]
  /** Resolves when all processes have done it, to how long that took. */
  tell(order: CrowdOrder): Promise<number>
  /** Writing ends, all is delivered, and counted. */
  settle(): Promise<CrowdCount>
  end(): void
}

export interface CrowdSetup {
  readonly people: number
  readonly devices?: number
  readonly processes?: number
}

/** Of another crowd in the same world: other people. */
let next = 100_000

/** Registered, and not connected yet. */
export async function makeCrowd(t: Cleaner, world: ChatWorld, setup: CrowdSetup): Promise<Crowd> {
  const { people, devices = 1, processes = 4 } = setup
  const each = Math.ceil(people / processes)
  const children = Array.from({ length: processes }, () =>
    fork(join(import.meta.dirname, "crowd-process.ts"), { serialization: "advanced" }),
  )
  const end = (): void => {
    for (const child of children) if (child.connected) child.disconnect()
  }
  t.after(end)
  const servers = { store: world.store.url, server: world.server.url, broker: world.broker.url }
  const first = next
  next += each * processes
  const told = await Promise.all(
    children.map((child, i) => tell(child, { do: "make", ...servers, first: first + i * each, people: each, devices })),
  )
  return {
    size: each * processes * devices,
    devices: told.flatMap(({ devices: some = [] }) => some),
    async tell(order) {
      const began = performance.now()
      await Promise.all(children.map((child) => tell(child, order)))
      return performance.now() - began
    },
    async settle() {
      const counts = await Promise.all(children.map((child) => tell(child, { do: "settle" })))
      return counts.map(({ count = nothing }) => count).reduce(add, nothing)
    },
    end,
  }
}

const nothing: CrowdCount = { online: 0, acknowledged: 0, shown: 0, lost: 0, twice: 0, disordered: 0, rewound: 0 }

function add(a: CrowdCount, b: CrowdCount): CrowdCount {
  return {
    online: a.online + b.online,
    acknowledged: a.acknowledged + b.acknowledged,
    shown: a.shown + b.shown,
    lost: a.lost + b.lost,
    twice: a.twice + b.twice,
    disordered: a.disordered + b.disordered,
    rewound: a.rewound + b.rewound,
  }
}

async function tell(child: ChildProcess, order: CrowdOrder): Promise<CrowdTold> {
  child.send(order)
  const [told] = (await Promise.race([
    once(child, "message"),
    once(child, "exit").then(() => {
      throw new Error("a process of the crowd ended")
    }),
  ])) as [CrowdTold]
  if (told.failed !== undefined) throw new Error(told.failed)
  return told
}
