/** The body of an answer: read, decompressed and decoded under caps. SPEC §7. */
import type { IncomingMessage } from "node:http"
import { promisify } from "node:util"
import { brotliDecompress, gunzip, inflate, inflateRaw } from "node:zlib"
import { KezError } from "@kez/core"

const decoders = {
  gzip: promisify(gunzip),
  "x-gzip": promisify(gunzip),
  br: promisify(brotliDecompress),
  deflate: promisify(inflate),
  "deflate-raw": promisify(inflateRaw),
} as const

/** Reads a body as it is sent. Throws `limit.body` at the cap, `net.http` for a broken one. */
export async function readBody(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const announced = Number(response.headers["content-length"] ?? 0)
  if (announced > maxBytes) throw tooLarge("sent", maxBytes)
  const chunks: Buffer[] = []
  let received = 0
  // A body that ends before its announced end throws here.
  for await (const chunk of response as AsyncIterable<Buffer>) {
    received += chunk.length
    if (received > maxBytes) throw tooLarge("sent", maxBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** What stands beside a refusal only explains it: an error page that is too long is no more than an error page. */
export async function readBeside<T>(status: number, nothing: T, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    const isRefusal = status < 200 || status >= 300
    if (isRefusal && error instanceof KezError && error.code === "limit.body") return nothing
    throw error
  }
}

/** Text of a body. Throws `text.utf8` for another charset or bytes that are not UTF-8. */
export function decodeUtf8(body: Uint8Array, contentType = ""): string {
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(contentType)?.[1]?.toLowerCase() ?? "utf-8"
  if (!["utf-8", "utf8", "us-ascii"].includes(charset)) {
    throw new KezError("text.utf8", `Cannot read the answer: expected UTF-8, got charset ${charset.slice(0, 40)}`)
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(body)
  } catch (cause) {
    throw new KezError("text.utf8", "Cannot read the answer: expected UTF-8, got other bytes", { cause })
  }
}

/** Decompresses a body. Throws `limit.body` at the cap, `net.http` for a broken one or an encoding that nobody asked for. */
export async function decompress(body: Buffer, encoding = "identity", maxBytes: number): Promise<Uint8Array> {
  const name = encoding.trim().toLowerCase()
  if (body.length === 0 || name === "identity" || name === "") {
    if (body.length > maxBytes) throw tooLarge("sent", maxBytes)
    return new Uint8Array(body)
  }
  const decode = findDecoder(name, body)
  try {
    // The decoder runs off the main thread and stops at the cap, so a bomb costs no more than an honest page.
    return new Uint8Array(await decode(body, { maxOutputLength: maxBytes }))
  } catch (cause) {
    if (readErrorCode(cause) === "ERR_BUFFER_TOO_LARGE") throw tooLarge("decompressed", maxBytes)
    throw new KezError("net.http", `Cannot read the answer: expected a whole ${name} stream`, { cause })
  }
}

/** Two encodings in a row are refused: nobody needs them but a bomb. */
function findDecoder(name: string, body: Buffer): (typeof decoders)["gzip"] | (typeof decoders)["br"] {
  // Some servers send raw deflate; a zlib stream has 8 in the low half of its first byte. RFC 1950 §2.2.
  if (name === "deflate") return ((body[0] ?? 0) & 15) === 8 ? decoders.deflate : decoders["deflate-raw"]
  if (name === "gzip" || name === "x-gzip" || name === "br") return decoders[name]
  throw new KezError("net.http", `Cannot read the answer: expected gzip, br or deflate, got ${name.slice(0, 40)}`)
}

function tooLarge(how: string, maxBytes: number): KezError {
  return new KezError("limit.body", `Cannot read the answer: expected at most ${maxBytes} bytes ${how}, got more`)
}

function readErrorCode(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined
}
