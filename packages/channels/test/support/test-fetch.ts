/** A guarded fetch that can reach servers on loopback only, for the end-to-end tests of the fetch. */
import type { RequestListener } from "node:http"
import type { TestContext } from "node:test"
import { createFetch, type FetchLimits, type FetchSetup } from "../../src/index.ts"
import { startHttpServer, type TestServer } from "./http-server.ts"

/** Unix seconds. */
export const now = Date.UTC(2030, 0, 1, 12, 0, 0) / 1000

/** A resolver that gives these answers in turn, the last one for ever, and counts. */
export function createFakeResolver(...answers: readonly (readonly string[])[]) {
  const asked: string[] = []
  return {
    asked,
    async resolveAddresses(host: string) {
      const addresses = answers[Math.min(asked.length, answers.length - 1)] ?? []
      asked.push(host)
      return { status: addresses.length > 0 ? ("found" as const) : ("no_name" as const), addresses }
    },
  }
}

export interface Fetcher {
  readonly hosts?: Readonly<Record<string, string>>
  readonly limits?: Partial<FetchLimits>
  readonly setup?: Partial<FetchSetup>
}

/** A fetch that reaches only configured hosts: any other look-up finds a private address. */
export function createTestFetch({ hosts = {}, limits = {}, setup = {} }: Fetcher) {
  return createFetch({ resolver: createFakeResolver(["10.0.0.1"]), now: () => now, hosts, limits, ...setup })
}

export async function serve(t: TestContext, listener: RequestListener): Promise<TestServer> {
  const server = await startHttpServer(listener)
  t.after(() => server.close())
  return server
}

/** Fetches from one server that stands for `a.example`. */
export async function fetchFrom(t: TestContext, listener: RequestListener, limits: Partial<FetchLimits> = {}) {
  const server = await serve(t, listener)
  const fetch = createTestFetch({ hosts: { "a.example": server.origin }, limits })
  return { server, fetch, page: "https://a.example/page" }
}
