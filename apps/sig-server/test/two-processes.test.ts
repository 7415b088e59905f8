/** Two processes on one SQLite file, as while one takes over from the other: neither serves what the other has outdated. */
import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { envelopeDigest, formatEnvelope } from "@kez/core"
import { add, now, revoke } from "../../../packages/core/test/support/chains.ts"
import { keyNamed } from "../../../packages/core/test/support/keys.ts"
import type { LookUp } from "../src/chain-service.ts"
import { createChainService } from "../src/chains/service.ts"
import { createRecentViews } from "../src/recent-views.ts"
import { openSqlite } from "../src/storage/sqlite.ts"

const owner = keyNamed("owner")
const e0 = add(undefined, "dns:a.example", owner)
const e1 = revoke(e0, "dns:a.example", owner)
const chain = envelopeDigest(e0)

const sizeOf = (found: LookUp): number => (found.status === "found" ? found.view.size : 0)

test("a revocation that one process has acknowledged is what the other serves from then on", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "kez-two-"))
  const start = () => {
    const storage = openSqlite({ path: join(dir, "kez-sig.sqlite"), now: () => now })
    t.after(() => storage.close())
    const service = createChainService({ storage, now: () => now })
    return { service, views: createRecentViews(service, storage) }
  }
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  const [old, fresh] = [start(), start()]
  await old.service.append(chain, formatEnvelope(e0))
  for (const name of [chain, owner.key]) assert.equal(sizeOf(await fresh.views.find(name)), 1)
  assert.equal(fresh.views.get(chain)?.size, 1)
  await old.service.append(chain, formatEnvelope(e1))
  for (const name of [chain, owner.key]) assert.equal(fresh.views.get(name), undefined)
  for (const name of [chain, owner.key]) assert.equal(sizeOf(await fresh.views.find(name)), 2)
  assert.equal(fresh.views.get(chain)?.size, 2)
})
