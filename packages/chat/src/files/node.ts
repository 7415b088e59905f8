/** The files part as it runs in Node. Browsers have no such process beside them. */
export { type IrohPackage, irohPackages, irohPackagesFor, mainIrohPackage } from "./iroh-packages.ts"
export { type IrohOptions, startIroh } from "./iroh-process.ts"
export { findIrohProgram, type IrohProgram, type IrohSearch, type IrohSearchResult } from "./iroh-program.ts"
export { createNodeDisk } from "./node-disk.ts"
