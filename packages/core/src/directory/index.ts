/** The handle directory of a chat server, as the server and its readers judge it. Each name is listed by hand. */
export { didKeyOf } from "./did-key.ts"
export { isReservedHandle, parseHandle, skeletonOf } from "./handle.ts"
export {
  type DirectoryKind,
  type DirectoryStatement,
  decodeLeaf,
  directoryOrigin,
  encodeLeaf,
  hashOfStatement,
} from "./leaf.ts"
export {
  consistencyNeeded,
  type HandleState,
  judgeLookUp,
  type LookUp,
  type LookUpRequest,
  maxLookUpBytes,
} from "./look-up.ts"
export {
  advance,
  type DirectoryMemory,
  keyOf,
  lastSeen,
  type NewCheckpoint,
  rememberDirectory,
  type SeenHandle,
} from "./memory.ts"
export { type FoundLeaf, type Watch, type WatchRequest, watchOwnHandle } from "./own-handle.ts"
