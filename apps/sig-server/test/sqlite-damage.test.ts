/** One flipped bit anywhere in the file: whatever can be read is as it was, or it is refused by name. */
import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { KezError } from "@kez/core"
import { backup } from "../src/backup.ts"
import { createChainService } from "../src/chains/service.ts"
import { checkStorage } from "../src/check.ts"
import { openSqlite } from "../src/storage/sqlite.ts"
import { makeChain, makeFork, now, storeEvents } from "./chain-maker.ts"

const dir = mkdtempSync(join(tmpdir(), "kez-damage-"))
after(() => rmSync(dir, { recursive: true, force: true }))
const path = join(dir, "store")

const chains = [await makeChain("a", 9), await makeChain("b", 1), await makeFork("c", 2), await makeChain("d", 5)]
const events = chains.reduce((sum, chain) => sum + chain.events.length, 0)

async function makeFile(): Promise<Buffer> {
  const storage = openSqlite({ path, now: () => now })
  for (const chain of chains) await storeEvents(storage, chain)
  await storage.close()
  return readFileSync(path)
}

/** Everything that is served of events; where it is refused, the code. */
async function readAll(): Promise<readonly string[]> {
  const storage = openSqlite({ path, now: () => now })
  try {
    const service = createChainService({ storage, now: () => now })
    const asked = chains.flatMap(({ replay: { chain } }) => [
      async () => {
        const found = await service.find(chain)
        return found.status === "found" ? Buffer.from(found.view.document).toString() : found.status
      },
      async () => Buffer.from((await service.forks(chain)) ?? []).toString(),
    ])
    const feed = async () => {
      const rows = await storage.eventsAfter(0, 100)
      return rows.map(({ cursor, chain, text }) => `${cursor} ${chain} ${text}`).join("\n")
    }
    const kept = async () => {
      const copy = join(dir, "backup")
      rmSync(copy, { force: true })
      return String((await backup({ storage, path: copy, now })).events)
    }
    const found = await Promise.all([...asked, feed].map(outcomeOf))
    const checked = async () => ((await checkStorage(storage)).damages.length === 0 ? "whole" : "store.corrupt")
    return [...found, await outcomeOf(checked), await outcomeOf(kept)]
  } finally {
    await storage.close()
  }
}

async function outcomeOf(ask: () => Promise<string>): Promise<string> {
  try {
    return await ask()
  } catch (error) {
    return codeOf(error)
  }
}

function codeOf(error: unknown): string {
  if (error instanceof KezError && ["store.corrupt", "store.newer"].includes(error.code)) return error.code
  throw error
}

test("D-4 a flipped bit in the SQLite file is named, or it changes nothing that is served", async () => {
  const whole = await makeFile()
  const expected = await readAll()
  assert.equal(expected.at(-1), String(events))
  const silent: string[] = []
  let named = 0
  for (let at = 0; at < whole.length; at += 331) {
    const hurt = Buffer.from(whole)
    hurt.writeUInt8(hurt.readUInt8(at) ^ (1 << (at % 8)), at)
    writeFileSync(path, hurt)
    const found = await readAll().catch((error: unknown) => [codeOf(error)])
    if (found.includes("store.corrupt") || found.includes("store.newer")) named += 1
    const isWrong = found.length > 1 && found.some((text, i) => text !== expected[i] && text !== "store.corrupt")
    // Whatever is refused to readers is named to who runs the store.
    const isUnseen = found.length > 1 && found.includes("store.corrupt") && found.at(-2) === "whole"
    if (isWrong || isUnseen) silent.push(`byte ${at}${isUnseen ? " (check)" : ""}`)
  }
  assert.deepEqual(silent, [])
  assert.ok(named > 20, `${named} named`)
})
