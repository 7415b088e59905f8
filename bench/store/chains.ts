/** Signed chains for the store, as the requests that post them. The same seed gives the same chains. */
import { appendEvent, createSigner, envelopeDigest, formatEnvelope, sha256 } from "@kez/core"

export interface PostedChain {
  readonly id: string
  /** One request an event, in their order. */
  readonly requests: readonly Buffer[]
}

const firstTime = 1_790_000_000

/** Every chain has a primary of its own, who adds an account with each event. */
export async function makeChain(seed: string, length: number): Promise<PostedChain> {
  const signer = createSigner("ed25519", sha256(new TextEncoder().encode(seed)))
  const requests: Buffer[] = []
  let chain: Parameters<typeof appendEvent>[0]["chain"]
  let id = ""
  for (let seq = 0; seq < length; seq++) {
    const operation = { op: "add", subject: `dns:a${seq}.${seed}.example` } as const
    const { event, replay } = await appendEvent({ chain, operation, now: firstTime + seq }, signer)
    if (seq === 0) id = envelopeDigest(event)
    requests.push(postOf(`/v1/chains/${id}/events`, formatEnvelope(event)))
    chain = replay
  }
  return { id, requests }
}

export function postOf(path: string, body: string): Buffer {
  const length = Buffer.byteLength(body)
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`,
  )
}
