/** A chain with a device, whose event carries a proof of possession. */
import { appendEvent, type ChainReplay, createSigner, type Signer } from "../../src/index.ts"

export const alice = createSigner("ed25519", new Uint8Array(32).fill(71))
const phone = createSigner("ed25519", new Uint8Array(32).fill(72))
const now = 1_800_000_000

export async function start(): Promise<ChainReplay> {
  const operation = { op: "add_device", device: phone } as const
  const begun = await appendEvent({ chain: undefined, operation, now }, alice)
  return appendTo(begun.replay, phone)
}

export async function appendTo(chain: ChainReplay, signer: Signer): Promise<ChainReplay> {
  const operation = { op: "add", subject: `github:user${chain.head.seq}` } as const
  return (await appendEvent({ chain, operation, now }, signer)).replay
}
