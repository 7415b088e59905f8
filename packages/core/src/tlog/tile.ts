/** Tiles: the hashes and the leaves of a log in pieces that never change, at paths that every reader knows. https://c2sp.org/tlog-tiles */
import { KezError } from "../error.ts"

/** Hashes of a full tile, and leaves of a full bundle. */
export const tileWidth = 256
/** Levels of the tree between the bottom hashes of two levels of tiles. */
export const tileHeight = 8
/** Of one leaf: its length is told in two bytes. */
export const maxLeafBytes = 65_535

export interface Tile {
  /** 0 is the level of leaf hashes; `entries` are the leaves themselves. */
  readonly level: number | "entries"
  readonly index: number
  /** How many hashes or leaves; below 256 only for the last tile of its level. */
  readonly width: number
}

const maxIndex = 2 ** 48
const pathForm = /^tile\/(entries|[0-9]|[1-5][0-9]|6[0-3])\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/

/** `tile/0/x001/x234/067`, and `.p/5` behind it for the first 5. */
export function formatTilePath({ level, index, width }: Tile): string {
  const digits = String(index)
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/.{3}/g) ?? []
  const name = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join("/")
  return `tile/${level}/${name}${width === tileWidth ? "" : `.p/${width}`}`
}

/** Undefined for what `formatTilePath` would not write. */
export function tryParseTilePath(path: string): Tile | undefined {
  const [, level, name = "", partial] = path.length > 80 ? [] : (pathForm.exec(path) ?? [])
  if (level === undefined) return undefined
  const tile = {
    level: level === "entries" ? level : Number(level),
    index: Number(name.replaceAll(/[x/]/g, "")),
    width: partial === undefined ? tileWidth : Number(partial),
  } as const
  const isFit = tile.index < maxIndex && (partial === undefined || tile.width < tileWidth)
  return isFit && formatTilePath(tile) === path ? tile : undefined
}

/** Whether a tree of `size` leaves has all of this tile. */
export function hasTile(size: number, { level, index, width }: Tile): boolean {
  const available = Math.floor(size / 2 ** (level === "entries" ? 0 : level * tileHeight))
  return index * tileWidth + width <= available
}

/** The bundles that hold the leaves from `start` up to `end`, as a tree of `size` leaves has them. */
export function bundlesOf(
  { start, end }: { readonly start: number; readonly end: number },
  size: number,
): readonly Tile[] {
  const bundles: Tile[] = []
  for (let index = Math.floor(start / tileWidth); index * tileWidth < end; index++) {
    bundles.push({ level: "entries", index, width: Math.min(tileWidth, size - index * tileWidth) })
  }
  return bundles
}

/** Leaves one after another, each behind its length in two bytes, big-endian. */
export function encodeBundle(leaves: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(leaves.reduce((sum, leaf) => sum + 2 + leaf.length, 0))
  let at = 0
  for (const leaf of leaves) {
    if (leaf.length > maxLeafBytes)
      throw new KezError("limit.size", `Cannot write the leaf: expected at most ${maxLeafBytes} bytes`)
    bytes[at] = leaf.length >> 8
    bytes[at + 1] = leaf.length & 0xff
    bytes.set(leaf, at + 2)
    at += 2 + leaf.length
  }
  return bytes
}

/** Exactly `width` leaves. Throws `directory.proof` for other bytes. */
export function decodeBundle(bytes: Uint8Array, width: number): readonly Uint8Array[] {
  const leaves: Uint8Array[] = []
  let at = 0
  while (at < bytes.length && leaves.length < width) {
    const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
    leaves.push(bytes.slice(at + 2, at + 2 + length))
    at += 2 + length
  }
  if (at === bytes.length && leaves.length === width) return leaves
  throw new KezError("directory.proof", `Cannot read the leaves: expected exactly ${width}`)
}
