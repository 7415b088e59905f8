/** Who is connected, and cutting a connection, through the system account. For bans and revoked devices; everything else is left to expire. */
import { type BrokerDevice, KezError } from "@kez/core"
import type { NatsConnection } from "@nats-io/transport-node"
import { connectionNameOf } from "./callout/answer.ts"
import { isObject, type Unknown } from "./callout/jwt.ts"
import { requestMs } from "./limits.ts"

/** Servers of a cluster answer each for itself: how long the next one may take after the last. */
const stallMs = 100

export interface LiveConnection {
  /** `<uid>.<dev>`, from our JWT; what the client calls itself is not looked at. */
  readonly name: string
  readonly connectionId: number
  readonly serverId: string
  readonly host: string
}

export type ConnectionEvent = { readonly type: "connected" | "disconnected" } & LiveConnection

/** Calls back for each user who comes or goes. Also how a copy of the chat server counts connections of a device. */
export function watchConnections(sys: NatsConnection, onEvent: (event: ConnectionEvent) => void): { stop(): void } {
  const subscriptions = (["CONNECT", "DISCONNECT"] as const).map((kind) =>
    sys.subscribe(`$SYS.ACCOUNT.CHAT.${kind}`, {
      callback: (error, message) => {
        if (error !== null) return
        const told: unknown = message.json()
        const connection = isObject(told) ? connectionOf(told["client"], told["server"]) : undefined
        if (connection !== undefined)
          onEvent({ type: kind === "CONNECT" ? "connected" : "disconnected", ...connection })
      },
    }),
  )
  return {
    stop() {
      for (const subscription of subscriptions) subscription.unsubscribe()
    },
  }
}

/** The connections of one device, on all servers of a cluster. */
export async function connectionsOf(sys: NatsConnection, device: BrokerDevice): Promise<readonly LiveConnection[]> {
  const query = JSON.stringify({ acc: "CHAT", auth: true, user: connectionNameOf(device), limit: 1_024 })
  const answers = await sys.requestMany("$SYS.REQ.SERVER.PING.CONNZ", query, {
    strategy: "stall",
    maxWait: requestMs,
    stall: stallMs,
  })
  const found: LiveConnection[] = []
  for await (const answer of answers) {
    const told: unknown = answer.json()
    const data = isObject(told) ? told["data"] : undefined
    const list = isObject(data) && Array.isArray(data["connections"]) ? (data["connections"] as readonly unknown[]) : []
    for (const client of list) {
      const connection = connectionOf(client, isObject(told) ? told["server"] : undefined)
      if (connection !== undefined) found.push(connection)
    }
  }
  return found.filter(({ name }) => name === connectionNameOf(device))
}

/** Cuts every connection of a device and returns how many. When it comes back, the callout decides anew: revoke first, then cut. */
export async function cutDevice(sys: NatsConnection, device: BrokerDevice): Promise<number> {
  const connections = await connectionsOf(sys, device)
  for (const connection of connections) await cutConnection(sys, connection)
  return connections.length
}

export async function cutConnection(
  sys: NatsConnection,
  { serverId, connectionId }: Pick<LiveConnection, "serverId" | "connectionId">,
): Promise<void> {
  const subject = `$SYS.REQ.SERVER.${serverId}.KICK`
  try {
    await sys.request(subject, JSON.stringify({ cid: connectionId }), { timeout: requestMs })
  } catch (cause) {
    throw new KezError("broker.refused", "Cannot cut a connection: the broker did not answer", { cause })
  }
}

function connectionOf(client: unknown, server: unknown): LiveConnection | undefined {
  if (!isObject(client) || !isObject(server)) return undefined
  const name = nameOf(client)
  const id = client["id"] ?? client["cid"]
  const serverId = server["id"]
  if (name === undefined || typeof id !== "number" || typeof serverId !== "string") return undefined
  const host = client["host"] ?? client["ip"]
  return { name, connectionId: id, serverId, host: typeof host === "string" ? host : "" }
}

/** The name of our JWT: `user` in events, `authorized_user` in lists. */
function nameOf(client: Unknown): string | undefined {
  const name = client["authorized_user"] ?? client["user"]
  return typeof name === "string" ? name : undefined
}
