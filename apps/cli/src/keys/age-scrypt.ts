/**
 * The scrypt stanza of age files (age-encryption.org/v1), by Node's own scrypt: it runs beside the event loop, so that
 * Ctrl-C works meanwhile, and takes two thirds of the time of the one in age-encryption.
 */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto"
import { KezError } from "@kez/core"
import { type Identity, type Recipient, Stanza } from "age-encryption"

/** What `age -p` uses as well: about a second, 256 MiB. */
export const defaultWorkFactor = 18
/** Above it a file only keeps the reader busy: 2^20 takes 4 s and 1 GiB. */
const maxWorkFactor = 20
const label = Buffer.from("age-encryption.org/v1/scrypt")
const blockSize = 8
const tagBytes = 16
/** Each key wraps one file key, so the nonce is fixed (age, "The scrypt recipient type"). */
const nonce = Buffer.alloc(12)

export function scryptRecipient(passphrase: string, workFactor: number): Recipient {
  return {
    async wrapFileKey(fileKey) {
      const salt = randomBytes(16)
      const cipher = createCipheriv("chacha20-poly1305", await stretch(passphrase, salt, workFactor), nonce, {
        authTagLength: tagBytes,
      })
      const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()])
      return [new Stanza(["scrypt", formatSalt(salt), String(workFactor)], body)]
    },
  }
}

/** Throws `limit.work` before any work is done; null, for age-encryption, where the passphrase or stanza is wrong. */
export function scryptIdentity(passphrase: string): Identity {
  return {
    async unwrapFileKey(stanzas) {
      const stanza = stanzas[0]
      const [type, saltText = "", factorText = "", ...rest] = stanza?.args ?? []
      if (stanza === undefined || stanzas.length !== 1 || type !== "scrypt" || rest.length > 0) return null
      const salt = Buffer.from(saltText, "base64")
      if (salt.length !== 16 || formatSalt(salt) !== saltText || !/^[1-9][0-9]*$/.test(factorText)) return null
      if (Number(factorText) > maxWorkFactor) throw tooMuchWork(factorText)
      if (stanza.body.length !== 16 + tagBytes) return null
      return open(stanza.body, await stretch(passphrase, salt, Number(factorText)))
    },
  }
}

function open(body: Uint8Array, key: Buffer): Uint8Array | null {
  const decipher = createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: tagBytes })
  decipher.setAuthTag(body.subarray(-tagBytes))
  try {
    return Buffer.concat([decipher.update(body.subarray(0, -tagBytes)), decipher.final()])
  } catch {
    return null
  }
}

function stretch(passphrase: string, salt: Buffer, workFactor: number): Promise<Buffer> {
  const cost = 2 ** workFactor
  const options = { cost, blockSize, parallelization: 1, maxmem: 256 * blockSize * cost }
  return new Promise((resolve, reject) => {
    scrypt(passphrase, Buffer.concat([label, salt]), 32, options, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}

function formatSalt(salt: Buffer): string {
  return salt.toString("base64").replace(/=+$/, "")
}

function tooMuchWork(factor: string): KezError {
  return new KezError(
    "limit.work",
    `Cannot open the key file: expected a work factor of at most ${maxWorkFactor}, got ${factor.slice(0, 9)}`,
    { hint: "kez did not write this file. Opening it would take minutes and gigabytes." },
  )
}
