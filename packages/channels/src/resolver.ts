/** DNS look-ups: the system's servers, given ones, or DNS over HTTPS, tried in turn within one time limit. SPEC §7. */
import { URL } from "node:url"
import { KezError } from "@kez/core"
import { withDeadline } from "./deadline.ts"
import type { AskServer, DnsQuestion, DnsReply, DnsStatus, RecordType } from "./dns-query.ts"
import { type ResolverLimits, resolverLimits } from "./limits.ts"
import { askPlainServer, readSystemServers } from "./plain-dns.ts"

export interface TxtAnswer {
  readonly status: DnsStatus
  /** One text a record, its segments joined with nothing between; one character a byte. */
  readonly records: readonly string[]
  /** The server that answered. */
  readonly server: string
}

export interface AddressAnswer {
  readonly status: DnsStatus
  /** IPv4 and IPv6 as text. */
  readonly addresses: readonly string[]
}

export interface Resolver {
  /** Throws KezError `net.dns`, `net.timeout`, `net.refused`, or the signal's reason. */
  resolveTxt(name: string, signal: AbortSignal): Promise<TxtAnswer>
  /** Asks for A and AAAA. Throws like `resolveTxt`, if neither was answered. */
  resolveAddresses(host: string, signal: AbortSignal): Promise<AddressAnswer>
}

/** What is asked to find the servers of a zone. */
export interface NameResolver extends Resolver {
  /** The names in the records: empty where there are none. Throws like `resolveTxt`. */
  resolveNames(type: "CNAME" | "NS", name: string, signal: AbortSignal): Promise<readonly string[]>
}

export interface ResolverOptions {
  /** `1.2.3.4`, `1.2.3.4:5353`, `[::1]:5353` or an `https:` URL (DoH). The system's servers unless given. */
  readonly servers?: readonly string[]
  /** PEM certificates to trust for DoH instead of the system's. */
  readonly ca?: string
  readonly limits?: Partial<ResolverLimits>
}

/** The host has no address, by answer of its DNS and not by failure; a channel may call that absence. */
export class UnknownHostError extends KezError {
  constructor(host: string) {
    super("net.dns", `Cannot fetch from ${host}: expected an address, got none`)
  }
}

/** The codec of DNS messages is loaded with the first question. Throws `net.url`. */
function askDohLazily(server: string, ca: string | undefined): AskServer {
  const url = URL.canParse(server) ? new URL(server) : undefined
  if (url?.protocol !== "https:") throw new KezError("net.url", `Cannot ask ${server}: expected an https URL`)
  return async (question, signal) => {
    const { askDohServer } = await import("./doh.ts")
    return askDohServer(url, ca)(question, signal)
  }
}

interface Server {
  readonly name: string
  readonly ask: AskServer
}

/** Creates a resolver. Throws `net.dns` or `net.url` for a server that cannot be one. */
export function createResolver(options: ResolverOptions = {}): NameResolver {
  const limits = { ...resolverLimits, ...options.limits }
  const openServer = (name: string): Server => {
    const isUrl = name.includes("://")
    return { name, ask: isUrl ? askDohLazily(name, options.ca) : askPlainServer(name, limits.totalMs) }
  }
  const given = options.servers?.map(openServer)

  async function look(type: RecordType, name: string, signal: AbortSignal) {
    // Read anew each time: a laptop changes its network while a long command runs.
    const servers = given ?? readSystemServers().map(openServer)
    const task = `look up ${type} ${name}`
    return withDeadline({ parent: signal, timeoutMs: limits.totalMs, task }, (inner) =>
      askInTurn(servers, { type, name }, { attemptMs: limits.attemptMs, signal: inner }),
    )
  }

  return {
    async resolveTxt(name, signal) {
      const { status, values, server } = await look("TXT", name, signal)
      return { status, records: values, server }
    },
    async resolveNames(type, name, signal) {
      return (await look(type, name, signal)).values
    },
    async resolveAddresses(host, signal) {
      const [v4, v6] = await Promise.allSettled([look("A", host, signal), look("AAAA", host, signal)])
      const answered = [v4, v6].flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []))
      const addresses = answered.flatMap(({ values }) => values)
      // Half an answer is enough to connect, but not to say that there is no such host.
      if (addresses.length > 0) return { status: "found", addresses }
      for (const outcome of [v4, v6]) if (outcome.status === "rejected") throw outcome.reason
      return { status: answered[0]?.status ?? "no_data", addresses }
    },
  }
}

/** Every server once; those that were silent a second time, longer. The first answer counts, "nothing" among them. */
async function askInTurn(
  servers: readonly Server[],
  question: DnsQuestion,
  bounds: { readonly attemptMs: number; readonly signal: AbortSignal },
): Promise<DnsReply & { readonly server: string }> {
  let failure = new KezError("net.dns", `Cannot look up ${question.type} ${question.name}: expected a server, got none`)
  let left = servers
  for (const timeoutMs of [bounds.attemptMs, 2 * bounds.attemptMs]) {
    const silent: Server[] = []
    for (const server of left) {
      const task = `look up ${question.type} ${question.name} at ${server.name}`
      const attempt = { parent: bounds.signal, timeoutMs, task }
      try {
        const reply = await withDeadline(attempt, (signal) => server.ask(question, signal))
        return { ...reply, server: server.name }
      } catch (error) {
        bounds.signal.throwIfAborted()
        if (!(error instanceof KezError)) throw error
        failure = error
        if (error.code === "net.timeout") silent.push(server)
      }
    }
    left = silent
  }
  throw failure
}
