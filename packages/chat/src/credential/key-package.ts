/** Key packages: what others need to add this device to a conversation. RFC 9420 §10; one-time and last-resort. */
import { type Digest, KezError, keyOfSecret, parseKeyIdentity, publicKeyBytes } from "@kez/core"
import {
  type Capabilities,
  encodeMlsMessage,
  generateKeyPackageWithKey,
  type KeyPackage,
  type PrivateKeyPackage,
} from "ts-mls"
import { makeKeyPackageRef, verifyKeyPackage as verifySignature } from "ts-mls/keyPackage.js"
import { verifyLeafNodeSignatureKeyPackage } from "ts-mls/leafNode.js"
import { ByteReader, equalBytes, joinBytes, sized } from "../bytes.ts"
import type { Chains } from "../chains.ts"
import { parseKeyPackageMessage } from "../cipher/mls-message.ts"
import { suite, suiteName } from "../cipher/suite.ts"
import { digestOfBytes } from "../digests.ts"
import { clockSkewSeconds, maxKeyPackageBytes, maxKeyPackageLifetimeSeconds } from "../limits.ts"
import { assertDevice } from "./check-device.ts"
import { type DeviceCredential, encodeCredential } from "./device-credential.ts"
import type { DeviceKeys } from "./device-keys.ts"

/** `last_resort` of the MLS extensions, an extension of the key package alone. */
const lastResortExtension = 10

/** Exactly this: no extensions, no proposals of others' making. */
export const capabilities: Capabilities = {
  versions: ["mls10"],
  ciphersuites: [suiteName],
  extensions: [],
  proposals: [],
  credentials: ["basic"],
}

export interface OwnKeyPackage {
  /** What is handed out. */
  readonly bytes: Uint8Array
  /** Names it in a Welcome. */
  readonly ref: Digest
  readonly isLastResort: boolean
  readonly expiresAt: number
  readonly keyPackage: KeyPackage
  readonly secrets: PrivateKeyPackage
}

export interface KeyPackageRequest {
  readonly keys: DeviceKeys
  readonly credential: DeviceCredential
  /** Unix seconds. */
  readonly now: number
  readonly isLastResort?: boolean
  readonly lifetimeSeconds?: number
}

export async function createKeyPackage(request: KeyPackageRequest): Promise<OwnKeyPackage> {
  const { keys, credential, now, isLastResort = false } = request
  if (keyOfSecret("ed25519", keys.mls) !== credential.mls) {
    throw new KezError("chat.credential", "Cannot make a key package: the credential is for other keys")
  }
  const lifetimeSeconds = Math.min(request.lifetimeSeconds ?? maxKeyPackageLifetimeSeconds, credential.expiresAt - now)
  const { publicPackage, privatePackage } = await generateKeyPackageWithKey(
    { credentialType: "basic", identity: encodeCredential(credential) },
    capabilities,
    { notBefore: BigInt(now - clockSkewSeconds), notAfter: BigInt(now + lifetimeSeconds) },
    isLastResort ? [{ extensionType: lastResortExtension, extensionData: new Uint8Array() }] : [],
    { signKey: keys.mls, publicKey: publicKeyBytes(parseKeyIdentity(credential.mls)) },
    suite,
  )
  return ownKeyPackage(publicPackage, privatePackage)
}

export interface VerifiedKeyPackage {
  readonly keyPackage: KeyPackage
  readonly credential: DeviceCredential
  readonly ref: Digest
  readonly isLastResort: boolean
}

/**
 * A key package that a server handed out: size, spelling, suite, lifetime at `now`, both signatures, and that the chain of the member
 * lists the device. Throws `limit.size`, `chat.encoding`, `chat.key_package`, `chat.credential` or `chain.unknown`.
 */
export async function verifyKeyPackage(
  bytes: Uint8Array,
  { chains, now }: { readonly chains: Chains; readonly now: number },
): Promise<VerifiedKeyPackage> {
  const keyPackage = parseKeyPackageMessage(bytes, maxKeyPackageBytes)
  const fault = formFaultOfKeyPackage(keyPackage) ?? lifetimeFault(keyPackage, now)
  if (fault !== undefined) throw fault
  const { leafNode } = keyPackage
  const isSigned =
    leafNode.leafNodeSource === "key_package" &&
    (await verifyLeafNodeSignatureKeyPackage(leafNode, suite.signature)) &&
    (await verifySignature(keyPackage, suite.signature))
  if (!isSigned) throw packageFault("it is not signed by its device")
  const credential = assertDevice(leafNode, { chains, head: () => undefined, at: now })
  return { keyPackage, credential, ref: await refOf(keyPackage), isLastResort: hasLastResort(keyPackage) }
}

