/** What a page gives to `openEngine`: the ports that differ from Node's. */
export { type IndexedDbStoreOptions, openIndexedDbStore } from "../store/indexed-db.ts"
export type { SealKey } from "../store/seal.ts"
export { createPageTransport } from "../transport/page.ts"
export { createPageHttp, type PageHttpOptions } from "./http.ts"
