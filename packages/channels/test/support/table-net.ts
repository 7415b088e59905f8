/**
 * A network made of tables, as vectors/channel-*.json write them: what each URL, name and relay answers.
 * What is not in a table refuses the connection, so that a case names everything that it reaches.
 */
import { createHash } from "node:crypto"
import { KezError } from "@kez/core"
import { type FetchAnswer, type FetchOptions, type MessageSocket, type Net, readRetryAfter } from "../../src/index.ts"

export interface WebAnswer {
  readonly url: string
  /** "GET" unless given. */
  readonly method?: string
  /** 200 unless given. */
  readonly status?: number
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>
  /** Text, or a JSON value, which is sent as application/json unless the headers say otherwise. */
  readonly body?: unknown
  /** Where a redirect ended; refused where the channel has to stay at the host. */
  readonly finalUrl?: string
}

export interface RelayAnswer {
  readonly url: string
  /** Events that it holds; sent for every filter, whatever was asked, as a liar would. */
  readonly events?: readonly unknown[]
  /** "eose" unless given; a silent relay never answers, a closing one closes at once. */
  readonly ends?: "eose" | "silent" | "closed"
}

export interface Tables {
  readonly now?: number
  readonly web?: readonly WebAnswer[]
  readonly txt?: Readonly<Record<string, readonly string[]>>
  readonly relays?: readonly RelayAnswer[]
}

export interface TableNet extends Net {
  /** `METHOD url`, `TXT name`, `REQ url`, in the order of the questions. */
  readonly asked: readonly string[]
  /** Events that were given to relays, by their URL. Each is accepted. */
  readonly given: ReadonlyArray<{ readonly url: string; readonly event: unknown }>
}

export function createTableNet({ now = 1_800_000_000, web = [], txt = {}, relays = [] }: Tables): TableNet {
  const asked: string[] = []
  const given: { url: string; event: unknown }[] = []
  return {
    asked,
    given,
    now: () => now,
    settings: { relays: relays.map(({ url }) => url) },
    async resolveTxt(name) {
      asked.push(`TXT ${name}`)
      const records = Object.hasOwn(txt, name) ? txt[name] : undefined
      if (records === undefined) return { status: "no_name", records: [], server: "table" }
      return { status: records.length === 0 ? "no_data" : "found", records, server: "table" }
    },
    async fetch(url, options) {
      const method = options.method ?? "GET"
      asked.push(`${method} ${url}`)
      const answer = web.find((one) => one.url === url && (one.method ?? "GET") === method)
      if (answer === undefined)
        throw new KezError("net.refused", `Cannot fetch from ${new URL(url).host}: not in the table`)
      return answerOf(answer, options, now)
    },
    openStream: (url) => Promise.reject(new KezError("net.refused", `Cannot follow ${url}: not in the table`)),
    async openSocket(url, { signal }) {
      const relay = relays.find((one) => one.url === url)
      asked.push(`REQ ${url}`)
      if (relay === undefined) throw new KezError("net.refused", `Cannot open ${url}: not in the table`)
      return socketOf(relay, { signal, take: (event) => void given.push({ url, event }) })
    },
  }
}

function answerOf(answer: WebAnswer, options: FetchOptions, now: number): FetchAnswer {
  const { url, status = 200, body = "", finalUrl = url } = answer
  if (options.sameHost && new URL(finalUrl).host !== new URL(url).host) {
    throw new KezError("net.redirect", `Cannot follow ${new URL(url).host}: expected to stay there`)
  }
  const isText = typeof body === "string"
  const headers = { ...(isText ? {} : { "content-type": "application/json" }), ...answer.headers }
  const type = headers["content-type"]?.split(";")[0]?.trim().toLowerCase() ?? "none"
  if (status >= 200 && status < 300 && options.accept && !options.accept.includes(type)) {
    throw new KezError("net.content_type", `Cannot read ${url}: expected ${options.accept.join(" or ")}, got ${type}`)
  }
  const bytes = new TextEncoder().encode(isText ? body : JSON.stringify(body))
  const retryAfterSeconds = readRetryAfter(status, headers, now)
  return {
    url: finalUrl,
    status,
    headers,
    body: bytes,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    fetchedAt: now,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  }
}

interface Talk {
  readonly signal: AbortSignal
  readonly take: (event: unknown) => void
}

/** Speaks NIP-01 as far as a reader and a writer need it. */
function socketOf({ events = [], ends = "eose" }: RelayAnswer, { signal, take }: Talk): MessageSocket {
  const waiting: string[] = []
  let wake: (() => void) | undefined
  let isClosed = ends === "closed"
  const notify = () => wake?.()
  signal.addEventListener("abort", notify, { once: true })
  return {
    send(text) {
      const [verb, subscription] = JSON.parse(text) as [string, string]
      if (verb === "EVENT") {
        const [, event] = JSON.parse(text) as [string, { readonly id: string }]
        take(event)
        waiting.push(JSON.stringify(["OK", event.id, true, ""]))
        notify()
      }
      if (verb !== "REQ" || ends !== "eose") return
      waiting.push(...events.map((event) => JSON.stringify(["EVENT", subscription, event])))
      waiting.push(JSON.stringify(["EOSE", subscription]))
      notify()
    },
    async *messages() {
      for (;;) {
        signal.throwIfAborted()
        const next = waiting.shift()
        if (next !== undefined) yield next
        else if (isClosed) return
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    },
    close() {
      isClosed = true
      notify()
    },
  }
}
