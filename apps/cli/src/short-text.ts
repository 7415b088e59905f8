/** Keys and digests cut to what an eye can compare, and other small pieces of text. The whole value always stands nearby. */
import { formatTime } from "@kez/core"

/** `ed25519:9f2c1a…d3e1`. */
export function shortKey(key: string): string {
  const colon = key.indexOf(":")
  const value = key.slice(colon + 1)
  const start = key.startsWith("nostr:npub1") ? 11 : 8
  return value.length <= start + 5 ? key : `${key.slice(0, colon + 1)}${value.slice(0, start)}…${value.slice(-4)}`
}

/** `sha256:41ab09c2…`. */
export function shortDigest(digest: string): string {
  return `${digest.slice(0, 15)}…`
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`
}

/** `2026-01-01 12:00:00 UTC`. */
export function timeText(unixSeconds: number): string {
  return formatTime(unixSeconds).replace("T", " ").replace("Z", " UTC")
}

/** `20 s`, `56 min`, `3 h`: rounded up, so that nobody comes back too early. */
export function durationText(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} s`
  return seconds < 5_400 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds / 3_600)} h`
}

/** Columns that stand under each other; the last one is as long as it likes. */
export function columns(rows: ReadonlyArray<readonly string[]>, indent = ""): string {
  const widths = rows.reduce<number[]>((widest, row) => row.map((cell, i) => Math.max(cell.length, widest[i] ?? 0)), [])
  return rows
    .map(
      (row) =>
        indent +
        row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join("  ")
          .trimEnd(),
    )
    .join("\n")
}
