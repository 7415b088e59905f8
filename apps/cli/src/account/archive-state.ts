/** What is known of the account's archive without a passphrase, and without asking anybody: its key in the record, and what the last chat found. */
import { join } from "node:path"
import type { ArchiveState } from "@kez/chat"
import { decodeEnvelope, type Envelope, formatTime, KezError } from "@kez/core"
import type { Context } from "../context.ts"
import { replaceFile, tryReadFile } from "../keys/durable-file.ts"
import type { Paths } from "../paths.ts"
import { type AccountRecord, folderOf } from "./records.ts"

/** `unknown`: there is a key, and no chat was online since. */
export interface KnownArchive {
  readonly state: "on" | "off" | "closed" | "unknown"
  readonly reason: string | undefined
}

const fileName = "archive.json"
const noKey =
  "Your account has no archive key that its primary in force signed. Your words make one: kez account archive."

/** The statement in a record; undefined where there is none, or none that can be read. */
export function archiveKeyOf({ archive_key: text }: AccountRecord): Envelope<"archive_key"> | undefined {
  if (text === undefined) return undefined
  try {
    return decodeEnvelope(text, "archive_key")
  } catch (error) {
    if (error instanceof KezError) return undefined
    throw error
  }
}

/** Whether a record has one of this primary. */
export function hasArchiveKey(record: AccountRecord, primary: string | undefined): boolean {
  return primary !== undefined && archiveKeyOf(record)?.signature.key === primary
}

/** `waiting` and `restoring` pass. */
export function noteArchive(context: Context, record: AccountRecord, archive: ArchiveState): void {
  const { kind } = archive
  if (kind === "waiting" || kind === "restoring") return
  const reason = "reason" in archive ? archive.reason : undefined
  const before = read(context.paths, record)
  if (before?.state === kind && before.reason === reason) return
  const noted = { state: kind, ...(reason === undefined ? {} : { reason }), since: formatTime(context.now()) }
  replaceFile(pathOf(context.paths, record), `${JSON.stringify(noted, undefined, 2)}\n`)
}

/** `primary`: the one in force, as far as it is known here. */
export function knownArchive(paths: Paths, record: AccountRecord, primary = record.primary): KnownArchive {
  if (record.state === "creating") return { state: "unknown", reason: undefined }
  const noted = read(paths, record)
  const hasKey = hasArchiveKey(record, primary)
  if (noted === undefined || (noted.state === "off" && hasKey)) {
    return hasKey ? { state: "unknown", reason: undefined } : { state: "off", reason: noKey }
  }
  return noted
}

/** What a device that goes takes with it, and what a new one of the same words has. */
export function whatComesBack(paths: Paths, record: AccountRecord): string {
  return knownArchive(paths, record).state === "on"
    ? "Its messages come back out of your archive, but for what it could not put there yet."
    : "What only this device has read is lost then: no archive of it is known here."
}

function read(paths: Paths, record: AccountRecord): KnownArchive | undefined {
  try {
    const { state, reason } = JSON.parse(tryReadFile(pathOf(paths, record)) ?? "")
    if (state !== "on" && state !== "off" && state !== "closed") return undefined
    return { state, reason: typeof reason === "string" ? reason : undefined }
  } catch {
    return undefined
  }
}

function pathOf(paths: Paths, record: AccountRecord): string {
  return join(folderOf(paths, record), fileName)
}
