/**
 * From a revocation in a chain to the end of the device's connection: the feeds of the stores are followed, and devices of chains that
 * grew are judged anew. The callout refuses them from then on.
 */
import { createHash } from "node:crypto"
import type { BrokerDevice, Digest } from "@kez/core"
import { userIdOf } from "@kez/core"
import { feedPageEvents, feedPollMs } from "../limits.ts"
import type { Database } from "../storage/database.ts"
import { textIn } from "../storage/row.ts"
import type { Devices } from "./devices.ts"
import { findEnd, readFeed } from "./feed.ts"
import type { Standings } from "./standing.ts"

export interface RevocationOptions {
  /** Base URLs of sigchain stores. */
  readonly stores: readonly string[]
  readonly database: Database
  readonly devices: Devices
  readonly standings: Standings
  /** Ends connections and the reader of a device; called again a moment later, for one that was just being let in. */
  readonly cut: (device: BrokerDevice) => Promise<void>
  readonly onRevoked: () => void
  readonly onFault: (store: string, error: unknown) => void
}

/** How far a feed was read: the cursor of its last line, and the digest of that line. */
interface Mark {
  readonly cursor: number
  readonly line: string
}

const digestOf = (text: string): string => createHash("sha256").update(text).digest("base64url")

export function followRevocations(options: RevocationOptions): { stop(): Promise<void> } {
  const ending = new AbortController()
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      ending.signal.addEventListener("abort", () => {
        clearTimeout(timer)
        resolve()
      })
    })
  const follow = async (store: string): Promise<void> => {
    let mark: Mark | undefined
    while (!ending.signal.aborted) {
      try {
        mark ??= (await savedMark(options.database, store)) ?? (await newMark(store))
        const { next, isMore } = await step(options, store, mark)
        if (next !== mark) await saveMark(options.database, store, next)
        mark = next
        if (isMore) continue
      } catch (error) {
        options.onFault(store, error)
      }
      await pause(feedPollMs)
    }
  }
  const following = options.stores.map(follow)
  return {
    async stop() {
      ending.abort()
      await Promise.all(following)
    },
  }
}

/** The last line is asked for again: a store that gives another one is not the store that was read before. */
async function step(
  options: RevocationOptions,
  store: string,
  mark: Mark,
): Promise<{ readonly next: Mark; readonly isMore: boolean }> {
  const isFirst = mark.cursor === 0
  const lines = await readFeed(store, isFirst ? 0 : mark.cursor - 1)
  const [known, ...rest] = lines
  if (!isFirst && (known === undefined || digestOf(known.text) !== mark.line)) {
    return { next: await newMark(store), isMore: false }
  }
  const fresh = isFirst ? lines : rest
  for (const chain of new Set(fresh.map((line) => line.chain))) await judgeAnew(options, chain)
  const last = fresh.at(-1)
  const next = last === undefined ? mark : { cursor: last.cursor, line: digestOf(last.text) }
  return { next, isMore: lines.length >= feedPageEvents }
}

async function judgeAnew({ devices, standings, cut, onRevoked }: RevocationOptions, chain: Digest): Promise<void> {
  standings.forget(chain)
  for (const row of await devices.ofPerson(userIdOf(chain))) {
    const { standing, replay } = await standings.judge(chain, row.device)
    if (standing !== "revoked" && standing !== "suspended") continue
    // First, so that the callout refuses it when it comes back.
    if (standing === "revoked") await devices.noteRevoked(row, replay?.head.seq ?? 0)
    if (row.revokedSeq === undefined) onRevoked()
    await cut(row)
  }
}

async function newMark(store: string): Promise<Mark> {
  const cursor = await findEnd(store)
  if (cursor === 0) return { cursor: 0, line: "" }
  const [line] = await readFeed(store, cursor - 1, 1)
  return { cursor, line: digestOf(line?.text ?? "") }
}

const nameOf = (store: string): string => `feed ${store}`

async function savedMark(database: Database, store: string): Promise<Mark | undefined> {
  const [row] = await database.rows("SELECT value FROM marks WHERE name = $1", [nameOf(store)])
  const [cursor, line] = row === undefined ? [] : textIn(row, "value").split(" ")
  return cursor === undefined || line === undefined ? undefined : { cursor: Number(cursor), line }
}

async function saveMark(database: Database, store: string, { cursor, line }: Mark): Promise<void> {
  const text = "INSERT INTO marks VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
  await database.transact((sql) => sql.rows(text, [nameOf(store), `${cursor} ${line}`]))
}
