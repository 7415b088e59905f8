/**
 * The format of backups, one for every kind of storage: JSONL. A header, then chain by chain its events and its heads, then a
 * trailer with how many there were and the SHA-256 of every byte before it. Ordered by chain, so that whoever restores needs the
 * memory of one chain.
 */
import { KezError, limits } from "@kez/core"

export const backupFormat = "kez-sig-server backup"
export const backupVersion = 1
/** An envelope and what stands around it. */
export const maxBackupLineBytes = limits.maxEnvelopeBytes + 256

export interface BackupHeader {
  /** The last event that counts: one state of the whole store, however long the backup took. */
  readonly cursor: number
  /** Unix seconds. */
  readonly takenAt: number
}

export interface BackupTrailer {
  readonly events: number
  readonly heads: number
  readonly sha256: string
}

export type BackupLine =
  | { readonly is: "event"; readonly cursor: number; readonly storedAt: number; readonly text: string }
  | { readonly is: "head"; readonly text: string }
  | ({ readonly is: "trailer" } & BackupTrailer)

export function formatHeader({ cursor, takenAt }: BackupHeader): string {
  return `{"cursor":${cursor},"format":"${backupFormat}","taken_at":${takenAt},"version":${backupVersion}}\n`
}

export function formatEventLine(event: {
  readonly cursor: number
  readonly storedAt: number
  readonly text: string
}): string {
  return `{"cursor":${event.cursor},"event":${event.text},"stored_at":${event.storedAt}}\n`
}

export function formatHeadLine(text: string): string {
  return `{"head":${text}}\n`
}

export function formatTrailer({ events, heads, sha256 }: BackupTrailer): string {
  return `{"events":${events},"heads":${heads},"sha256":"${sha256}"}\n`
}

const headerShape =
  /^\{"cursor":(\d{1,15}),"format":"kez-sig-server backup","taken_at":(\d{1,15}),"version":(\d{1,4})\}$/
const eventShape = /^\{"cursor":([1-9]\d{0,14}),"event":(\{.+\}),"stored_at":(\d{1,15})\}$/
const headShape = /^\{"head":(\{.+\})\}$/
const trailerShape = /^\{"events":(\d{1,15}),"heads":(\d{1,15}),"sha256":"([0-9a-f]{64})"\}$/

/** Throws `store.unknown` for what is no backup, `store.newer` for one of a later version. */
export function parseHeader(line: string): BackupHeader {
  const [, cursor, takenAt, version] = headerShape.exec(line) ?? []
  if (version === undefined) {
    throw new KezError("store.unknown", "Cannot read the backup: expected a file that kez-sig-server backup wrote")
  }
  if (Number(version) > backupVersion) {
    throw new KezError("store.newer", `Cannot read the backup: expected version ${backupVersion}, got ${version}`, {
      hint: "A later version of kez-sig-server wrote it. Update this one.",
    })
  }
  return { cursor: Number(cursor), takenAt: Number(takenAt) }
}

/** Undefined: none of the lines that follow a header. The envelopes in it are not looked at. */
export function parseBackupLine(line: string): BackupLine | undefined {
  const [, cursor, text, storedAt] = eventShape.exec(line) ?? []
  if (text !== undefined) return { is: "event", cursor: Number(cursor), text, storedAt: Number(storedAt) }
  const [, head] = headShape.exec(line) ?? []
  if (head !== undefined) return { is: "head", text: head }
  const [, events, heads, sha256] = trailerShape.exec(line) ?? []
  if (sha256 !== undefined) return { is: "trailer", events: Number(events), heads: Number(heads), sha256 }
  return undefined
}
