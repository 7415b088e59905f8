/** A reader of server-sent events, as small as tests need it. */

export interface ServerSentEvent {
  readonly id: string
  readonly event: string
  readonly data: ReturnType<typeof JSON.parse>
}

export interface EventReader {
  readonly status: number
  readonly headers: Headers
  /** The next event; undefined at the end of the stream. */
  next(): Promise<ServerSentEvent | undefined>
  close(): void
}

export async function readEvents(url: string, headers: Readonly<Record<string, string>> = {}): Promise<EventReader> {
  const controller = new AbortController()
  const answer = await fetch(url, { headers, signal: controller.signal })
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ""
  const next = async (): Promise<ServerSentEvent | undefined> => {
    for (;;) {
      const end = text.indexOf("\n\n")
      if (end >= 0) {
        const block = text.slice(0, end)
        text = text.slice(end + 2)
        const event = parseBlock(block)
        if (event !== undefined) return event
        continue
      }
      const chunk = await reader?.read()
      if (chunk === undefined || chunk.done) return undefined
      text += chunk.value
    }
  }
  return { status: answer.status, headers: answer.headers, next, close: () => controller.abort() }
}

/** Undefined for a comment. */
function parseBlock(block: string): ServerSentEvent | undefined {
  const fields = new Map(
    block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
  )
  const data = fields.get("data")
  if (data === undefined) return undefined
  return { id: fields.get("id") ?? "", event: fields.get("event") ?? "message", data: JSON.parse(data) }
}
