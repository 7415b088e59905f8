/** One connection to a store, one request at a time. What it has not answered when it breaks is unknown, and never tried again by itself. */
import { Agent, request } from "node:http"

export interface Answer {
  readonly status: number
  readonly type: string
  readonly body: Buffer
}

export interface Connection {
  get(path: string): Promise<Answer>
  post(path: string, body: string): Promise<Answer>
  close(): void
}

/** Rejects when the connection breaks before the whole answer is there. */
export function connect(url: string): Connection {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return {
    get: (path) => ask(new URL(path, url), { agent, method: "GET" }),
    post: (path, body) =>
      ask(new URL(path, url), { agent, method: "POST", body, headers: { "content-type": "application/json" } }),
    close: () => agent.destroy(),
  }
}

interface Asking {
  readonly agent: Agent
  readonly method: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

function ask(url: URL, { agent, method, headers = {}, body }: Asking): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent, method, headers }, (answer) => {
      const parts: Buffer[] = []
      answer.on("data", (part: Buffer) => parts.push(part))
      answer.on("error", reject)
      answer.on("end", () => {
        const type = String(answer.headers["content-type"] ?? "")
        resolve({ status: answer.statusCode ?? 0, type, body: Buffer.concat(parts) })
      })
    })
    asked.on("error", reject)
    asked.end(body)
  })
}

/** The code of a refusal; "" for what is none. */
export function codeOf({ type, body }: Answer): string {
  if (!type.startsWith("application/problem+json")) return ""
  const { code }: { code?: unknown } = JSON.parse(body.toString())
  return String(code)
}
