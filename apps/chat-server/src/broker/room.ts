/** How much room the broker has left, and whether it still takes what is written: said in the log before people meet it, once for each change. */
import { type BrokerHealth, healthOf, maxPayloadBytes } from "@kez/broker"
import { errorFields, type Log } from "@kez/server/log"
import type { NatsConnection } from "@nats-io/transport-node"
import { roomLookMs, roomLooksKept, roomWarningShare } from "../limits.ts"
import type { ChatMetrics } from "../metrics.ts"

export interface RoomWatch {
  /** Whether every server took what was written, at the last look. */
  isWell(): boolean
  stop(): void
}

type State = "well" | "filling" | "full" | "faulty"

export function watchRoom({
  sys,
  metrics,
  log,
}: {
  readonly sys: NatsConnection
  readonly metrics: Pick<ChatMetrics, "stored">
  readonly log: Log
}): RoomWatch {
  const said = new Map<string, { readonly state: State; readonly atLook: number }>()
  let looks = 0
  const say = (health: BrokerHealth): void => {
    const state = stateOf(health)
    const before = said.get(health.name)?.state ?? "well"
    said.set(health.name, { state, atLook: looks })
    if (state !== before) tell(log, state, health)
  }
  const isWell = (): boolean => ![...said.values()].some(({ state }) => state === "full" || state === "faulty")
  let isAsking = false
  const look = async (): Promise<void> => {
    if (isAsking) return
    isAsking = true
    looks += 1
    try {
      const all = await healthOf(sys)
      for (const health of all) say(health)
      // One that left the cluster is nobody's trouble; one that does not answer keeps its state for a while.
      for (const [name, { atLook }] of said) if (looks - atLook > roomLooksKept) said.delete(name)
      metrics.stored({
        bytes: sum(all.map(({ storedBytes }) => storedBytes)),
        limitBytes: sum(all.map(({ limitBytes }) => limitBytes)),
        isWell: isWell(),
      })
    } catch (error) {
      metrics.stored({ isWell: false })
      // It may be away for a moment; that it is, is said elsewhere.
      log.debug(errorFields(error), "the broker does not say how much room it has")
    } finally {
      isAsking = false
    }
  }
  const timer = setInterval(() => void look(), roomLookMs)
  timer.unref()
  void look()
  return { isWell, stop: () => clearInterval(timer) }
}

function stateOf({ fault, storedBytes, limitBytes }: BrokerHealth): State {
  if (fault !== undefined) return "faulty"
  if (limitBytes === 0) return "well"
  if (limitBytes - storedBytes < maxPayloadBytes) return "full"
  return storedBytes > limitBytes * roomWarningShare ? "filling" : "well"
}

const texts: Readonly<Record<State, string>> = {
  well: "nats-server takes what is written, and has room",
  filling: "nats-server has little room left: give it more before it is full",
  full: "nats-server is full: messages wait at those who write them; give it a larger disk or --store-mib, and start it anew",
  faulty:
    "nats-server cannot write: if its disk was full, make room and start it anew, it does not go on by itself; messages wait at those who write them",
}
const levels = { well: "info", filling: "warn", full: "error", faulty: "error" } as const

function tell(log: Log, state: State, { name, storedBytes, limitBytes, fault }: BrokerHealth): void {
  const fields = { server: name, stored_bytes: storedBytes, limit_bytes: limitBytes }
  log[levels[state]](fault === undefined ? fields : { ...fields, fault }, texts[state])
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0)
