/** Connections of our own services to nats-server, each by the key of its account. */
import { encodeBase64Url, KezError } from "@kez/core"
import { type Authenticator, connect, type NatsConnection } from "@nats-io/transport-node"
import { connectMs, reconnectMs } from "./limits.ts"
import { type Nkey, signWith } from "./nkey.ts"
import { isFitVersion, minimumVersion } from "./server/version.ts"

export interface ServiceOptions {
  readonly url: string
  readonly key: Nkey
  /** Shown in the broker's lists: `kez-callout`. */
  readonly name: string
}

/**
 * Connects, and comes back by itself for ever: with the client's usual 2 s every client's first attempt after a restart of the
 * server would find no responder. Throws `broker.refused`.
 */
export async function connectService({ url, key, name }: ServiceOptions): Promise<NatsConnection> {
  let connection: NatsConnection
  try {
    connection = await connect({
      servers: url,
      name,
      authenticator: nkeyAuthenticator(key),
      timeout: connectMs,
      reconnectTimeWait: reconnectMs,
      reconnectDelayHandler: () => reconnectMs,
      maxReconnectAttempts: -1,
      // The key does not change; a server that refuses it now may be one that is just starting with an old configuration.
      ignoreAuthErrorAbort: true,
      inboxPrefix: `_INBOX.${name}`,
      // Each request would make an error that nobody reads.
      noAsyncTraces: true,
    })
  } catch (cause) {
    throw new KezError("broker.refused", `Cannot connect to the broker as ${name}`, {
      cause,
      hint: "Is nats-server running, with the configuration that was made with these keys?",
    })
  }
  const version = connection.info?.version ?? ""
  if (isFitVersion(version)) return connection
  await connection.close()
  throw new KezError(
    "broker.missing",
    `Cannot use the broker: expected nats-server ${minimumVersion} or newer, got ${version.slice(0, 40)}`,
  )
}

/** Signs what the broker calls a nonce. These keys sign nothing else, so that nothing can be had from them by a false one. */
export function nkeyAuthenticator(key: Nkey): Authenticator {
  return (nonce) => ({ nkey: key.publicKey, sig: encodeBase64Url(signWith(key, Buffer.from(nonce ?? ""))) })
}
