/** The own list: signed and written to the disk, where the mover finds it. SPEC §2.4 */
import { anchorOf, type Digest, digestOf, envelopeDigest, formatEnvelope, formatHex, KezError } from "@kez/core"
import { encodeText } from "../bytes.ts"
import { type Listed, rootDocument, sealSections } from "./own-list.ts"
import { type Blob, type OwnRow, shareKeys } from "./share-rows.ts"
import type { FilePorts } from "./transfer.ts"

export async function signList(
  ports: FilePorts,
  before: OwnRow | undefined,
  { sections: listed, fingerprint }: { readonly sections: readonly Listed[]; readonly fingerprint: Digest },
): Promise<OwnRow> {
  const { engine, disk } = ports
  const seq = before === undefined ? 0 : before.seq + 1
  const sealed = sealSections(engine.chain, listed)
  const sections = []
  for (const [at, { audience, key, pages }] of sealed.entries()) {
    const blobs: Blob[] = []
    for (const [n, page] of pages.entries()) blobs.push(await writeBlob(ports, `own-${seq}-${at}-${n}.bin`, page))
    sections.push({ audience, key: formatHex(key), pages: blobs })
  }
  const bytes = rootDocument(sections)
  const root = await writeBlob(ports, `own-${seq}-root.json`, bytes)
  const prev = before === undefined ? {} : { prev: before.digest }
  const manifest = await engine.signManifest({ seq, ...prev, root: digestOf(bytes), size: bytes.length })
  const [text, digest] = [formatEnvelope(manifest), envelopeDigest(manifest)]
  const own: OwnRow = { seq, digest, text, root, sections, fingerprint }
  await engine.shelf.put(shareKeys.manifest(digest), text)
  // Kept before anybody hears of it: two of one number would contradict each other for ever.
  await engine.shelf.put(shareKeys.own, own)
  for (const { file } of before === undefined ? [] : blobsOf(before)) await disk.removeList(file)
  return own
}

async function writeBlob({ mover, disk }: FilePorts, file: string, bytes: Uint8Array): Promise<Blob> {
  const [blob] = (await mover.import([await disk.writeList(file, bytes)])).files
  if (blob === undefined) throw new Error("a file that was just written")
  return { file, hash: blob.hash, size: bytes.length }
}

/** Whether its own files still lie here as they were. */
export async function hasBlobs({ mover, disk }: FilePorts, own: OwnRow): Promise<boolean> {
  try {
    const blobs = blobsOf(own)
    const { files } = await mover.import(blobs.map(({ file }) => disk.join(disk.lists, file)))
    const hashes = new Set(files.map(({ hash }) => hash))
    return blobs.every(({ hash }) => hashes.has(hash))
  } catch (error) {
    if (error instanceof KezError) return false
    throw error
  }
}

/** What is told of it: its manifest, and beside it the one that the chain names, where that is another. */
export async function statementOf({ engine }: FilePorts, own: OwnRow | undefined): Promise<Uint8Array> {
  if (own === undefined) return new Uint8Array()
  const replay = await engine.chainOf(engine.chain)
  const anchor = replay === undefined ? undefined : anchorOf(replay, engine.device)?.manifest
  const isOther = anchor !== undefined && anchor !== own.digest
  const named = isOther ? await engine.shelf.get<string>(shareKeys.manifest(anchor)) : undefined
  return encodeText([own.text, ...(named === undefined ? [] : [named])].join("\n"))
}

function blobsOf({ root, sections }: OwnRow): readonly Blob[] {
  return [root, ...sections.flatMap(({ pages }) => pages)]
}
