/** What the cryptography of a platform makes of fixed inputs, as text: in Node and in a page it is to be the same. */
import type { CipherBackend } from "../../../packages/chat/src/backend/backend.ts"
import { deriveHpkeKeyPair, openHpke, sealHpke } from "../../../packages/chat/src/cipher/hpke.ts"

export const hex = (bytes: Uint8Array | undefined): string =>
  bytes === undefined ? "refused" : [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")
export const unhex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))

const drawn = (seed: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (seed * 31 + i * 17) % 256)

/** RFC 8032 §7.1 test 1, then whatever is drawn, and what is to be refused. */
export async function primitives(backend: CipherBackend): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {}
  found["small order"] = hex(await backend.x25519(drawn(3, 32), new Uint8Array(32)))
  found["rfc8032"] = hex(
    await backend.signEd25519(
      unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
      new Uint8Array(),
    ),
  )
  for (let seed = 0; seed < 24; seed++) {
    const [mine, yours] = [drawn(seed, 32), drawn(seed + 1_000, 32)]
    const publicKey = await backend.x25519PublicKey(yours)
    found[`x25519 ${seed}`] = `${hex(publicKey)} ${hex(await backend.x25519(mine, publicKey))}`
    found[`ed25519 ${seed}`] = hex(await backend.signEd25519(mine, drawn(seed + 7, seed * 11)))
    for (const keyBytes of [16, 32]) {
      const box = { key: drawn(seed, keyBytes), nonce: drawn(seed + 3, 12), additionalData: drawn(seed, seed) }
      const sealed = await backend.sealAesGcm(box, drawn(seed + 5, seed * 13))
      found[`aes ${keyBytes} ${seed}`] = `${hex(sealed)} ${hex(await backend.openAesGcm(box, sealed))}`
      found[`aes altered ${keyBytes} ${seed}`] = hex(
        await backend.openAesGcm({ ...box, key: drawn(9, keyBytes) }, sealed),
      )
      found[`aes short ${keyBytes} ${seed}`] = hex(await backend.openAesGcm(box, sealed.subarray(0, 15)))
    }
  }
  return found
}

/** HPKE (RFC 9180) over the backend of the platform. */
export async function hpkeKey(seed: number): Promise<string> {
  const { publicKey } = await deriveHpkeKeyPair(drawn(seed, 32))
  return hex(publicKey)
}

const context = { info: drawn(1, 9), additionalData: drawn(2, 5) }

export async function hpkeSeal(publicKeyHex: string, text: string): Promise<readonly [string, string]> {
  const { enc, ciphertext } = await sealHpke(unhex(publicKeyHex), new TextEncoder().encode(text), context)
  return [hex(enc), hex(ciphertext)]
}

export async function hpkeOpen(seed: number, [enc, ciphertext]: readonly [string, string]): Promise<string> {
  const { secretKey } = await deriveHpkeKeyPair(drawn(seed, 32))
  const opened = await openHpke(secretKey, { enc: unhex(enc), ciphertext: unhex(ciphertext) }, context)
  return opened === undefined ? "refused" : new TextDecoder().decode(opened)
}
