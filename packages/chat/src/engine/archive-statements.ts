/**
 * What stands in the clear in the archive: who the words are, what is sealed to each device, epochs. Each is a statement of the account, and judged as one.
 */
import { assertSignature, decodeEnvelope, envelopeDigest, KezError } from "@kez/core"
import { type ArchiveEpochDocument, decodeArchiveDocument, encodeArchiveDocument } from "../archive/archive-document.ts"
import type { ArchiveItem } from "../archive/archive-item.ts"
import {
  type ArchiveEpoch,
  assertArchiveAuthor,
  type Opener,
  openArchiveEpoch,
  publicArchiveKey,
} from "../archive/archive-keys.ts"
import { encodeText } from "../bytes.ts"
import { chainOf, standingNow } from "../chains.ts"
import { decodeCredential } from "../credential/device-credential.ts"
import { raise } from "./alarms.ts"
import { checkHeads } from "./archive-places.ts"
import { archiveKeyOf, type NewestEpochRow, newestEpoch, putEpoch } from "./archive-rows.ts"
import type { Desk } from "./desk.ts"
import { keys } from "./row.ts"
import type { Unit } from "./unit.ts"

/** Undefined: of a newer version, or nothing that could be. */
export interface ReadItem {
  readonly seq: number
  readonly item: ArchiveItem | undefined
}

/** Who the words are, what is sealed to a device, an epoch. Returns the epochs that it opened. */
export async function takeStatement(
  unit: Unit,
  desk: Desk,
  { seq, item }: ReadItem,
  openers: readonly Opener[],
): Promise<readonly ArchiveEpoch[]> {
  if (item === undefined || item.kind === "entry") return []
  try {
    if (item.kind === "key") await takeKey(unit, desk, item.data)
    if (item.kind === "credential") await takeCredential(unit, desk, item.data)
    return item.kind === "epoch" ? await takeEpoch(unit, desk, { seq, data: item.data }, openers) : []
  } catch (fault) {
    if (!(fault instanceof KezError)) throw fault
    await raise(unit, desk, { kind: "archive_refused", seq }, fault)
    return []
  }
}

export async function takeKey(unit: Unit, desk: Desk, data: Uint8Array): Promise<void> {
  const envelope = decodeEnvelope(data, "archive_key")
  assertSignature(envelope)
  const replay = chainOf((chain) => desk.known(chain), desk.chain)
  // Of a primary before: it was right then, and nothing is sealed to it any more.
  const { payload, signature } = envelope
  if (
    payload.chain === desk.chain &&
    signature.key !== replay.state.primary &&
    replay.everyPrimary.includes(signature.key)
  )
    return
  publicArchiveKey(envelope, replay)
  const before = await archiveKeyOf(unit)
  const isOlder = before?.signature.key === signature.key && before.payload.epoch >= payload.epoch
  if (!isOlder) unit.put(keys.archiveKey, null, data)
}

export async function takeCredential(unit: Unit, desk: Desk, data: Uint8Array): Promise<void> {
  const { chain, device } = decodeCredential(data)
  if (chain !== desk.chain) throw strange()
  assertListed(desk, device)
  unit.put(keys.archiveCredential(device), null, data)
}

export async function takeEpoch(
  unit: Unit,
  desk: Desk,
  { seq, data }: { readonly seq: number; readonly data: Uint8Array },
  openers: readonly Opener[],
): Promise<readonly ArchiveEpoch[]> {
  const document = decodeArchiveDocument(data)
  const replay = chainOf((chain) => desk.known(chain), desk.chain)
  assertArchiveAuthor(document, replay)
  const id = envelopeDigest(document.envelope)
  // One that a server puts behind newer ones once more is not the newest.
  if ((await unit.bytes(keys.archiveSeen(id))) === undefined) {
    unit.put(keys.archiveSeen(id), seq)
    const newest = await newestEpoch(unit)
    if (newest === undefined || seq > newest.seq) {
      const row: NewestEpochRow = { id, seq }
      unit.put(keys.archiveNewest, row, encodeText(encodeArchiveDocument(document)))
    }
  }
  return openDocument(unit, document, openers, replay)
}

async function openDocument(
  unit: Unit,
  document: ArchiveEpochDocument,
  openers: readonly Opener[],
  replay: Parameters<typeof openArchiveEpoch>[2],
): Promise<readonly ArchiveEpoch[]> {
  const opener = openers.find(({ to }) => document.keys.sealed.some((sealed) => sealed.to === to))
  if (opener === undefined) return []
  const opened = await openArchiveEpoch(document, opener, replay)
  for (const epoch of opened) if ((await unit.bytes(keys.archiveEpoch(epoch.id))) === undefined) putEpoch(unit, epoch)
  return opened
}

/** An epoch that is passed on the way says where each device stood when it was made. */
export async function passStatement(unit: Unit, desk: Desk, { item }: ReadItem): Promise<void> {
  if (item?.kind !== "epoch") return
  try {
    const document = decodeArchiveDocument(item.data)
    assertArchiveAuthor(
      document,
      chainOf((chain) => desk.known(chain), desk.chain),
    )
    await checkHeads(unit, desk, document)
  } catch (fault) {
    // Told already.
    if (!(fault instanceof KezError)) throw fault
  }
}

/** Throws `chat.archive` for a device that the account never had. */
export function assertListed(desk: Desk, device: string): void {
  if (
    standingNow(
      chainOf((chain) => desk.known(chain), desk.chain),
      device,
    ) === "unknown"
  )
    throw strange()
}

function strange(): KezError {
  return new KezError(
    "chat.archive",
    "Cannot use what stands in the archive: it is of a device that this account never had",
    {
      hint: "The server gave something else. It is shown nowhere.",
    },
  )
}
