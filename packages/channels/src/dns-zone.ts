/** Which servers speak for a name: the zone is found by walking up, its servers by their NS records. RFC 1034 §4.2. */
import { isDomain, KezError } from "@kez/core"
import { isPublicAddress } from "./address.ts"
import type { NameServer } from "./dns-client.ts"
import { maxCnameHops, maxNameServers } from "./limits.ts"
import type { NameResolver } from "./resolver.ts"

export interface ZoneServer {
  /** The server's own name. */
  readonly name: string
  /** Undefined: it may not be asked, and `fault` says why. */
  readonly server: NameServer | undefined
  readonly fault?: KezError
}

export interface Zone {
  /** Where the records stand in the end: another name where an alias leads there. */
  readonly owner: string
  readonly zone: string
  readonly servers: readonly ZoneServer[]
}

/** Names of hosts and zones as they stand in records of others: only those are looked up. */
const nameForm = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)+$/

/** Finds the servers of the zone that `name` is in. Throws `net.dns` where there are none, and like the resolver. */
export async function findZone(name: string, resolver: NameResolver, signal: AbortSignal): Promise<Zone> {
  const owner = await followAliases(name, resolver, signal)
  const labels = owner.split(".")
  for (const zone of labels.map((_, i) => labels.slice(i).join("."))) {
    const names = (await resolver.resolveNames("NS", zone, signal)).map((text) => text.toLowerCase())
    if (names.length === 0) continue
    const usable = [...new Set(names)].filter(isDomain).sort().slice(0, maxNameServers)
    return { owner, zone, servers: await Promise.all(usable.map((one) => openServer(one, resolver, signal))) }
  }
  throw new KezError("net.dns", `Cannot find who serves ${owner}: expected a zone, got none`)
}

async function followAliases(name: string, resolver: NameResolver, signal: AbortSignal): Promise<string> {
  let owner = name
  for (let hop = 0; hop <= maxCnameHops; hop++) {
    const [alias] = await resolver.resolveNames("CNAME", owner, signal)
    if (alias === undefined) return owner
    owner = alias.toLowerCase()
    if (!nameForm.test(owner)) break
  }
  throw new KezError("net.dns", `Cannot find who serves ${name}: expected an end of its CNAME records, got none`)
}

async function openServer(name: string, resolver: NameResolver, signal: AbortSignal): Promise<ZoneServer> {
  try {
    const { addresses } = await resolver.resolveAddresses(name, signal)
    const usable = addresses.filter(isPublicAddress)
    // IPv4 first: many networks announce IPv6 without carrying it.
    const address = usable.find((text) => !text.includes(":")) ?? usable[0]
    if (address !== undefined) return { name, server: { name: `${name} (${address})`, address, port: 53 } }
    // The owner of a domain could otherwise have every visitor ask into his own network.
    const code = addresses.length === 0 ? "net.dns" : "net.address"
    const got = addresses.length === 0 ? "none" : "private ones only"
    return {
      name,
      server: undefined,
      fault: new KezError(code, `Cannot ask ${name}: expected a public address, got ${got}`),
    }
  } catch (error) {
    if (!(error instanceof KezError)) throw error
    return { name, server: undefined, fault: error }
  }
}
