/** Who is connected now. A device that has too many connections loses its oldest: after a broken line it does not know of the one before. */
import { type ConnectionEvent, cutConnection, watchConnections } from "@kez/broker"
import type { NatsConnection } from "@nats-io/transport-node"
import { maxConnectionsOfDevice } from "../limits.ts"
import type { ChatMetrics } from "../metrics.ts"

type Connection = Pick<ConnectionEvent, "serverId" | "connectionId">

export interface WatchedDevices {
  /** The broker was away: what was open is not, and nobody told. */
  reset(): void
  stop(): void
}

export function watchDevices(sys: NatsConnection, metrics: Pick<ChatMetrics, "connected">): WatchedDevices {
  const open = new Map<string, readonly Connection[]>()
  const { stop } = watchConnections(sys, ({ type, name, serverId, connectionId }) => {
    const others = (open.get(name) ?? []).filter(
      (one) => one.serverId !== serverId || one.connectionId !== connectionId,
    )
    const all = type === "connected" ? [...others, { serverId, connectionId }] : others
    const kept = all.slice(-maxConnectionsOfDevice)
    if (kept.length > 0) open.set(name, kept)
    else open.delete(name)
    metrics.connected(open.size)
    for (const oldest of all.slice(0, -maxConnectionsOfDevice)) void cutConnection(sys, oldest).catch(() => undefined)
  })
  return {
    stop,
    reset() {
      open.clear()
      metrics.connected(0)
    },
  }
}
