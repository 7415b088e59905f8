/** Tells which chains other copies of the server have changed: LISTEN, and after each gap in it a look at the rows. */
import { Client, type ClientConfig } from "pg"

/** How often the rows are looked at all the same: a connection can die without a word, and notices with it. */
const lookEveryMs = 10_000
const maxWaitMs = 5_000
const rowsAtOnce = 1_000

export interface ListenerOptions {
  readonly config: ClientConfig
  /** Our own notices carry this name. */
  readonly origin: string
  readonly listener: (chain: string) => void
  /** The connection was lost and is there again, perhaps to another server. */
  readonly onReset: () => void
}

/** Lives until `close`. Reconnects by itself, and then reports what was written meanwhile: too much rather than too little. */
export class PostgresListener {
  readonly #options: ListenerOptions
  #client: Client | undefined
  #seen: number | undefined
  #failures = 0
  #wasLost = false
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: ListenerOptions) {
    this.#options = options
    void this.#connect()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#client?.end().catch(() => undefined)
  }

  async #connect(): Promise<void> {
    const client = new Client(this.#options.config)
    this.#client = client
    // Without a handler such an event would end the process.
    client.on("error", () => this.#retry(client))
    client.on("end", () => this.#retry(client))
    client.on("notification", ({ payload }) => this.#notice(payload ?? ""))
    try {
      await client.connect()
      // First listen, then look: what is written in between is seen twice, not missed.
      await client.query("LISTEN kez_sig_append")
      if (this.#wasLost) this.#options.onReset()
      this.#wasLost = false
      await this.#look(client)
      this.#failures = 0
      this.#lookLater(client)
    } catch {
      this.#retry(client)
    }
  }

  #retry(client: Client): void {
    if (this.#closed || this.#client !== client) return
    this.#client = undefined
    this.#wasLost = true
    clearTimeout(this.#timer)
    client.end().catch(() => undefined)
    const waitMs = Math.min(maxWaitMs, 100 * 2 ** this.#failures++) * (0.5 + Math.random() / 2)
    this.#timer = setTimeout(() => void this.#connect(), waitMs).unref()
  }

  #lookLater(client: Client): void {
    if (this.#closed || this.#client !== client) return
    this.#timer = setTimeout(() => {
      this.#look(client).then(
        () => this.#lookLater(client),
        () => this.#retry(client),
      )
    }, lookEveryMs).unref()
  }

  #notice(payload: string): void {
    const [origin, cursor, chain] = payload.split(" ")
    if (chain === undefined) return
    this.#seen = Math.max(this.#seen ?? 0, Number(cursor))
    if (origin !== this.#options.origin) this.#options.listener(chain)
  }

  /** Reports the chains of events after the last one that was noticed. At the first look there is nothing to catch up with. */
  async #look(client: Client): Promise<void> {
    const { rows } = await client.query<{ last: string }>("SELECT last_cursor AS last FROM kez_sig.totals")
    const last = Number(rows[0]?.last ?? 0)
    // Of a history that was lost with another server nothing is waited for.
    let seen = Math.min(this.#seen ?? last, last)
    while (seen < last) {
      const found = await client.query<{ cursor: string; chain: string }>(
        "SELECT cursor, chain FROM kez_sig.events WHERE cursor > $1 ORDER BY cursor LIMIT $2",
        [seen, rowsAtOnce],
      )
      for (const chain of new Set(found.rows.map((row) => row.chain))) this.#options.listener(chain)
      seen = Number(found.rows.at(-1)?.cursor ?? last)
    }
    this.#seen = seen
  }
}
