/** Who is connected now. A device that has too many connections loses its oldest: after a broken line it does not know of the one before. */
import { type ConnectionEvent, cutConnection, watchConnections } from "@kez/broker"
import type { NatsConnection } from "@nats-io/transport-node"
import { maxConnectionsOfDevice } from "../limits.ts"
import type { ChatMetrics } from "../metrics.ts"

type Connection = Pick<ConnectionEvent, "serverId" | "connectionId">

export function watchDevices(sys: NatsConnection, metrics: Pick<ChatMetrics, "connected">): { stop(): void } {
  const open = new Map<string, Connection[]>()
  const tell = (): void => metrics.connected(open.size)
  return watchConnections(sys, (event) => {
    const { name, serverId, connectionId } = event
    const others = (open.get(name) ?? []).filter(
      (one) => one.serverId !== serverId || one.connectionId !== connectionId,
    )
    open.delete(name)
    if (event.type === "connected") others.push({ serverId, connectionId })
    if (others.length > 0) open.set(name, others)
    tell()
    if (others.length <= maxConnectionsOfDevice) return
    for (const oldest of others.slice(0, 1)) void cutConnection(sys, oldest).catch(() => undefined)
  })
}
