/**
 * Devices that were let in, with what each has of its person's mailbox. Cursors and dates are written a moment later, many at once: each
 * command would wait for the disk otherwise, and an older cursor only means that less is forgotten.
 */
import { type BrokerDevice, type Digest, deviceIdOf, userIdOf } from "@kez/core"
import { deviceFlushMs, maxKnownDevices } from "../limits.ts"
import type { Database, Row, Sql } from "../storage/database.ts"
import { countOf, textIn } from "../storage/row.ts"

export interface DeviceRow extends BrokerDevice {
  readonly chain: Digest
  /** Key identity, as the chain lists it. */
  readonly device: string
  /** Its place in the mailbox of its person. */
  readonly cursor: number
  /** Unix seconds: when its chain was last seen to list it. */
  readonly verifiedAt: number
  /** The end of the chain at which it was seen to be revoked. */
  readonly revokedSeq: number | undefined
  /** Why something that came is not in the mailbox: it was full, or strangers had had their part of it. */
  readonly missed: "full" | "strangers" | undefined
}

type Change = Partial<Pick<DeviceRow, "cursor" | "verifiedAt">>

export interface Missed {
  readonly why: "full" | "strangers"
  /** A place in the mailbox. */
  readonly behind?: number
}

export interface Devices {
  find(device: BrokerDevice): Promise<DeviceRow | undefined>
  /** All of a person's, those that were revoked too. */
  ofPerson(uid: string): Promise<readonly DeviceRow[]>
  /** Its chain lists it now. Resolves when it is known, or known again. */
  noteVerified(chain: Digest, device: string, now: number): Promise<void>
  noteRevoked(device: BrokerDevice, seq: number): Promise<void>
  noteCursor(device: BrokerDevice, cursor: number): void
  /** The broker has lost messages: what was said of this mailbox before means nothing any more. */
  resetCursors(uid: string): Promise<void>
  /** Tells devices of a person, all or those that are behind a place, to look at the conversations themselves, at their next session. */
  noteMissed(uid: string, missed: Missed): Promise<void>
  /** Whether it was to be told; it is now. */
  takeMissed(device: BrokerDevice): Promise<boolean>
  /** Writes what waits. */
  flush(): Promise<void>
  stop(): Promise<void>
}

const columns = "uid, dev, chain, device, cursor_seq, verified_at, revoked_seq, missed"
/** As numbers in the table. */
const reasons = [undefined, "full", "strangers"] as const
const nameOf = ({ uid, dev }: BrokerDevice): string => `${uid}.${dev}`

