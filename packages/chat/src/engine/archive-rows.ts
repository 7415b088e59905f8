/** The archive as this device keeps it: what is still to be written, the keys of its epochs, how far it was read. */
import type { Digest, Envelope } from "@kez/core"
import { decodeEnvelope } from "@kez/core"
import { type ArchiveEpochDocument, decodeArchiveDocument } from "../archive/archive-document.ts"
import type { ArchiveEpoch } from "../archive/archive-keys.ts"
import { type DeviceCredential, decodeCredential } from "../credential/device-credential.ts"
import type { Desk } from "./desk.ts"
import { decodeRow, keys } from "./row.ts"
import type { Unit } from "./unit.ts"

/** What is to be written: where it stands, so that it is written as it is by then. */
export type ArchiveRef =
  | { readonly kind: "message"; readonly thread: Digest; readonly id: Digest }
  | { readonly kind: "note"; readonly thread: Digest; readonly about: Digest; readonly id: Digest }
  | { readonly kind: "contact"; readonly chain: Digest }

export interface ArchiveRow {
  /** The server's place up to which all was taken in. */
  readonly read: number
  /** The same for all but entries: keys of entries may come behind them. */
  readonly scanned: number
  readonly nextRef: number
  /** It was read to its end once. */
  readonly isRestored: boolean
  /** Of the last epoch that was passed while reading: who could write under it, and where those stood who cannot any more. */
  readonly passed?: {
    readonly sealedTo: readonly string[]
    readonly heads: Readonly<Record<string, number>>
  }
}

/** Behind it stands the document. */
export interface NewestEpochRow {
  readonly id: Digest
  /** The server's place of it. */
  readonly seq: number
}

/** Behind it stands the item, as it goes out until the server has it. */
export interface ArchivePendingRow {
  readonly number: number
  readonly prev?: Digest
  readonly entry: Digest
}

const begun: ArchiveRow = { read: 0, scanned: 0, nextRef: 0, isRestored: false }

export async function archiveRow(unit: Unit): Promise<ArchiveRow> {
  return (await unit.get<ArchiveRow>(keys.archive)) ?? begun
}

/** In the step that changes what it names. */
export async function archiveLater(unit: Unit, desk: Desk, ref: ArchiveRef): Promise<void> {
  const row = await archiveRow(unit)
  unit.put(keys.archiveQueue(row.nextRef), ref)
  unit.put(keys.archive, { ...row, nextRef: row.nextRef + 1 } satisfies ArchiveRow)
  unit.afterwards(() => desk.wakeArchive())
}

/** What the members of a conversation agreed on. */
export async function isArchived(desk: Desk, group: Digest): Promise<boolean> {
  return (await desk.ciphers.of(group)).state.policy.archive === "on"
}

export function putEpoch(unit: Unit, { id, epoch, key }: ArchiveEpoch): void {
  unit.put(keys.archiveEpoch(id), { id, epoch }, key)
}

export async function epochsOf(unit: Unit): Promise<readonly ArchiveEpoch[]> {
  return (await unit.rows(keys.archiveEpochs)).map(({ value }) => {
    const { value: row, bytes } = decodeRow<{ readonly id: Digest; readonly epoch: number }>(value)
    return { ...row, key: bytes }
  })
}

export interface NewestEpoch extends NewestEpochRow {
  readonly document: ArchiveEpochDocument
}

export async function newestEpoch(unit: Unit): Promise<NewestEpoch | undefined> {
  const row = await unit.row<NewestEpochRow>(keys.archiveNewest)
  return row === undefined ? undefined : { ...row.value, document: decodeArchiveDocument(row.bytes) }
}

export async function archiveKeyOf(unit: Unit): Promise<Envelope<"archive_key"> | undefined> {
  const row = await unit.row<null>(keys.archiveKey)
  return row === undefined ? undefined : decodeEnvelope(row.bytes, "archive_key")
}

export async function credentialsOf(unit: Unit): Promise<readonly DeviceCredential[]> {
  return (await unit.rows(keys.archiveCredentials)).map(({ value }) => decodeCredential(decodeRow<null>(value).bytes))
}
