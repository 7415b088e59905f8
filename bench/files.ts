/**
 * A file from one process to another, from disk to disk: kez-iroh against a plain TCP copy, against croc with a relay of its own, and beside b3sum,
 * in turn on loopback; the most memory; the time to the first byte.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startCrocRelay } from "./files/croc.ts"
import { crocRows, irohRows, memoryRow } from "./files/figures.ts"
import { copyByIroh } from "./files/iroh.ts"
import { mib, noRoom, writeNoise } from "./files/noise.ts"
import { findPrograms, type Programs } from "./files/programs.ts"
import { type Round, runRound } from "./files/round.ts"
import { notMeasured, type Row } from "./measure.ts"

export interface FilesSize {
  readonly sizeMib: number
  /** Rounds that count; one more before them does not. */
  readonly rounds: number
  /** A file that is moved once, for its memory alone. */
  readonly hugeMib?: number
}

export const shortFiles: FilesSize = { sizeMib: 64, rounds: 3 }
export const usualFiles: FilesSize = { sizeMib: 1024, rounds: 7 }
export const largeFiles: FilesSize = { ...usualFiles, hugeMib: 10 * 1024 }

export async function fileRows(size: FilesSize): Promise<readonly Row[]> {
  const programs = findPrograms()
  if (programs.iroh === undefined) return [notMeasured("files", "kez-iroh is missing (sh scripts/iroh.sh builds it)")]
  const folder = mkdtempSync(join(tmpdir(), "kez-bench-files-"))
  try {
    const huge = size.hugeMib === undefined ? [] : [await hugeRow(programs.iroh, folder, size.hugeMib)]
    return [...(await roundsOf(programs, programs.iroh, { folder, ...size })), ...huge]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function roundsOf(
  programs: Programs,
  iroh: string,
  { folder, sizeMib, rounds }: FilesSize & { readonly folder: string },
): Promise<readonly Row[]> {
  const what = `files: ${sizeMib} MiB`
  const full = noRoom(folder, 2 * sizeMib)
  if (full !== undefined) return [notMeasured(what, full)]
  const source = join(folder, "source.bin")
  writeNoise(source, sizeMib, 1)
  const relay = programs.croc === undefined ? undefined : await startCrocRelay(programs.croc, folder)
  try {
    const measured: Round[] = []
    for (let at = 0; at <= rounds; at += 1)
      measured.push(await runRound({ programs: { ...programs, iroh }, relay, folder, source }))
    const counted = { sizeMib, rounds: measured.slice(1) }
    return [...irohRows(counted), ...crocRows(counted), memoryRow(sizeMib, measured)]
  } finally {
    relay?.stop()
    rmSync(source)
  }
}

/** Too long for rounds, and its memory is what may grow. */
async function hugeRow(iroh: string, folder: string, sizeMib: number): Promise<Row> {
  const full = noRoom(folder, 2 * sizeMib)
  if (full !== undefined) return notMeasured(`files: most memory for ${sizeMib} MiB`, full)
  const [source, place] = [join(folder, "huge.bin"), join(folder, "huge")]
  mkdirSync(join(place, "in"), { recursive: true })
  writeNoise(source, sizeMib, 2)
  const copy = await copyByIroh(iroh, source, place)
  if (statSync(join(place, "in/huge.bin")).size !== sizeMib * mib) throw new Error("the huge file came as another")
  rmSync(place, { recursive: true })
  rmSync(source)
  return memoryRow(sizeMib, [{ iroh: copy }])
}
