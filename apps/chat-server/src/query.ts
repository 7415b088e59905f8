/** The query of a request, strictly: what one program reads as one name and another as two is refused. */
import { Problem } from "@kez/server"
import { maxQueryBytes } from "./limits.ts"

export interface Asking {
  readonly url: string
}

/** Names with all their values. Throws 400 for what is too long or not encoded as it should be. [H8] */
export function strictQuery({ url }: Asking): ReadonlyMap<string, readonly string[]> {
  const at = url.indexOf("?")
  const text = at < 0 ? "" : url.slice(at + 1)
  if (text.length > maxQueryBytes) throw fault(`at most ${maxQueryBytes} characters`, "limit.size")
  const found = new Map<string, readonly string[]>()
  for (const part of text.split("&").filter((one) => one !== "")) {
    const [name = "", ...rest] = part.split("=")
    const key = decode(name)
    found.set(key, [...(found.get(key) ?? []), decode(rest.join("="))])
  }
  return found
}

function decode(text: string): string {
  try {
    const decoded = decodeURIComponent(text)
    if (!/\p{Cc}/u.test(decoded)) return decoded
  } catch {
    // Told below: what is not UTF-8 and what breaks off.
  }
  throw fault("percent-encoded UTF-8 without control characters", "net.http")
}

function fault(expected: string, code: "limit.size" | "net.http"): Problem {
  return new Problem({ status: 400, code, detail: `Cannot read the query: expected ${expected}` })
}
