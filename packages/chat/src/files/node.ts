/** The files part as it runs in Node. Browsers have no such process beside them. */
export { type IrohOptions, startIroh } from "./iroh-process.ts"
export { createNodeDisk } from "./node-disk.ts"
