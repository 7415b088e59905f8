/** Rows sealed with the key of a store: AES-256-GCM, each under its own name, so that no row can be put in the place of another. */
import { KezError } from "@kez/core"
import { backend } from "#chat-backend"
import type { Later } from "../backend/backend.ts"
import { encodeText, joinBytes } from "../bytes.ts"
import { hkdfExpand, hkdfExtract } from "../cipher/hkdf.ts"

const keyBytes = 32
const nonceBytes = 12
/** Drawn at once: a dozen rows are sealed for each message. */
const noncesAtOnce = 256

/** A key of WebCrypto: AES-GCM, 256 bits, for `encrypt` and `decrypt`. It need not be extractable. */
export type SealKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

export interface RowSeal {
  seal(name: string, value: Uint8Array): Promise<Uint8Array>
  /** Throws `store.corrupt` for what was not sealed under this name with this key. */
  open(name: string, sealed: Uint8Array): Promise<Uint8Array>
}

/** `secret`: 32 random bytes, kept where secrets are kept. */
export function createRowSeal(secret: Uint8Array): RowSeal {
  if (secret.length !== keyBytes) {
    throw new KezError("key.encoding", "Cannot open the chat's store: expected a key of 32 bytes")
  }
  const key = hkdfExpand(hkdfExtract(new Uint8Array(), secret), encodeText("kez/chat-store/v1"), keyBytes)
  return rowSealOf({
    seal: (box, value) => backend.sealAesGcm({ key, ...box }, value),
    open: (box, sealed) => backend.openAesGcm({ key, ...box }, sealed),
  })
}

/** With a key whose bytes nobody sees: of a page. */
export function createKeyedRowSeal(key: SealKey): RowSeal {
  // Copies: WebCrypto takes no view of a shared buffer.
  const parametersOf = ({ nonce, additionalData }: Named) => ({
    name: "AES-GCM",
    iv: new Uint8Array(nonce),
    additionalData: new Uint8Array(additionalData),
  })
  return rowSealOf({
    seal: async (box, value) =>
      new Uint8Array(await crypto.subtle.encrypt(parametersOf(box), key, new Uint8Array(value))),
    async open(box, sealed) {
      try {
        return new Uint8Array(await crypto.subtle.decrypt(parametersOf(box), key, new Uint8Array(sealed)))
      } catch {
        return undefined
      }
    },
  })
}

interface Named {
  readonly nonce: Uint8Array
  /** The row's own key. */
  readonly additionalData: Uint8Array
}

interface Sealing {
  readonly seal: (box: Named, value: Uint8Array) => Later<Uint8Array>
  /** Undefined: it was not sealed so. */
  readonly open: (box: Named, sealed: Uint8Array) => Later<Uint8Array | undefined>
}

function rowSealOf(sealing: Sealing): RowSeal {
  let nonces: Uint8Array = new Uint8Array()
  const nextNonce = (): Uint8Array => {
    if (nonces.length === 0) nonces = backend.randomBytes(noncesAtOnce * nonceBytes)
    const nonce = nonces.subarray(0, nonceBytes)
    nonces = nonces.subarray(nonceBytes)
    return nonce
  }
  const boxOf = (name: string, nonce: Uint8Array) => ({ nonce, additionalData: encodeText(name) })
  return {
    async seal(name, value) {
      const nonce = nextNonce()
      return joinBytes(nonce, await sealing.seal(boxOf(name, nonce), value))
    },
    async open(name, sealed) {
      const nonce = sealed.subarray(0, nonceBytes)
      const opened = await sealing.open(boxOf(name, nonce), sealed.subarray(nonceBytes))
      if (opened !== undefined) return opened
      throw new KezError("store.corrupt", "Cannot read the chat's store: a row does not open with its key", {
        hint: "It was altered, or belongs to another account. Nothing was changed.",
      })
    },
  }
}
