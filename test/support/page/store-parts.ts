/** What the page of stores is made of, by path: a test's own suite is no part of a package. */

export { openIndexedDbStore } from "../../../packages/chat/src/store/indexed-db.ts"
export { type EngineStore, under } from "../../../packages/chat/src/store/store.ts"
export { durableCases, storeCases } from "../../../packages/chat/test/support/store-suite.ts"
export { KezError } from "../../../packages/core/src/index.ts"