export function createDevices(database: Database, onFault: (error: unknown) => void): Devices {
  const known = new Map<string, DeviceRow>()
  const waiting = new Map<string, BrokerDevice & Change>()
  const keep = (row: DeviceRow): DeviceRow => {
    const current = { ...row, ...waiting.get(nameOf(row)) }
    known.delete(nameOf(row))
    known.set(nameOf(row), current)
    const oldest = known.keys().next()
    if (known.size > maxKnownDevices && oldest.done !== true) known.delete(oldest.value)
    return current
  }
  const read = async (sql: Sql, { uid, dev }: BrokerDevice): Promise<DeviceRow | undefined> => {
    const [row] = await sql.rows(`SELECT ${columns} FROM devices WHERE uid = $1 AND dev = $2`, [uid, dev])
    return row === undefined ? undefined : keep(rowOf(row))
  }
  const change = (device: BrokerDevice, changes: Change): void => {
    const row = known.get(nameOf(device))
    if (row !== undefined) known.set(nameOf(device), { ...row, ...changes })
    waiting.set(nameOf(device), { ...waiting.get(nameOf(device)), uid: device.uid, dev: device.dev, ...changes })
  }
  const flush = async (): Promise<void> => {
    if (waiting.size === 0) return
    const changes = [...waiting.values()]
    waiting.clear()
    try {
      await database.transact(async (sql) => {
        for (const { uid, dev, cursor, verifiedAt } of changes) {
          await sql.rows(
            "UPDATE devices SET cursor_seq = coalesce($3, cursor_seq), verified_at = coalesce($4, verified_at) WHERE uid = $1 AND dev = $2",
            [uid, dev, cursor ?? null, verifiedAt ?? null],
          )
        }
      })
    } catch (error) {
      for (const { uid, dev, ...rest } of changes) {
        waiting.set(nameOf({ uid, dev }), { uid, dev, ...rest, ...waiting.get(nameOf({ uid, dev })) })
      }
      throw error
    }
  }
  const timer = setInterval(() => void flush().catch(onFault), deviceFlushMs)
  const of = (chain: Digest, device: string): BrokerDevice => ({ uid: userIdOf(chain), dev: deviceIdOf(device) })
  const forget = (uid: string): void => {
    for (const [name, row] of known) if (row.uid === uid) known.delete(name)
  }
  return {
    find: async (device) => known.get(nameOf(device)) ?? read(database, device),
    async ofPerson(uid) {
      const rows = await database.rows(`SELECT ${columns} FROM devices WHERE uid = $1 ORDER BY dev`, [uid])
      return rows.map((row) => ({ ...rowOf(row), ...waiting.get(nameOf(rowOf(row))) }))
    },
    async noteVerified(chain, key, now) {
      const device = of(chain, key)
      const row = known.get(nameOf(device)) ?? (await read(database, device))
      if (row !== undefined && row.revokedSeq === undefined) return change(device, { verifiedAt: now })
      await database.transact((sql) =>
        sql.rows(
          `INSERT INTO devices (${columns}) VALUES ($1, $2, $3, $4, 0, $5, NULL, 0)
           ON CONFLICT (uid, dev) DO UPDATE SET verified_at = excluded.verified_at, revoked_seq = NULL`,
          [device.uid, device.dev, chain, key, now],
        ),
      )
      known.delete(nameOf(device))
    },
    async noteRevoked({ uid, dev }, seq) {
      await database.transact((sql) =>
        sql.rows("UPDATE devices SET revoked_seq = $3 WHERE uid = $1 AND dev = $2", [uid, dev, seq]),
      )
      known.delete(nameOf({ uid, dev }))
    },
    noteCursor: (device, cursor) => change(device, { cursor }),
    async resetCursors(uid) {
      for (const [name, { uid: owner, dev, cursor: _, ...rest }] of waiting) {
        if (owner === uid) waiting.set(name, { uid, dev, ...rest })
      }
      forget(uid)
      await database.transact((sql) => sql.rows("UPDATE devices SET cursor_seq = 0 WHERE uid = $1", [uid]))
    },
    async noteMissed(uid, { why, behind = Number.MAX_SAFE_INTEGER }) {
      // That it is full says more: who writes to two hears of it.
      const text = `UPDATE devices SET missed = $3 WHERE uid = $1 AND cursor_seq < $2 AND ${why === "full" ? "missed <> $3" : "missed = 0"}`
      // Before: what waits to be written must not make a device look further behind than it is.
      await flush()
      await database.transact((sql) => sql.rows(text, [uid, behind, reasons.indexOf(why)]))
      forget(uid)
    },
    async takeMissed({ uid, dev }) {
      const [row] = await database.rows("SELECT missed FROM devices WHERE uid = $1 AND dev = $2", [uid, dev])
      if (row === undefined || countOf(row["missed"]) === 0) return false
      await database.transact((sql) =>
        sql.rows("UPDATE devices SET missed = 0 WHERE uid = $1 AND dev = $2", [uid, dev]),
      )
      known.delete(nameOf({ uid, dev }))
      return true
    },
    flush,
    async stop() {
      clearInterval(timer)
      await flush().catch(onFault)
    },
  }
}

function rowOf(row: Row): DeviceRow {
  return {
    uid: textIn(row, "uid"),
    dev: textIn(row, "dev"),
    chain: textIn(row, "chain"),
    device: textIn(row, "device"),
    cursor: countOf(row["cursor_seq"]),
    verifiedAt: countOf(row["verified_at"]),
    revokedSeq: row["revoked_seq"] === null ? undefined : countOf(row["revoked_seq"]),
    missed: reasons[countOf(row["missed"])],
  }
}
