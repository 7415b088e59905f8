/** A way to open TCP connections that a caller hands in, in place of Node's own. SPEC §7.2 */
import type { ClientRequestArgs } from "node:http"
import { isIP, type LookupFunction, type Socket } from "node:net"
import { type ConnectionOptions, connect } from "node:tls"

export interface DialOptions {
  /** An address, or a name. */
  readonly host: string
  readonly port: number
  /** Gives the addresses of a name that were checked. A caller's own dial has to keep to them: here ends what the guard can see. */
  readonly lookup?: LookupFunction | undefined
}

/** Opens one TCP connection. */
export type Dial = (options: DialOptions) => Socket

type TlsOptions = Pick<ConnectionOptions, "ca" | "minVersion" | "rejectUnauthorized">

/** For requests of node:http and of the WebSocket library. TLS over the connection stays as it is. */
export function connectionsBy(
  dial: Dial,
  { isSecure }: { readonly isSecure: boolean },
): (options: ClientRequestArgs & TlsOptions) => Socket {
  return ({ host, port, lookup, ca, minVersion, rejectUnauthorized }) => {
    const name = host ?? "localhost"
    const socket = dial({ host: name, port: Number(port ?? (isSecure ? 443 : 80)), lookup })
    if (!isSecure) return socket
    const servername = isIP(name) === 0 ? { servername: name } : {}
    return connect({ socket, host: name, ca, minVersion, rejectUnauthorized, ...servername })
  }
}
