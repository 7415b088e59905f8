/** What one name server shows of records that were just published, in words for the one who waits for them. */
import type { Code } from "@kez/core"
import type { DetailedReply } from "./dns-message.ts"

/** `authoritative` servers hold the zone; `public` ones repeat what they heard, and for how long is in the TTL. */
export type ServerRole = "authoritative" | "public"

export type RecordView =
  | { readonly state: "shown" }
  /** Other TXT records stand there, ours not among them or not all. */
  | { readonly state: "old"; readonly cachedSeconds?: number }
  | { readonly state: "missing"; readonly cachedSeconds?: number }
  | { readonly state: "unreachable"; readonly code: Code }

export interface ServerReport {
  /** As a person would name it: `ns1.example.org (192.0.2.1)`, `9.9.9.9`. */
  readonly server: string
  readonly role: ServerRole
  readonly view: RecordView
  /** `192.0.2.1:53`: where it answers. Undefined for one that may not be asked. */
  readonly address?: string
}

/** What a reply says about the wanted records. A server that only repeats cannot speak for a zone: `net.dns`. */
export function viewOfReply(reply: DetailedReply, wanted: readonly string[], role: ServerRole): RecordView {
  if (role === "authoritative" && !reply.isAuthoritative) return { state: "unreachable", code: "net.dns" }
  if (wanted.every((text) => reply.values.includes(text))) return { state: "shown" }
  const state = reply.values.length === 0 ? "missing" : "old"
  const { ttlSeconds } = reply
  return role === "authoritative" || ttlSeconds === undefined ? { state } : { state, cachedSeconds: ttlSeconds }
}

/** A line a server: `set, but 1.1.1.1 caches the old answer for 9 min`. */
export function describeReports(reports: readonly ServerReport[]): readonly string[] {
  const isSet = reports.some(({ role, view }) => role === "authoritative" && view.state === "shown")
  return reports.map((report) => describe(report, isSet))
}

function describe({ server, view }: ServerReport, isSet: boolean): string {
  switch (view.state) {
    case "shown":
      return `${server} shows it`
    case "unreachable":
      return `${server} does not answer`
    case "old":
    case "missing": {
      if (!isSet || view.cachedSeconds === undefined) return `${server} does not show it yet`
      const what = view.state === "old" ? "the old answer" : "the old answer, that there is none,"
      return `set, but ${server} caches ${what} for ${formatWait(view.cachedSeconds)}`
    }
  }
}

/** The longest time that a cache may still repeat what it heard before; undefined where none does. */
export function longestCache(reports: readonly ServerReport[]): number | undefined {
  const waits = reports.flatMap(({ view }) => ("cachedSeconds" in view ? [view.cachedSeconds ?? 0] : []))
  return waits.length === 0 ? undefined : Math.max(...waits)
}

function formatWait(seconds: number): string {
  if (seconds < 60) return `${seconds} s`
  return seconds < 5_400 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds / 3_600)} h`
}
