/** Whose request it is: the address at the other end of the connection, or what proxies that are trusted say of it. */
import { BlockList, isIP } from "node:net"

/** What of a request says whose it is. */
export interface Asking {
  readonly socket: { readonly remoteAddress?: string | undefined }
  readonly headers: Readonly<NodeJS.Dict<string | readonly string[]>>
}

export type IsTrusted = (address: string) => boolean

/** Of addresses and networks, as in `trust_proxy`. Undefined: nobody is trusted. */
export function createTrust(networks: readonly string[]): IsTrusted | undefined {
  if (networks.length === 0) return undefined
  const list = new BlockList()
  for (const network of networks) {
    const [address = "", bits] = network.split("/", 2)
    const family = familyOf(address)
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return (address) => isIP(address) !== 0 && list.check(address, familyOf(address))
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4"
}

/**
 * The last address that a trusted one names in X-Forwarded-For: whoever is further away can have written the rest of it. The same as
 * Fastify says; empty when the connection has ended.
 */
export function addressOf({ socket, headers }: Asking, isTrusted: IsTrusted | undefined): string {
  let address = socket.remoteAddress ?? ""
  const forwarded = headers["x-forwarded-for"]
  if (isTrusted === undefined || typeof forwarded !== "string") return address
  const hops = forwarded.split(",").map((hop) => hop.trim())
  for (let hop = hops.pop(); hop !== undefined && isTrusted(address); hop = hops.pop()) if (hop !== "") address = hop
  return address
}
