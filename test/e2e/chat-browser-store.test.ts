/** The engine's store in a real Chromium: the suite of all stores, one page at a time, pages that are killed, no room, and data that is cleared. */
import assert from "node:assert/strict"
import { after, describe, test } from "node:test"
import { skipWithoutChromium, startChromium } from "../support/chromium.ts"
import type { StorePage } from "../support/page/store-page.ts"
import { bundlePage } from "../support/page-bundle.ts"

/** The page itself, where functions of the test run. */
declare const storePage: StorePage

const origin = "http://127.0.0.1:6969"

describe("the store of a page", { skip: skipWithoutChromium }, async () => {
  if (skipWithoutChromium !== false) return
  const { code: script, missing } = await bundlePage("test/support/page/store-page.ts")
  assert.deepEqual(missing, [])
  const browser = await startChromium({ after })
  const tab = () => browser.open({ origin, script })
  const first = await tab()

  for (const name of await first.evaluate(() => storePage.names, undefined)) {
    test(`indexeddb: ${name}`, async () => {
      assert.equal(await first.evaluate((one) => storePage.run(one), name), true)
    })
  }

  test("a second tab finds it held, and gets it when the first one is closed; what was written is there", async () => {
    const [a, b] = [await tab(), await tab()]
    assert.equal(await a.evaluate(() => storePage.open("tabs"), undefined), "ok")
    assert.equal(await a.evaluate(() => storePage.put("k/1", 5), undefined), "ok")
    assert.equal(await b.evaluate(() => storePage.open("tabs"), undefined), "store.busy")
    await a.close()
    assert.equal(await b.evaluate(() => storePage.open("tabs"), undefined), "ok")
    assert.equal(await b.evaluate(() => storePage.size("k/1"), undefined), 5)
    await b.close()
  })

  test("who goes past the lock takes the store over whole: the one before writes no more", async () => {
    const [a, b] = [await tab(), await tab()]
    assert.equal(await a.evaluate(() => storePage.open("stolen"), undefined), "ok")
    await b.evaluate(async () => {
      const { locks } = navigator as unknown as {
        readonly locks: { request(name: string, options: object, run: () => Promise<void>): Promise<void> }
      }
      await locks.request("kez-chat-store/stolen", { steal: true }, async () => undefined)
    }, undefined)
    assert.equal(await a.evaluate(() => storePage.put("k/1", 5), undefined), "store.busy")
    assert.equal(await b.evaluate(() => storePage.open("stolen"), undefined), "ok")
    assert.equal(await b.evaluate(() => storePage.size("k/1"), undefined), "none")
    await Promise.all([a.close(), b.close()])
  })

  for (const isTakerFirst of [true, false]) {
    test(`the lock is taken away while a tab opens the store, and who took it is ${isTakerFirst ? "faster" : "slower"}: two never have it open`, async () => {
      const name = `raced ${isTakerFirst}`
      const [a, b] = [await tab(), await tab()]
      await a.evaluate((one) => storePage.beginOpening(one), name)
      await b.evaluate(async (lock) => {
        const { locks } = navigator as unknown as {
          readonly locks: { request(name: string, options: object, run: () => Promise<void>): Promise<void> }
        }
        await locks.request(lock, { steal: true }, async () => undefined)
      }, `kez-chat-store/${name}`)
      await b.evaluate((one) => storePage.beginOpening(one), name)
      const said: unknown[] = []
      for (const page of isTakerFirst ? [b, a] : [a, b])
        said.push(await page.evaluate(() => storePage.endOpening(), undefined))
      assert.deepEqual(said, [isTakerFirst ? "ok" : "store.busy", "store.busy"])
      if (!isTakerFirst) assert.equal(await b.evaluate((one) => storePage.open(one), name), "ok")
      assert.equal(await b.evaluate(() => storePage.put("k/1", 5), undefined), "ok")
      await Promise.all([a.close(), b.close()])
    })
  }

  test("a tab that is killed in the middle of writes loses nothing that it was told, and half of nothing is there", async () => {
    for (const how of ["Target.closeTarget", "Page.crash"] as const) {
      const page = await tab()
      const name = `killed ${how}`
      assert.equal(await page.evaluate((one) => storePage.open(one), name), "ok")
      void page.evaluate(() => storePage.flood(), undefined).catch(() => undefined)
      let told = 0
      while (told < 20) {
        const said = await page.evaluate(() => storePage.count(), undefined)
        told = Number(said) || 0
      }
      const gone = new Promise<void>((resolve) => page.on("crash", resolve))
      const tools = await browser.devTools(page)
      if (how === "Page.crash") {
        void tools.send(how).catch(() => undefined)
        await gone
      }
      await page.close()
      const next = await tab()
      assert.equal(await next.evaluate((one) => storePage.open(one), name), "ok")
      const [a, b] = [
        await next.evaluate(() => storePage.keys("a/"), undefined),
        await next.evaluate(() => storePage.keys("b/"), undefined),
      ]
      assert.ok(Array.isArray(a) && Array.isArray(b))
      assert.ok(a.length > told, `${a.length} of ${told}`)
      assert.deepEqual(
        a.map((key) => String(key).slice(2)),
        b.map((key) => String(key).slice(2)),
      )
      assert.equal(Number(await next.evaluate(() => storePage.count(), undefined)), a.length - 1)
      await next.close()
    }
  })

  test("another key opens nothing", async () => {
    const page = await tab()
    assert.equal(await page.evaluate(() => storePage.open("keys"), undefined), "ok")
    assert.equal(await page.evaluate(() => storePage.put("k/1", 5), undefined), "ok")
    assert.equal(await page.evaluate(() => storePage.close(), undefined), "ok")
    assert.equal(await page.evaluate(() => storePage.openWithForeignKey("keys"), undefined), "ok")
    assert.equal(await page.evaluate(() => storePage.size("k/1"), undefined), "store.corrupt")
    await page.close()
  })

  test("where there is no more room it says store.full, keeps what was there, and goes on once there is", async () => {
    // One that has kept nothing yet: Chromium remembers for a while how much room there was.
    const small = "http://127.0.0.1:6970"
    const page = await browser.open({ origin: small, script })
    const tools = await browser.devTools(page)
    await tools.send("Storage.overrideQuotaForOrigin", { origin: small, quotaSize: 3_000_000 })
    assert.equal(await page.evaluate(() => storePage.open("full"), undefined), "ok")
    assert.equal(await page.evaluate(() => storePage.put("k/1", 5), undefined), "ok")
    const said: unknown[] = []
    for (let i = 0; i < 4; i++) said.push(await page.evaluate((name) => storePage.put(name, 900_000), `big/${i}`))
    assert.equal(said.at(-1), "store.full", said.join())
    assert.equal(await page.evaluate(() => storePage.size("k/1"), undefined), 5)
    assert.equal(await page.evaluate(() => storePage.size("big/3"), undefined), "none")
    await tools.send("Storage.overrideQuotaForOrigin", { origin: small })
    assert.equal(await page.evaluate(() => storePage.put("k/1", 6), undefined), "ok")
    await page.close()
  })

  test("a database of a newer version, or of something else, is left alone", async () => {
    const page = await tab()
    assert.equal(await page.evaluate(() => storePage.open("newer"), undefined), "ok")
    assert.equal(await page.evaluate(() => storePage.close(), undefined), "ok")
    await page.evaluate(async () => {
      interface Opening {
        readonly result: {
          createObjectStore(name: string): unknown
          transaction(
            name: string,
            mode: string,
          ): { objectStore(name: string): { put(value: unknown, key: string): unknown } }
          close(): void
        }
        onsuccess: () => void
        onupgradeneeded: () => void
      }
      const { indexedDB } = globalThis as unknown as { readonly indexedDB: { open(name: string): Opening } }
      const opened = (name: string): Promise<Opening["result"]> =>
        new Promise((resolve) => {
          const asked = indexedDB.open(name)
          asked.onupgradeneeded = () => void asked.result.createObjectStore("theirs")
          asked.onsuccess = () => resolve(asked.result)
        })
      const newer = await opened("newer")
      newer.transaction("about", "readwrite").objectStore("about").put(99, "format")
      newer.close()
      const foreign = await opened("foreign")
      foreign.close()
    }, undefined)
    assert.equal(await page.evaluate(() => storePage.open("newer"), undefined), "store.newer")
    assert.equal(await page.evaluate(() => storePage.open("foreign"), undefined), "store.corrupt")
    await page.close()
  })

  test("the site's data is cleared while it is open: nothing more is written, and it says so", async () => {
    const page = await tab()
    const tools = await browser.devTools(page)
    assert.equal(await page.evaluate(() => storePage.open("cleared"), undefined), "ok")
    await tools.send("Storage.clearDataForOrigin", { origin, storageTypes: "indexeddb" })
    assert.equal(await page.evaluate(() => storePage.put("k/1", 5), undefined), "store.write")
    assert.equal(await page.evaluate(() => storePage.open("cleared"), undefined), "ok")
    await page.close()
    assert.deepEqual(browser.faults, [])
  })
})
