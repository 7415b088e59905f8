/** The one place that builds the network of a command from its settings. SPEC §7 */
import { join } from "node:path"
import { createNet, createResolver, type NameResolver, type Net } from "@kez/channels"
import type { Context } from "./context.ts"
import { openNetMemory } from "./store/answer-cache.ts"

export interface NetworkOptions {
  /** One DNS server instead of those of the settings. */
  readonly resolver?: string | undefined
  /** How long one place may take. */
  readonly timeoutMs: number
  /** At one host at once; few unless given, for strangers. Streams take a place each for as long as they last. */
  readonly perHost?: number
}

/** Throws `net.dns` or `net.url` for a DNS server or a base URL that cannot be one. */
export async function openNet(context: Context, options: NetworkOptions): Promise<Net> {
  const { hosts, relays } = context.settings
  const githubToken = readToken(context)
  const now = () => context.now()
  return createNet({
    ...openNetMemory(join(context.paths.cache, "answers.db"), { now }),
    resolver: openResolver(context, options),
    hosts: hosts.value,
    limits: {
      totalMs: options.timeoutMs,
      ...(options.perHost === undefined ? {} : { maxRequestsPerHost: options.perHost }),
    },
    now,
    settings: {
      ...(relays.value.length === 0 ? {} : { relays: relays.value }),
      ...(githubToken === undefined ? {} : { githubToken }),
    },
  })
}

/** Throws `net.dns` or `net.url` for a server that cannot be one. */
export function openResolver({ settings }: Context, { resolver, timeoutMs }: NetworkOptions): NameResolver {
  const servers = resolver === undefined ? settings.resolver.value : [resolver]
  return createResolver({ ...(servers.length === 0 ? {} : { servers }), limits: { totalMs: timeoutMs } })
}

/** A token with a line break in it would make every request an unreadable failure; nothing needs one. */
function readToken({ settings, warn }: Context): string | undefined {
  const { value } = settings.githubToken
  if (value === undefined || /^[!-~]{1,512}$/.test(value)) return value
  warn("GH_TOKEN or GITHUB_TOKEN is not used: expected one line of printable characters")
  return undefined
}
