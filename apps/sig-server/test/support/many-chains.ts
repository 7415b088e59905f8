/** `node many-chains.ts FILE COUNT`: so many new chains into a SQLite file; reports what memory that took. */
import { envelopeDigest, formatEnvelope } from "@kez/core"
import { add, now } from "../../../../packages/core/test/support/chains.ts"
import { keyNamed } from "../../../../packages/core/test/support/keys.ts"
import { createChainService } from "../../src/chains/service.ts"
import { openSqlite } from "../../src/storage/sqlite.ts"

const [path = "", count = "0"] = process.argv.slice(2)
const owner = keyNamed("owner")
const storage = openSqlite({ path, now: () => now })
const service = createChainService({ storage, now: () => now })
let made = 0

async function lane(): Promise<void> {
  while (made < Number(count)) {
    const first = add(undefined, `dns:c${made++}.example`, owner)
    await service.append(envelopeDigest(first), formatEnvelope(first))
  }
}

await Promise.all(Array.from({ length: 64 }, lane))
const { events } = await storage.counts()
await service.close()
await storage.close()
console.log(JSON.stringify({ events, rssBytes: process.memoryUsage().rss }))
