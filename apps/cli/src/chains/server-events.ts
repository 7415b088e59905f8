/** Server-sent events out of lines, as the HTML standard reads them. What a store sends is bounded by the stream. SPEC §8 */

export interface ServerEvent {
  /** "message" where none was named. */
  readonly event: string
  readonly data: string
  /** The last id that the stream named; "" before any. */
  readonly id: string
}

/** An event of many long lines would grow without an end. */
const maxDataBytes = 65_536

/** Events with data, each when its empty line comes. Comments, which keep the connection alive, are passed over. */
export async function* readServerEvents(lines: AsyncIterable<string>): AsyncGenerator<ServerEvent> {
  let [event, data, id] = ["", "", ""]
  for await (const line of lines) {
    if (line === "") {
      if (data !== "") yield { event: event === "" ? "message" : event, data: data.slice(0, -1), id }
      event = ""
      data = ""
      continue
    }
    const [, field = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
    if (field === "event") event = value
    else if (field === "data" && data.length + value.length <= maxDataBytes) data += `${value}\n`
    else if (field === "id" && !value.includes("\0")) id = value
  }
}
