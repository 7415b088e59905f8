/** All that a page needs of the engine: measured, and looked through for what is Node's own. */
export { openEngine } from "@kez/chat"
export { createPageHttp, createPageTransport, openIndexedDbStore } from "@kez/chat/page"
