/** Growing a tree leaf by leaf with nothing but the subtrees at its right edge: how a reader of all leaves checks a root. */
import { joinSubtrees, nodeHash } from "./tree.ts"

/** One hash for each bit that is set in `size`, the largest subtree first. */
export interface Frontier {
  readonly size: number
  readonly hashes: readonly Uint8Array[]
}

export const emptyFrontier: Frontier = { size: 0, hashes: [] }

export function growFrontier({ size, hashes }: Frontier, leaf: Uint8Array): Frontier {
  const grown = [...hashes]
  let last = leaf
  for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) {
    const left = grown.pop()
    if (left === undefined) throw new Error("unreachable: a frontier has a hash for each bit of its size")
    last = nodeHash(left, last)
  }
  return { size: size + 1, hashes: [...grown, last] }
}

export function rootOfFrontier({ hashes }: Frontier): Uint8Array {
  return joinSubtrees(hashes)
}