/** What can be judged without a clock: suite, version, capabilities, keys, extensions. */
export function formFaultOfKeyPackage({
  version,
  cipherSuite,
  initKey,
  leafNode,
  extensions,
}: KeyPackage): KezError | undefined {
  if (version !== "mls10" || cipherSuite !== suiteName) return packageFault("it is of another ciphersuite")
  if (leafNode.leafNodeSource !== "key_package") return packageFault("its leaf is not that of a key package")
  if (!hasOurCapabilities(leafNode.capabilities) || leafNode.extensions.length > 0) {
    return packageFault("it offers other capabilities than this version of KEZ has")
  }
  const [extension, ...others] = extensions
  const isKnown = extension === undefined || extension.extensionType === lastResortExtension
  if (!isKnown || others.length > 0 || (extension?.extensionData.length ?? 0) > 0)
    return packageFault("it has unknown extensions")
  if (initKey.length !== 32 || leafNode.hpkePublicKey.length !== 32) return packageFault("its keys have a wrong length")
  return equalBytes(initKey, leafNode.hpkePublicKey) ? packageFault("it uses one key twice") : undefined
}

export function hasOurCapabilities(offered: Capabilities): boolean {
  const isOnly = (list: readonly (string | number)[], entry: string): boolean => list.length === 1 && list[0] === entry
  return (
    isOnly(offered.versions, "mls10") &&
    isOnly(offered.ciphersuites, suiteName) &&
    isOnly(offered.credentials, "basic") &&
    offered.extensions.length === 0 &&
    offered.proposals.length === 0
  )
}

/** Whether it counts at `at` (Unix seconds). For an addition, that is the time that the commit states, so that all judge alike. */
export function lifetimeFault({ leafNode }: KeyPackage, at: number): KezError | undefined {
  if (leafNode.leafNodeSource !== "key_package") return packageFault("it has no lifetime")
  const { notBefore, notAfter } = leafNode.lifetime
  if (notAfter - notBefore > BigInt(maxKeyPackageLifetimeSeconds + 2 * clockSkewSeconds)) {
    return packageFault("it would be valid for more than 90 days")
  }
  if (BigInt(at + clockSkewSeconds) < notBefore) return packageFault("it is made in the future")
  return BigInt(at) > notAfter ? packageFault("it has expired") : undefined
}

/** For the key store, which encrypts it. */
export function encodeOwnKeyPackage({ bytes, secrets }: OwnKeyPackage): Uint8Array {
  return joinBytes(sized(bytes), secrets.initPrivateKey, secrets.hpkePrivateKey, secrets.signaturePrivateKey)
}

export async function decodeOwnKeyPackage(stored: Uint8Array): Promise<OwnKeyPackage> {
  const reader = new ByteReader(stored, "a stored key package")
  const bytes = reader.sized(maxKeyPackageBytes)
  const secrets = {
    initPrivateKey: reader.bytes(32),
    hpkePrivateKey: reader.bytes(32),
    signaturePrivateKey: reader.bytes(32),
  }
  reader.end()
  return ownKeyPackage(parseKeyPackageMessage(bytes, maxKeyPackageBytes), secrets)
}

async function ownKeyPackage(keyPackage: KeyPackage, secrets: PrivateKeyPackage): Promise<OwnKeyPackage> {
  const { leafNode } = keyPackage
  return {
    bytes: encodeMlsMessage({ version: "mls10", wireformat: "mls_key_package", keyPackage }),
    ref: await refOf(keyPackage),
    isLastResort: hasLastResort(keyPackage),
    expiresAt: leafNode.leafNodeSource === "key_package" ? Number(leafNode.lifetime.notAfter) : 0,
    keyPackage,
    secrets,
  }
}

async function refOf(keyPackage: KeyPackage): Promise<Digest> {
  return digestOfBytes(await makeKeyPackageRef(keyPackage, suite.hash))
}

function hasLastResort({ extensions }: KeyPackage): boolean {
  return extensions.some(({ extensionType }) => extensionType === lastResortExtension)
}

function packageFault(found: string): KezError {
  return new KezError("chat.key_package", `Cannot use the key package: ${found}`, {
    hint: "Ask the server for another one. When none is sound, its device has to upload new ones.",
  })
}
