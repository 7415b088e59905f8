import { prepareBackend } from "@kez/core"
import { chatServerRows } from "./chat-servers.ts"
await prepareBackend()
const t=performance.now()
console.log(await chatServerRows(JSON.parse(process.argv[2]??"{}")), performance.now()-t)
