/**
 * Waiting until new TXT records are seen: by every server of the zone, and by the public resolvers that most people use.
 * Its own view of time and network is handed in, so that a test needs neither.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { KezError } from "@kez/core"
import { type AskNameServer, askNameServer, type NameServer, parseNameServer } from "./dns-client.ts"
import { type RecordView, type ServerReport, type ServerRole, viewOfReply } from "./dns-view.ts"
import { findZone } from "./dns-zone.ts"
import type { NameResolver } from "./resolver.ts"

/** Resolvers that answer anybody, by three organisations. */
export const defaultPublicResolvers: readonly string[] = ["1.1.1.1", "8.8.8.8", "9.9.9.9"]

const firstWaitMs = 5_000
const longestWaitMs = 60_000
/** Looks in a row after which a server that does not answer is no longer waited for. */
const patience = 2

export interface WatchRequest {
  /** Canonical domain; the records stand at `_kez.` before it. */
  readonly domain: string
  /** The texts of the records, segments joined; one character a byte. */
  readonly wanted: readonly string[]
  /** How long to wait in all; 0 looks once. */
  readonly limitMs: number
  /** Servers of the zone, as `1.2.3.4:5353`. Found through the zone's NS records unless given; then they may be private. */
  readonly servers?: readonly string[]
  /** Resolvers to ask; `defaultPublicResolvers` unless given. They may be private. */
  readonly publicResolvers?: readonly string[]
}

export interface WatchTools {
  /** Finds the servers of the zone. */
  readonly resolver: NameResolver
  readonly signal: AbortSignal
  readonly ask?: AskNameServer
  /** Milliseconds that only rise. */
  readonly clockMs?: () => number
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>
}

export interface WatchRound {
  readonly reports: readonly ServerReport[]
  /** Every server that answers shows the records. */
  readonly isDone: boolean
  /** Until the next look; undefined in the last round. */
  readonly nextMs: number | undefined
}

/**
 * Looks, waits 5 s, looks, waits 10 s and so on, a minute at most, and ends when everybody shows the records or the limit is
 * reached. Throws `net.dns` for a server that cannot be one, or the signal's reason.
 */
export async function* watchRecords(request: WatchRequest, tools: WatchTools): AsyncGenerator<WatchRound, void> {
  const { clockMs = () => performance.now(), sleep: wait = sleepFor, ask = askNameServer } = tools
  const began = clockMs()
  const look = createLook(request, { ...tools, ask })
  for (let round = 0; ; round++) {
    const watched = await look()
    const isDone = isSettled(watched)
    const nextMs = isDone ? undefined : waitBefore(round + 1, request.limitMs - (clockMs() - began))
    yield { reports: watched.map(({ report }) => report), isDone, nextMs }
    if (nextMs === undefined) return
    await wait(nextMs, tools.signal)
  }
}

/** The wait before look number `round`; undefined when what is left of the time does not reach for one. */
export function waitBefore(round: number, leftMs: number): number | undefined {
  const usual = Math.min(firstWaitMs * 2 ** (round - 1), longestWaitMs)
  if (leftMs <= 0) return undefined
  // The last look is at the limit and not somewhere before it.
  return Math.min(usual, leftMs)
}

/** One server, over all looks so far. */
export interface Watched {
  readonly report: ServerReport
  /** Looks in a row without an answer. */
  readonly silences: number
}

/** Whether nobody is left to wait for: everybody shows the records but those who never answer, and there is somebody. */
export function isSettled(watched: readonly Watched[]): boolean {
  const shows = ({ report }: Watched) => report.view.state === "shown"
  return watched.some(shows) && watched.every((one) => shows(one) || one.silences >= patience)
}

interface Place {
  readonly name: string
  readonly role: ServerRole
  readonly owner: string
  readonly server: NameServer | undefined
  readonly fault: KezError | undefined
}

function createLook(
  request: WatchRequest,
  tools: WatchTools & { readonly ask: AskNameServer },
): () => Promise<readonly Watched[]> {
  const silences = new Map<string, number>()
  return async () => {
    const places = await findPlaces(request, tools)
    return Promise.all(
      places.map(async (place) => {
        const view = await lookAt(place, request.wanted, tools)
        const count = view.state === "unreachable" ? (silences.get(place.name) ?? 0) + 1 : 0
        silences.set(place.name, count)
        const address = place.server === undefined ? {} : { address: addressOf(place.server) }
        return { report: { server: place.name, role: place.role, view, ...address }, silences: count }
      }),
    )
  }
}

/** Found anew for each look: a domain may be moved to other servers while its owner waits. */
async function findPlaces(request: WatchRequest, { resolver, signal }: WatchTools): Promise<readonly Place[]> {
  const name = `_kez.${request.domain}`
  const given = (text: string, role: ServerRole): Place => {
    const server = parseNameServer(text)
    return { name: server.name, role, owner: name, server, fault: undefined }
  }
  const open = (request.publicResolvers ?? defaultPublicResolvers).map((text) => given(text, "public"))
  if (request.servers !== undefined) return [...request.servers.map((text) => given(text, "authoritative")), ...open]
  try {
    const { owner, servers } = await findZone(name, resolver, signal)
    const own = servers.map(({ name: host, server, fault }) => {
      return { name: server?.name ?? host, role: "authoritative", owner, server, fault } as const
    })
    return [...own, ...open]
  } catch (fault) {
    signal.throwIfAborted()
    if (!(fault instanceof KezError)) throw fault
    const nobody = { name: `the zone of ${request.domain}`, role: "authoritative", owner: name } as const
    return [{ ...nobody, server: undefined, fault }, ...open]
  }
}

function addressOf({ address, port }: NameServer): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`
}

async function lookAt(
  { role, owner, server, fault }: Place,
  wanted: readonly string[],
  { ask, signal }: { readonly ask: AskNameServer; readonly signal: AbortSignal },
): Promise<RecordView> {
  if (server === undefined) return { state: "unreachable", code: fault?.code ?? "net.dns" }
  try {
    const reply = await ask({ type: "TXT", name: owner }, server, { isRecursive: role === "public", signal })
    return viewOfReply(reply, wanted, role)
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof KezError)) throw error
    return { state: "unreachable", code: error.code }
  }
}

async function sleepFor(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal })
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
}
