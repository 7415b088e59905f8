/**
 * The system's own Chromium, without a window, over the DevTools protocol: pages of an origin whose HTML and script are given by the test, everything
 * else of that origin by who serves it. Playwright drives it, from test/peers/chromium.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type { Cleaner } from "./person.ts"
import { findServer, peerFolder, skipWithout, skipWithoutPeer } from "./servers.ts"

export const skipWithoutChromium = skipWithout("chromium") || skipWithoutPeer("chromium")

/** What is called of Playwright. Its own types are not there where the peer is not installed. */
export interface Page {
  goto(url: string): Promise<unknown>
  close(): Promise<void>
  /** Runs in the page; what it returns goes through JSON. */
  evaluate<A, R>(run: (argument: A) => R | Promise<R>, argument: A): Promise<R>
  on(event: "crash", listener: () => void): unknown
  on(event: "pageerror", listener: (error: Error) => void): unknown
  on(event: "console", listener: (message: { type(): string; text(): string }) => void): unknown
}

export interface DevTools {
  send(method: string, parameters?: object): Promise<unknown>
}

interface Route {
  fulfill(answer: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
  }): Promise<void>
}

interface Context {
  newPage(): Promise<Page>
  newCDPSession(page: Page): Promise<DevTools>
  route(url: string | RegExp, handle: (route: Route) => Promise<void>): Promise<void>
  close(): Promise<void>
}

interface Playwright {
  readonly chromium: { launchPersistentContext(folder: string, options: object): Promise<Context> }
}

export interface PageApp {
  /** `http://127.0.0.1:6969` */
  readonly origin: string
  readonly script: string
  /** Where the page may connect to beside its own origin. */
  readonly connects?: readonly string[]
}

export interface Browser {
  /** A new tab with the app. Faults that nobody caught in it are kept. */
  open(app: PageApp): Promise<Page>
  devTools(page: Page): Promise<DevTools>
  readonly faults: string[]
  close(): Promise<void>
}

/** Its profile is a folder of its own, removed at the end. */
export async function startChromium(t: Cleaner): Promise<Browser> {
  const module = await import(
    pathToFileURL(join(peerFolder("chromium"), "node_modules/playwright-core/index.mjs")).href
  )
  const { chromium } = module as Playwright
  const profile = mkdtempSync(join(tmpdir(), "kez-chromium-"))
  const isRoot = process.getuid?.() === 0
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: findServer("chromium"),
    headless: true,
    // Root has no sandbox. Whoever is not root gets it.
    chromiumSandbox: !isRoot,
    // A page that the test itself gives out counts as one from far away, which is to ask before it may reach this computer.
    permissions: ["local-network-access"],
    args: ["--disable-quic", "--no-proxy-server"],
    timeout: 60_000,
  })
  t.after(async () => {
    await context.close().catch(() => undefined)
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  })
  const faults: string[] = []
  const served = new Set<string>()
  return {
    faults,
    devTools: (page) => context.newCDPSession(page),
    close: () => context.close(),
    async open(app) {
      if (!served.has(app.origin)) await serve(context, app)
      served.add(app.origin)
      const page = await context.newPage()
      page.on("pageerror", (error) => void faults.push(error.message))
      page.on("console", (message) => {
        // A server that is away is said by the browser itself.
        if (message.type() === "error" && !/Failed to load resource|WebSocket connection/.test(message.text()))
          faults.push(message.text())
      })
      await page.goto(`${app.origin}/app/`)
      return page
    },
  }
}

/** As a chat server would give its app out: nothing from elsewhere, no inline script, no eval, no WebAssembly. */
async function serve(context: Context, { origin, script, connects = [] }: PageApp): Promise<void> {
  const policy = `default-src 'none'; script-src 'self'; connect-src 'self' ${connects.join(" ")}; base-uri 'none'; require-trusted-types-for 'script'`
  await context.route(`${origin}/app/`, (route) =>
    route.fulfill({
      status: 200,
      headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": policy },
      body: '<!doctype html><title>kez</title><script type="module" src="/app/app.js"></script>',
    }),
  )
  await context.route(`${origin}/app/app.js`, (route) =>
    route.fulfill({ status: 200, headers: { "content-type": "text/javascript; charset=utf-8" }, body: script }),
  )
}
