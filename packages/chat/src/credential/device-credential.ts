/** The statement by which a device binds its broker, MLS and HPKE keys to a chain. SPEC §2.3, `device_credential`. */
import {
  assertSignature,
  type Digest,
  decodeEnvelope,
  type Envelope,
  formatEnvelope,
  formatHex,
  formatTime,
  KezError,
  limits,
  parseKeyIdentity,
  parseTime,
  publicKeyBytes,
  signEnvelope,
  tryParseHex,
} from "@kez/core"
import { encodeText } from "../bytes.ts"
import { clockSkewSeconds, maxCredentialBytes } from "../limits.ts"
import { type DeviceKeys, deviceSigner, publicDeviceKeys } from "./device-keys.ts"

export interface DeviceCredential {
  readonly chain: Digest
  /** The device's key in the sigchain. */
  readonly device: string
  readonly nats: string
  readonly mls: string
  /** 32 bytes each. */
  readonly mlsKey: Uint8Array
  readonly hpkeKey: Uint8Array
  /** Unix seconds. */
  readonly createdAt: number
  readonly expiresAt: number
  readonly envelope: Envelope<"device_credential">
}

export interface CredentialRequest {
  readonly chain: Digest
  readonly keys: DeviceKeys
  /** Unix seconds. */
  readonly now: number
  readonly lifetimeSeconds?: number
}

export async function signDeviceCredential(request: CredentialRequest): Promise<DeviceCredential> {
  const { chain, keys, now, lifetimeSeconds = limits.maxCredentialLifetimeSeconds } = request
  const { nats, mls, hpke } = await publicDeviceKeys(keys)
  const payload = {
    type: "kez.chat.device_credential",
    version: 1,
    chain,
    nats,
    mls,
    hpke: formatHex(hpke),
    created_at: formatTime(now),
    expires_at: formatTime(now + lifetimeSeconds),
  } as const
  return readCredential(await signEnvelope("device_credential", payload, deviceSigner(keys)))
}

/** The identity of an MLS leaf. */
export function encodeCredential({ envelope }: DeviceCredential): Uint8Array {
  return encodeText(formatEnvelope(envelope))
}

/**
 * The credential in the identity of a leaf: size, then structure, then signature. Whether the chain lists the device is asked
 * afterwards. Throws the codes of decoding, or `chat.credential`.
 */
export function decodeCredential(bytes: Uint8Array): DeviceCredential {
  if (bytes.length > maxCredentialBytes) {
    throw new KezError("limit.size", `Cannot read the device credential: expected at most ${maxCredentialBytes} bytes`)
  }
  const envelope = decodeEnvelope(bytes, "device_credential")
  assertSignature(envelope)
  return readCredential(envelope)
}

/** Why it does not count at `at` (Unix seconds), or undefined. */
export function timeFaultOfCredential({ createdAt, expiresAt }: DeviceCredential, at: number): KezError | undefined {
  if (createdAt > at + clockSkewSeconds) {
    return new KezError("chat.credential", "Cannot accept the device: its credential is made in the future", {
      hint: "Compare the clocks of both machines.",
    })
  }
  if (at < expiresAt) return undefined
  return new KezError(
    "chat.credential",
    `Cannot accept the device: its credential expired at ${formatTime(expiresAt)}`,
    {
      hint: "The device renews it when it is online next.",
    },
  )
}

function readCredential(envelope: Envelope<"device_credential">): DeviceCredential {
  const { chain, nats, mls, hpke, created_at, expires_at } = envelope.payload
  const device = envelope.signature.key
  // One key for two uses: a nonce of the broker could then be a signature of MLS.
  if (new Set([device, nats, mls]).size !== 3) throw fault("the same key for two uses")
  const mlsIdentity = parseKeyIdentity(mls)
  if (mlsIdentity.system !== "ed25519") throw fault("an MLS key that is not Ed25519")
  const hpkeKey = tryParseHex(hpke, 32) ?? new Uint8Array()
  const times = { createdAt: parseTime(created_at), expiresAt: parseTime(expires_at) }
  return { chain, device, nats, mls, mlsKey: publicKeyBytes(mlsIdentity), hpkeKey, ...times, envelope }
}

function fault(found: string): KezError {
  return new KezError("chat.credential", `Cannot accept the device: its credential has ${found}`)
}
