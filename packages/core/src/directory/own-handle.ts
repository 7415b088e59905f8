/** How an owner watches a directory: all leaves since the last look, of which none may be about the own handle unless known. SPEC §7.8. */
import { envelopeDigest } from "../envelope/envelope.ts"
import { KezError } from "../error.ts"
import { openCheckpoint } from "../tlog/checkpoint.ts"
import { type Frontier, growFrontier, rootOfFrontier } from "../tlog/frontier.ts"
import { isSame } from "../tlog/proof.ts"
import { leafHash } from "../tlog/tree.ts"
import { skeletonOf } from "./handle.ts"
import { type DirectoryStatement, decodeLeaf } from "./leaf.ts"
import { type DirectoryMemory, keyOf } from "./memory.ts"

export interface WatchRequest {
  readonly memory: DirectoryMemory
  /** Of all leaves that were read so far; `emptyFrontier` at first. */
  readonly frontier: Frontier
  /** Leaves from there to the size of the checkpoint, as the bundles have them. */
  readonly leaves: readonly Uint8Array[]
  /** Signed. */
  readonly checkpoint: string
  readonly handle: string
  /** Digests of the statements that the owner has signed. */
  readonly known: ReadonlySet<string>
}

export interface FoundLeaf {
  readonly index: number
  readonly statement: DirectoryStatement
}

export interface Watch {
  readonly frontier: Frontier
  /** All about the handle. */
  readonly own: readonly FoundLeaf[]
  /** Those of them that the owner did not sign: somebody else, or somebody with a key of the owner. An alarm. */
  readonly strange: readonly FoundLeaf[]
  /** Handles that read like the own one, which the server must never give out. */
  readonly lookalikes: readonly FoundLeaf[]
}

/** Throws `directory.split` when the leaves are not those of the signed root, and `directory.proof` when they are too few or too many. */
export function watchOwnHandle(request: WatchRequest): Watch {
  const { memory, handle, known, leaves } = request
  const { size, root } = openCheckpoint(request.checkpoint, keyOf(memory.host, memory.key))
  if (request.frontier.size + leaves.length !== size) {
    throw new KezError(
      "directory.proof",
      `Cannot check the log: expected ${size - request.frontier.size} leaves, got ${leaves.length}`,
    )
  }
  const frontier = leaves.reduce((grown, leaf) => growFrontier(grown, leafHash(leaf)), request.frontier)
  if (!isSame(rootOfFrontier(frontier), root)) {
    throw new KezError("directory.split", `Cannot trust ${memory.host}: its leaves are not those of its checkpoint`)
  }
  const found = leaves.map((leaf, at) => ({ index: request.frontier.size + at, statement: decodeLeaf(leaf) }))
  const own = found.filter(({ statement }) => namesOf(statement).includes(handle))
  return {
    frontier,
    own,
    strange: own.filter(({ statement }) => !known.has(envelopeDigest(statement))),
    lookalikes: found.filter(({ statement }) => isLookalike(statement, handle)),
  }
}

function namesOf({ payload }: DirectoryStatement): readonly string[] {
  return payload.type === "kez.chat.handle_move" ? [payload.handle, payload.new_handle] : [payload.handle]
}

function isLookalike({ payload }: DirectoryStatement, handle: string): boolean {
  return (
    payload.type === "kez.chat.handle_registration" &&
    payload.handle !== handle &&
    skeletonOf(payload.handle) === skeletonOf(handle)
  )
}
