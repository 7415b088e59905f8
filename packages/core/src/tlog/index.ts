/** Transparency logs in the C2SP formats, for a server and for its readers. Each name is listed by hand. */
export { encodeBase64, tryDecodeBase64 } from "./base64.ts"
export { type Checkpoint, openCheckpoint, signCheckpoint } from "./checkpoint.ts"
export { emptyFrontier, type Frontier, growFrontier, rootOfFrontier } from "./frontier.ts"
export {
  createNoteSigner,
  formatNoteKey,
  maxNoteBytes,
  type NoteKey,
  type NoteSigner,
  openNote,
  parseNoteKey,
  signNote,
} from "./note.ts"
export { type ConsistencyProof, type InclusionProof, isConsistent, isIncluded } from "./proof.ts"
export { formatProofText, maxProofHashes, type ProofText, parseProofText } from "./proof-text.ts"
export {
  bundlesOf,
  decodeBundle,
  encodeBundle,
  formatTilePath,
  hasTile,
  maxLeafBytes,
  type Tile,
  tileHeight,
  tileWidth,
  tryParseTilePath,
} from "./tile.ts"
export {
  completedBy,
  consistencyRanges,
  emptyRoot,
  hashBytes,
  inclusionRanges,
  joinSubtrees,
  leafHash,
  nodeHash,
  type Range,
  type Subtree,
  subtreesOf,
} from "./tree.ts"
