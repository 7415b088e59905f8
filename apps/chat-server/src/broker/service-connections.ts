/** The chat server's own connections to the broker, one for each account. Each comes back by itself for ever. */
import { type BrokerKeys, connectService } from "@kez/broker"
import type { NatsConnection } from "@nats-io/transport-node"

export interface ServiceConnections {
  /** Is asked who may connect. */
  readonly auth: NatsConnection
  /** Where streams are. */
  readonly store: NatsConnection
  /** Where commands come in. */
  readonly chat: NatsConnection
  /** Where connections are seen and cut. */
  readonly sys: NatsConnection
  /** Whether all are connected at this moment. */
  isConnected(): boolean
  close(): Promise<void>
}

const names = ["auth", "store", "chat", "sys"] as const

export interface ServiceOptions {
  readonly url: string
  readonly keys: BrokerKeys
  /** A connection came back: the broker may be another one than before. */
  readonly onReturn: (name: (typeof names)[number]) => void
}

/** All four, or none and `broker.refused`. */
export async function connectServices({ url, keys, onReturn }: ServiceOptions): Promise<ServiceConnections> {
  const opened: NatsConnection[] = []
  const away = new Set<string>()
  const close = async (): Promise<void> => {
    await Promise.all(opened.map((connection) => connection.close().catch(() => undefined)))
  }
  const watch = async (name: (typeof names)[number], connection: NatsConnection): Promise<void> => {
    for await (const { type } of connection.status()) {
      if (type === "disconnect") away.add(name)
      if (type !== "reconnect") continue
      away.delete(name)
      onReturn(name)
    }
  }
  const open = async (name: (typeof names)[number]): Promise<NatsConnection> => {
    const connection = await connectService({ url, key: keys[name], name: `kez-${name}` })
    opened.push(connection)
    void watch(name, connection)
    return connection
  }
  try {
    const all = {
      auth: await open("auth"),
      store: await open("store"),
      chat: await open("chat"),
      sys: await open("sys"),
    }
    return { ...all, close, isConnected: () => away.size === 0 && opened.every((connection) => !connection.isClosed()) }
  } catch (error) {
    await close()
    throw error
  }
}
