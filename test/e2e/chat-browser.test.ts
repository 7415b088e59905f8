/** An engine in a real Chromium page and one in Node, over a real sigchain store, nats-server with its WebSocket listener, and chat server. */
import assert from "node:assert/strict"
import { after, describe, test } from "node:test"
import { backend as nodeBackend } from "../../packages/chat/src/backend/node.ts"
import { readChain, replayChain } from "../../packages/core/src/index.ts"
import { skipWithoutNats } from "../support/broker.ts"
import { openTestEngine, until } from "../support/chat-engines.ts"
import { startChatWorld, type WorldDevice } from "../support/chat-world.ts"
import { type Page, skipWithoutChromium, startChromium } from "../support/chromium.ts"
import type { EnginePage } from "../support/page/engine-page.ts"
import { hpkeKey, hpkeOpen, hpkeSeal, primitives } from "../support/page/primitives.ts"
import { bundlePage } from "../support/page-bundle.ts"
import { laterCleaner } from "../support/person.ts"
import { publishChain } from "../support/sig-server.ts"

/** In the page, where functions of the test run. */
declare const enginePage: EnginePage

const skip = skipWithoutNats || skipWithoutChromium

describe("the engine in a page", { skip }, async () => {
  if (skip !== false) return
  const t = laterCleaner(after)
  const [world, browser, { code: script, missing }] = await Promise.all([
    startChatWorld(t),
    startChromium(t),
    bundlePage("test/support/page/engine-page.ts"),
  ])
  assert.deepEqual(missing, [])
  const bob = await world.person("bobby")
  const b = await openTestEngine(t, world, { person: bob, device: bob.devices[0] as WorldDevice })
  const bobChain = bob.chain.chain
  const servers = { store: world.store.url, broker: world.broker.websocketUrl }
  const connects = [servers.store, servers.broker]
  const tab = (origin = world.server.url): Promise<Page> => browser.open({ origin, script, connects })
  const openEngineIn = async (page: Page): Promise<void> => {
    assert.equal(await page.evaluate((of) => enginePage.open(of), servers), "ok")
    await until("the page is online", () => page.evaluate(() => enginePage.connection() === "online", undefined))
  }
  const textsIn = (page: Page): Promise<readonly string[]> =>
    page.evaluate((chain) => enginePage.texts(chain), bobChain)
  let page = await tab()
  let aliceChain = bobChain

  test("the page's cryptography is Node's, and follows the RFCs", async () => {
    const [inPage, inNode] = [
      await page.evaluate(() => enginePage.primitives(), undefined),
      await primitives(nodeBackend),
    ]
    assert.deepEqual(inPage, inNode)
    assert.equal(inPage["small order"], "refused")
    assert.equal(
      inPage["rfc8032"],
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    )
    assert.equal(await page.evaluate((seed) => enginePage.hpkeKey(seed), 5), await hpkeKey(5))
    const sealed = await hpkeSeal(await hpkeKey(5), "to the page")
    assert.equal(
      await page.evaluate(([seed, box]) => enginePage.hpkeOpen(seed, box), [5, sealed] as const),
      "to the page",
    )
    const back = await page.evaluate(([key, text]) => enginePage.hpkeSeal(key, text), [
      await hpkeKey(6),
      "to Node",
    ] as const)
    assert.equal(await hpkeOpen(6, back), "to Node")
  })

  test("an account made in the page, its handle registered from its own origin; messages both ways", async () => {
    const text = await page.evaluate((handle) => enginePage.create(handle), "alice")
    const { events } = readChain(text)
    const replay = replayChain(events)
    aliceChain = replay.chain
    await publishChain(world.store, replay)
    await openEngineIn(page)
    assert.equal(await page.evaluate((handle) => enginePage.add(handle), "bobby@localhost"), bobChain)
    await b.engine.contacts.add("alice@localhost")
    await page.evaluate((said) => enginePage.say(said), [bobChain, "from a page"] as const)
    await until("bob reads it", async () => (await b.texts(aliceChain)).length === 1)
    await b.say(aliceChain, "to a page")
    await until("the page shows it", async () => (await textsIn(page)).length === 2)
    assert.deepEqual(await textsIn(page), ["from a page", "to a page"])
  })

  test("a second tab finds the store held", async () => {
    const second = await tab()
    assert.equal(await second.evaluate((of) => enginePage.open(of), servers), "store.busy")
    await second.close()
  })

  test("closed and opened again, the page goes on where it was: what came meanwhile is there, nothing twice", async () => {
    await page.close()
    for (let i = 0; i < 5; i++) await b.say(aliceChain, `while away ${i}`)
    page = await tab()
    await openEngineIn(page)
    await until("the page has caught up", async () => (await textsIn(page)).length === 7)
    assert.match(await page.evaluate((said) => enginePage.say(said), [bobChain, "back"] as const), /^sha256:/)
    await until("bob reads it", async () => (await b.texts(aliceChain)).at(-1) === "back")
    assert.deepEqual(await textsIn(page), await b.texts(aliceChain))
  })

  for (const how of ["Page.crash", "Page.close"] as const) {
    test(`killed in the middle of sends (${how}), nothing is lost and nothing comes twice`, async () => {
      const before = await page.evaluate(() => enginePage.sent(), undefined)
      void page.evaluate((said) => enginePage.flood(said), [bobChain, how] as const).catch(() => undefined)
      for (let i = 0; i < 5; i++) await b.say(aliceChain, `into ${how} ${i}`)
      let told = 0
      while (told < 12) {
        told = (await page.evaluate(() => enginePage.sent(), undefined)) - before
      }
      const gone = new Promise<void>((resolve) => page.on("crash", resolve))
      const tools = await browser.devTools(page)
      void tools.send(how).catch(() => undefined)
      if (how === "Page.crash") await gone
      await page.close()
      page = await tab()
      await openEngineIn(page)
      assert.equal(await page.evaluate((ms) => enginePage.settled(ms), 20_000), true)
      const wrote = (await textsIn(page)).filter((text) => text.startsWith(`${how} `))
      assert.ok(wrote.length >= told, `${wrote.length} of ${told}`)
      assert.deepEqual(
        wrote,
        wrote.map((_, i) => `${how} ${i}`),
      )
      await until("bob has all of it", async () => (await b.texts(aliceChain)).includes(wrote.at(-1) ?? ""))
      assert.deepEqual(
        (await b.texts(aliceChain)).filter((text) => text.startsWith(`${how} `)),
        wrote,
      )
      const sentThere = Array.from({ length: 5 }, (_, i) => `into ${how} ${i}`)
      await until("and the page all of his", async () => (await textsIn(page)).includes(sentThere.at(-1) ?? ""))
      assert.deepEqual(
        (await textsIn(page)).filter((text) => text.startsWith(`into ${how}`)),
        sentThere,
      )
      assert.deepEqual(await page.evaluate(() => enginePage.alarms(), undefined), [])
      assert.deepEqual(await b.engine.alarms.list(), [])
    })
  }

  test("the broker is killed and comes back: the page is on its line again by itself", async () => {
    await world.restartBroker()
    await page.evaluate((said) => enginePage.say(said), [bobChain, "over the new line"] as const)
    await until("bob reads it", async () => (await b.texts(aliceChain)).at(-1) === "over the new line", 45)
  })

  test("a page of another origin may read what everybody may read, asks for nothing else, and gets no line to the broker", async () => {
    const foreign = await browser.open({
      ...{ origin: "http://127.0.0.1:6971", script },
      connects: [...connects, world.server.url],
    })
    const ask = (from: Page, method: "GET" | "POST", path: string) =>
      from.evaluate((asked) => enginePage.ask(asked), [world.server.url, method, path] as const)
    const paths = ["/v1/server", "/v1/handles/alice"]
    for (const path of paths) assert.equal(await ask(foreign, "GET", path), "200", path)
    for (const path of ["/v1/standing", "/v1/register"]) {
      assert.equal(await ask(foreign, "POST", path), "net.refused", path)
      // Of its own origin it is heard, and refused for what it says.
      assert.match(await ask(page, "POST", path), /^4(?:00|22)$/, path)
    }
    const dial = (from: Page) => from.evaluate((url) => enginePage.dial(url), servers.broker)
    assert.deepEqual([await dial(foreign), await dial(page)], ["refused", "open"])
    await foreign.close()
    assert.deepEqual(await page.evaluate(() => enginePage.faults(), undefined), [])
  })
})
