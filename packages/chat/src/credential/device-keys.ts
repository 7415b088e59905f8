/** The keys of one device: each has one use, because a broker's nonce is a signing oracle. SPEC §2.3. */
import { createSigner, KezError, keyOfSecret, type Signer } from "@kez/core"
import { backend } from "#chat-backend"
import { ByteReader, equalBytes, joinBytes } from "../bytes.ts"
import { deriveHpkeKeyPair, type HpkeKeyPair } from "../cipher/hpke.ts"

const secretBytes = 32
const version = 1

/** Secrets of 32 bytes. They stay with the device: no message, log or error holds them. */
export interface DeviceKeys {
  /** Signs for the device: events, credentials, states of conversations. The sigchain lists it. */
  readonly sign: Uint8Array
  /** Logs in to the broker. */
  readonly nats: Uint8Array
  /** Signs in MLS. */
  readonly mls: Uint8Array
  /** What archive keys are sealed to: input of HPKE's DeriveKeyPair. */
  readonly hpke: Uint8Array
}

export interface DevicePublicKeys {
  /** The device, as its sigchain lists it. */
  readonly device: string
  readonly nats: string
  readonly mls: string
  readonly hpke: Uint8Array
}

export function createDeviceKeys(): DeviceKeys {
  const secret = (): Uint8Array => backend.randomBytes(secretBytes)
  return checked({ sign: secret(), nats: secret(), mls: secret(), hpke: secret() })
}

export function deviceSigner(keys: DeviceKeys): Signer {
  return createSigner("ed25519", keys.sign)
}

export function deviceHpkeKeys(keys: DeviceKeys): Promise<HpkeKeyPair> {
  return deriveHpkeKeyPair(keys.hpke)
}

export async function publicDeviceKeys(keys: DeviceKeys): Promise<DevicePublicKeys> {
  const { publicKey } = await deviceHpkeKeys(keys)
  return {
    device: keyOfSecret("ed25519", keys.sign),
    nats: keyOfSecret("ed25519", keys.nats),
    mls: keyOfSecret("ed25519", keys.mls),
    hpke: publicKey,
  }
}

/** For the key store, which encrypts it. */
export function encodeDeviceKeys({ sign, nats, mls, hpke }: DeviceKeys): Uint8Array {
  return joinBytes(Uint8Array.of(version), sign, nats, mls, hpke)
}

export function decodeDeviceKeys(bytes: Uint8Array): DeviceKeys {
  const reader = new ByteReader(bytes, "the keys of this device")
  if (reader.uint(1) !== version) throw new KezError("store.newer", "Cannot read the keys of this device: update KEZ")
  const secret = (): Uint8Array => reader.bytes(secretBytes)
  const keys = { sign: secret(), nats: secret(), mls: secret(), hpke: secret() }
  reader.end()
  return checked(keys)
}

/** A broken source of randomness gives equal bytes; then no key may be used at all. */
function checked(keys: DeviceKeys): DeviceKeys {
  const secrets = [keys.sign, keys.nats, keys.mls, keys.hpke]
  const repeated = secrets.some((a, i) => secrets.some((b, j) => i < j && equalBytes(a, b)))
  if (!repeated && secrets.every((secret) => secret.some((byte) => byte !== 0))) return keys
  throw new KezError("key.weak", "Cannot use the keys of this device: expected four different random secrets", {
    hint: "The source of randomness of this machine is broken. Do not go on with it.",
  })
}
