/** Replay of a chain of 10,000 events from its JSONL text, against raw verification of every signature in it, `pop` included. */
import { createRequire } from "node:module"
import {
  canonicalize,
  createSigner,
  forgetVerifiedSignatures,
  formatChain,
  parseChain,
  parseKeyIdentity,
  publicKeyBytes,
  replayChain,
  type SigchainEvent,
  signatureCheckCount,
  tryParseHex,
} from "@kez/core"
import { popText } from "../packages/core/src/sigchain/pop.ts"
import { buildEvent } from "../scripts/vectors/chain-builder.ts"
import { compare, median, perSecond, type Row, timed } from "./measure.ts"

const require = createRequire(import.meta.url)
const freeEvents = 9_000

interface RawSignature {
  readonly message: Buffer
  readonly signature: Buffer
  readonly publicKey: Buffer
}

export async function replayRows(rounds: number): Promise<readonly Row[]> {
  const sodium: typeof import("sodium-native") = require("sodium-native")
  const events = await longChain(10_000)
  const text = formatChain(events)
  const signatures = events.flatMap(rawSignatures)
  const raw = () => {
    for (const { signature, message, publicKey } of signatures) {
      if (!sodium.crypto_sign_verify_detached(signature, message, publicKey)) throw new Error("raw verify failed")
    }
  }
  const replay = (chain: readonly SigchainEvent[]) => {
    forgetVerifiedSignatures()
    const before = signatureCheckCount()
    const { head, refused } = replayChain(chain)
    const checked = signatureCheckCount() - before
    if (head.seq !== events.length - 1 || refused.length > 0) throw new Error("the chain does not replay")
    if (checked !== signatures.length) throw new Error(`${checked} signatures checked of ${signatures.length}`)
  }
  const decoded = parseChain(text)
  const fromEvents = compare(rounds, raw, () => replay(decoded))
  const fromText = compare(rounds, raw, () => replay(parseChain(text)))
  const what = `${events.length.toLocaleString("en")} events (${signatures.length.toLocaleString("en")} signatures, pop included)`
  const rate = (ms: number) => perSecond(signatures.length, ms)
  return [
    {
      what: `replay of ${what}, decoded`,
      product: rate(fromEvents.productMs),
      limit: `${rate(fromEvents.limitMs)} raw verify`,
      ratio: fromEvents.ratio,
      target: ">= 0.80",
      holds: fromEvents.ratio >= 0.8,
    },
    {
      what: `the same from JSONL text, decoding included`,
      product: rate(fromText.productMs),
      limit: `${rate(fromText.limitMs)} raw verify`,
      ratio: fromText.ratio,
      target: "for information",
      holds: true,
    },
    extensionRow(events, fromText.productMs / events.length, rounds),
  ]
}

/** Ten more events on a chain of 9,990, against ten times the cost of one event in the replay of all. */
function extensionRow(events: readonly SigchainEvent[], msPerEvent: number, rounds: number): Row {
  const times: number[] = []
  for (let i = 0; i < rounds; i++) {
    const previous = replayChain(events.slice(0, -10))
    const more = parseChain(formatChain(events)).slice(-10)
    forgetVerifiedSignatures()
    times.push(timed(() => replayChain(more, { previous })))
  }
  const ms = median(times)
  const ratio = ms / (10 * msPerEvent)
  return {
    what: "10 more events on a replay of 9,990",
    product: `${ms.toFixed(2)} ms`,
    limit: `${(10 * msPerEvent).toFixed(2)} ms, ten events of a full replay`,
    ratio,
    target: "<= 3 (in proportion to 10, not to 9,990)",
    holds: ratio <= 3,
  }
}

/** Devices that add and revoke subjects, more devices, then revocations by the primary in the reserved places. */
async function longChain(length: number): Promise<readonly SigchainEvent[]> {
  const primary = createSigner("ed25519", new Uint8Array(32).fill(0x42))
  const devices = Array.from({ length: 31 }, (_, i) => createSigner("ed25519", new Uint8Array(32).fill(i + 1)))
  const events: SigchainEvent[] = []
  for (let seq = 0; seq < length; seq++) {
    const after = events.at(-1)
    const device = devices[seq]
    if (device !== undefined) {
      events.push(
        await buildEvent({
          after,
          signer: primary,
          primary: primary.key,
          op: "add_device",
          payload: { key: device.key },
          newKey: device,
        }),
      )
      continue
    }
    const signer = seq < freeEvents ? (devices[seq % devices.length] ?? primary) : primary
    const op = seq < freeEvents && seq % 2 === 0 ? "add" : "revoke"
    events.push(
      await buildEvent({
        after,
        signer,
        primary: primary.key,
        op,
        payload: { subject: `dns:host-${seq % 200}.example.org` },
      }),
    )
  }
  return events
}

function rawSignatures({ payload, signature }: SigchainEvent): readonly RawSignature[] {
  const own = raw(canonicalize(payload), signature.key, signature.sig)
  if (payload.op !== "add_device") return [own]
  const { key, pop } = payload.payload
  return [own, raw(popText(payload, key, "device"), key, pop)]
}

function raw(text: string, key: string, sig: string): RawSignature {
  return {
    message: Buffer.from(text),
    signature: Buffer.from(tryParseHex(sig, 64) ?? []),
    publicKey: Buffer.from(publicKeyBytes(parseKeyIdentity(key))),
  }
}
