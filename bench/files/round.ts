/** One round: the same file by each program in turn, so that a busy machine slows all. Each has to bring it equal. */
import { spawnSync } from "node:child_process"
import { mkdirSync, rmSync } from "node:fs"
import { basename, join } from "node:path"
import { performance } from "node:perf_hooks"
import { type CrocCopy, type CrocRelay, copyByCroc } from "./croc.ts"
import { copyByIroh, type IrohCopy } from "./iroh.ts"
import type { Programs } from "./programs.ts"
import { copyByTcp, type TcpCopy } from "./tcp.ts"

export interface Round {
  readonly tcp: TcpCopy
  readonly iroh: IrohCopy
  readonly croc: CrocCopy | undefined
  readonly b3sumMs: number | undefined
}

export interface RoundPlan {
  readonly programs: Programs & { readonly iroh: string }
  readonly relay: CrocRelay | undefined
  readonly folder: string
  readonly source: string
}

export async function runRound({ programs, relay, folder, source }: RoundPlan): Promise<Round> {
  const { iroh, croc, b3sum } = programs
  const inPlace = async <T>(copy: (place: string) => Promise<T>): Promise<T> => {
    const place = join(folder, "round")
    const into = join(place, "in")
    mkdirSync(into, { recursive: true })
    try {
      const copied = await copy(place)
      if (!isEqual(source, join(into, basename(source)))) throw new Error("a copy is not equal")
      return copied
    } finally {
      // Its bytes are not to be written to the disk while the next one is measured.
      rmSync(place, { recursive: true })
    }
  }
  return {
    tcp: await inPlace((place) => copyByTcp(source, join(place, "in", basename(source)))),
    iroh: await inPlace((place) => copyByIroh(iroh, source, place)),
    croc:
      croc === undefined || relay === undefined
        ? undefined
        : await twice(() => inPlace((place) => copyByCroc(croc, relay, { source, folder: place }))),
    b3sumMs: b3sum === undefined ? undefined : hashOnce(b3sum, source),
  }
}

/** A fault of the other program, which is not ours to find, does not end a long run. */
async function twice<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    console.error(`kez: once more: ${error instanceof Error ? error.message : String(error)}`)
    return run()
  }
}

function hashOnce(program: string, source: string): number {
  const began = performance.now()
  const { status, stderr } = spawnSync(program, ["--num-threads", "1", source], { encoding: "utf8" })
  if (status !== 0) throw new Error(`b3sum did not hash: ${stderr}`)
  return performance.now() - began
}

function isEqual(a: string, b: string): boolean {
  return spawnSync("cmp", ["-s", a, b]).status === 0
}
