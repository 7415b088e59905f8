/** Finds public test vectors (Wycheproof, BIP-340, RFC 8785 and others), which live outside this repository. */
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"

const ROOT = join(import.meta.dirname, "../..")

/** The full path of a file or folder of vectors, as in `publicVectors("bip-0340/test-vectors.csv")`. */
export function publicVectors(path: string): string | undefined {
  const full = join(resolve(ROOT, process.env["KEZ_PUBLIC_VECTORS"] || "../shared/vectors"), path)
  return existsSync(full) ? full : undefined
}

/** For `{ skip: skipWithoutVectors("bip-0340") }`: false, or the reason. Such a skip never fails a run. */
export function skipWithoutVectors(path: string): false | string {
  if (publicVectors(path) !== undefined) return false
  return `missing vectors: ${path} (KEZ_PUBLIC_VECTORS names the folder)`
}
