/**
 * DNS over UDP, and over TCP when an answer is cut: c-ares, as Node carries it.
 * What it does with bad answers was measured and is held by test/e2e/dns-channel.test.ts.
 */
import { Resolver } from "node:dns/promises"
import { KezError } from "@kez/core"
import { type AskServer, type DnsQuestion, type DnsReply, dnsFailure } from "./dns-query.ts"
import { maxCnameHops } from "./limits.ts"

const nothing: DnsReply = { status: "no_data", values: [] }

/** Stands for all servers of the system at once, as c-ares itself uses them. */
const systemServers = "the system's servers"

/** The servers that the system is configured with at this moment, as `askPlainServer` takes them. */
export function readSystemServers(): readonly string[] {
  const servers = new Resolver().getServers()
  // c-ares names a link-local server without its zone, and so it could not be asked by that name.
  return servers.some((server) => /^\[?fe[89ab]/i.test(server)) ? [systemServers] : servers
}

/** Creates a question to `1.2.3.4`, `1.2.3.4:5353` or `[::1]:5353`. Throws `net.dns` for another text. */
export function askPlainServer(server: string, timeoutMs: number): AskServer {
  parseServer(server, timeoutMs)
  return async (question, signal) => {
    const reply = await askOnce(question, server, timeoutMs, signal)
    // c-ares gives an empty list where the answer held CNAME records only: either their end has no such record,
    // which is an answer, or they run in a circle, which is none.
    if (reply !== undefined) return reply
    await assertCnamesEnd(question, server, timeoutMs, signal)
    return nothing
  }
}

async function assertCnamesEnd(
  question: DnsQuestion,
  server: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const seen = new Set<string>()
  let name: string | undefined = question.name
  while (name !== undefined) {
    if (seen.has(name.toLowerCase()) || seen.size > maxCnameHops) {
      throw dnsFailure("net.dns", question, { server, got: "a CNAME loop" })
    }
    seen.add(name.toLowerCase())
    const reply = await askOnce({ type: "CNAME", name }, server, timeoutMs, signal)
    name = reply?.values[0]
  }
}

/** Undefined: an answer without a record of the type. */
async function askOnce(
  question: DnsQuestion,
  server: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<DnsReply | undefined> {
  // A resolver of its own for each question: c-ares caches answers per resolver, and someone who waits for
  // a record to appear must see it; cancel() ends all questions of a resolver.
  const resolver = parseServer(server, timeoutMs)
  const cancel = () => resolver.cancel()
  signal.throwIfAborted()
  signal.addEventListener("abort", cancel, { once: true })
  try {
    const values = await query(resolver, question)
    return values.length === 0 ? undefined : { status: "found", values }
  } catch (error) {
    signal.throwIfAborted()
    return readFailure(error, question, server)
  } finally {
    signal.removeEventListener("abort", cancel)
  }
}

async function query(resolver: Resolver, { type, name }: DnsQuestion): Promise<readonly string[]> {
  switch (type) {
    case "A":
      return resolver.resolve4(name)
    case "AAAA":
      return resolver.resolve6(name)
    case "CNAME":
      return resolver.resolveCname(name)
    case "NS":
      return resolver.resolveNs(name)
    case "TXT":
      return (await resolver.resolveTxt(name)).map((segments) => segments.join(""))
  }
}

function readFailure(error: unknown, question: DnsQuestion, server: string): DnsReply {
  const code = error instanceof Error && "code" in error ? String(error.code) : "UNKNOWN"
  if (code === "ENOTFOUND") return { status: "no_name", values: [] }
  if (code === "ENODATA") return nothing
  const details = { server, got: code.replace(/^E/, ""), cause: error }
  if (code === "ETIMEOUT") throw dnsFailure("net.timeout", question, details)
  if (code === "ECONNREFUSED") throw dnsFailure("net.refused", question, details)
  throw dnsFailure("net.dns", question, details)
}

function parseServer(server: string, timeoutMs: number): Resolver {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 })
  if (server === systemServers) return resolver
  try {
    resolver.setServers([server])
  } catch (cause) {
    throw new KezError("net.dns", `Cannot ask ${server}: expected an IP address with an optional port`, { cause })
  }
  return resolver
}
