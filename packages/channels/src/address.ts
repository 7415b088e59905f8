/**
 * Which IP addresses a fetch may connect to: global unicast and nothing else. SPEC §7.
 * An allow-list: an address is refused unless it is known to be public, so a block not yet thought of is refused too.
 * Source: IANA special-purpose address registries for IPv4 (RFC 6890) and IPv6.
 */
import { isIP } from "node:net"
import { KezError } from "@kez/core"
import ipaddr from "ipaddr.js"

/** The only IPv6 block that IANA allocates for global unicast. RFC 4291 §2.4. */
const globalUnicast6: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("2000::"), 3]

/**
 * Special-purpose blocks inside global unicast. ipaddr.js knows them too; they stand here so that the
 * guard does not rest on one table. Those that carry an IPv4 address inside (6to4, Teredo) would reach
 * a private network through a relay.
 */
const special6: readonly [ipaddr.IPv6, number][] = [
  [ipaddr.IPv6.parse("2001::"), 23], // RFC 2928: Teredo, benchmarking, AMT, AS112, ORCHID, DRIP
  [ipaddr.IPv6.parse("2001:db8::"), 32], // RFC 3849, documentation
  [ipaddr.IPv6.parse("2002::"), 16], // RFC 3056, 6to4
  [ipaddr.IPv6.parse("2620:4f:8000::"), 48], // RFC 7534, AS112
  [ipaddr.IPv6.parse("3ffe::"), 16], // RFC 3701, 6bone
  [ipaddr.IPv6.parse("3fff::"), 20], // RFC 9637, documentation
]

/** Whether this is the text of a global unicast address. A zone, a port or another spelling makes it false. */
export function isPublicAddress(text: string): boolean {
  // isIP first: ipaddr.js also reads 127.1, 0x7f.1 and 017.0.0.1.
  const family = isIP(text)
  if (family === 0 || text.includes("%")) return false
  if (family === 4) return ipaddr.IPv4.parse(text).range() === "unicast"
  const address = ipaddr.IPv6.parse(text)
  if (!address.match(globalUnicast6)) return false
  return address.range() === "unicast" && !special6.some((block) => address.match(block))
}

/**
 * Throws `net.address` unless every address is public. One private address among public ones refuses all:
 * no honest host has such an answer, and which one gets connected to must not matter.
 */
export function assertPublicAddresses(host: string, addresses: readonly string[]): void {
  for (const address of addresses) {
    if (!isPublicAddress(address)) {
      throw new KezError("net.address", `Cannot fetch from ${host}: expected only public addresses, got ${address}`)
    }
  }
}
