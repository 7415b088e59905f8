/** Server-sent events out of lines, as the HTML standard reads them. What a store sends is bounded by the stream. SPEC §8 */

export interface ServerEvent {
  /** "message" where none was named. */
  readonly event: string
  /** The last id that the stream named; "" before any. */
  readonly id: string
}

/**
 * Events that have data, each when its empty line comes. What the data says is not read: the chain is fetched, and proves
 * itself. Comments, which keep the connection alive, are passed over.
 */
export async function* readServerEvents(lines: AsyncIterable<string>): AsyncGenerator<ServerEvent> {
  let [event, id] = ["", ""]
  let hasData = false
  for await (const line of lines) {
    if (line === "") {
      if (hasData) yield { event: event === "" ? "message" : event, id }
      event = ""
      hasData = false
      continue
    }
    const [, field = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
    if (field === "event") event = value
    else if (field === "data") hasData = true
    else if (field === "id" && isHeaderValue(value)) id = value
  }
}

/** It is sent back in a header: what fits in none is no id. */
function isHeaderValue(text: string): boolean {
  return /^[!-~]{0,128}$/.test(text)
}
