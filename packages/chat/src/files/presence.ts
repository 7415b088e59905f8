/** Where a device is reached for files: signed by the device, at most ten minutes old, told inside a conversation only. SPEC §2.3, `presence`. */
import {
  assertSignature,
  type Digest,
  decodeEnvelope,
  type Envelope,
  formatEnvelope,
  formatTime,
  KezError,
  parseTime,
  signEnvelope,
} from "@kez/core"
import { encodeText } from "../bytes.ts"
import { type DeviceKeys, deviceSigner } from "../credential/device-keys.ts"
import { clockSkewSeconds, maxPresenceBytes } from "../limits.ts"
import type { MoverAddress } from "./mover.ts"

export const presenceLifetimeSeconds = 600
/** Of SPEC §2.3; kez-iroh takes no more of one endpoint either. */
export const maxAddresses = 32

export interface Presence {
  readonly chain: Digest
  readonly device: string
  readonly counter: number
  readonly address: MoverAddress
  /** Unix seconds. */
  readonly expiresAt: number
}

export interface OwnPresence {
  readonly chain: Digest
  readonly keys: DeviceKeys
  readonly address: MoverAddress
  readonly counter: number
  readonly now: number
}

export async function signPresence({ chain, keys, address, counter, now }: OwnPresence): Promise<Uint8Array> {
  const { endpoint, addresses, relay } = address
  const payload = {
    ...({ type: "kez.chat.presence", version: 1 } as const),
    ...{ chain, endpoint, counter, addresses: addresses.slice(0, maxAddresses) },
    ...(relay === undefined ? {} : { relay }),
    ...{ created_at: formatTime(now), expires_at: formatTime(now + presenceLifetimeSeconds) },
  }
  return encodeText(formatEnvelope(await signEnvelope("presence", payload, deviceSigner(keys))))
}

/** Who sent it, by MLS, and what is known of that device already. */
export interface PresenceContext {
  readonly chain: Digest
  readonly device: string
  readonly now: number
  /** Of the last one that was accepted from this device. */
  readonly lastCounter: number | undefined
}

/**
 * Size, structure, whose it is, time, counter, then signature. Two may name one endpoint: who named it first may be the one who lies. Who
 * does not hold its key is given nothing by it, and what he says of it never takes the place of what others say (`addressesOf`, `whoIs`). Throws `limit.size`, `file.presence` or the codes of decoding.
 */
export function readPresence(bytes: Uint8Array, context: PresenceContext): Presence {
  if (bytes.length > maxPresenceBytes)
    throw new KezError("limit.size", `Cannot read the presence: expected at most ${maxPresenceBytes} bytes`)
  const envelope = decodeEnvelope(bytes, "presence")
  const presence = presenceOf(envelope)
  const { chain, device, now, lastCounter } = context
  if (presence.device !== device || presence.chain !== chain) throw fault("another device signed it")
  if (parseTime(envelope.payload.created_at) > now + clockSkewSeconds) throw fault("it is made in the future")
  if (presence.expiresAt <= now) throw fault("it has expired")
  if (lastCounter !== undefined && presence.counter <= lastCounter) throw fault("it came before")
  assertSignature(envelope)
  return presence
}

function presenceOf({ payload, signature }: Envelope<"presence">): Presence {
  const { chain, endpoint, counter, addresses, relay, expires_at } = payload
  return {
    ...{ chain, device: signature.key, counter, expiresAt: parseTime(expires_at) },
    address: { endpoint, addresses, ...(relay === undefined ? {} : { relay }) },
  }
}

function fault(found: string): KezError {
  return new KezError("file.presence", `Cannot accept the presence of a device: ${found}`, {
    hint: "Nothing is given to that place, and nothing is fetched from it.",
  })
}
