/** Files to move: bytes that neither compress nor leave holes, made faster than a disk takes them. */
import { createCipheriv } from "node:crypto"
import { closeSync, openSync, statfsSync, writeSync } from "node:fs"

export const mib = 1024 * 1024
const chunkMib = 4
const marginMib = 1024

/** AES-CTR of zeros: the same for the same seed. */
export function writeNoise(path: string, sizeMib: number, seed: number): void {
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, seed), Buffer.alloc(16))
  const zeros = Buffer.alloc(chunkMib * mib)
  const file = openSync(path, "w")
  try {
    for (let left = sizeMib; left > 0; left -= chunkMib)
      writeSync(file, cipher.update(left < chunkMib ? zeros.subarray(0, left * mib) : zeros))
  } finally {
    closeSync(file)
  }
}

/** Why `sizeMib` cannot be written in `folder`, or undefined. */
export function noRoom(folder: string, sizeMib: number): string | undefined {
  const { bavail, bsize } = statfsSync(folder)
  const freeMib = Math.floor((bavail * bsize) / mib)
  if (freeMib >= sizeMib + marginMib) return undefined
  return `${sizeMib + marginMib} MiB of free disk are needed in ${folder}, there are ${freeMib} (TMPDIR names another folder)`
}
