/** Keys for tests, made from names. Anybody can sign with them. */
import { createHash, createPrivateKey, sign as signByOpenSsl } from "node:crypto"
import { canonicalize } from "../../src/canonical.ts"
import { decodeEnvelope, type Envelope, type Payloads } from "../../src/envelope/envelope.ts"
import type { Kind } from "../../src/envelope/kinds.ts"
import { formatHex } from "../../src/hex.ts"
import { createSigner, keyOfSecret, type Signer } from "../../src/signer.ts"
import { type KeySystem, suites } from "../../src/suite/suites.ts"

export interface TestKey {
  /** The key identity. */
  readonly key: string
  readonly system: KeySystem
  readonly secret: Uint8Array
  readonly signer: Signer
  /** Hex signature over any text, whatever it says. */
  sign(text: string): string
}

const made = new Map<string, TestKey>()

/** The same key for the same name, in every test. */
export function keyNamed(name: string, system: KeySystem = "ed25519"): TestKey {
  const known = made.get(`${system} ${name}`)
  if (known !== undefined) return known
  const secret = Uint8Array.from(createHash("sha256").update(`kez test key ${system} ${name}`).digest())
  const key: TestKey = {
    key: keyOfSecret(system, secret),
    system,
    secret,
    signer: createSigner(system, secret),
    sign: system === "ed25519" ? fastSign(secret) : (text) => formatHex(suites[system].sign(Buffer.from(text), secret)),
  }
  made.set(`${system} ${name}`, key)
  return key
}

/** The same signature as the suite's, with a key that is read once: some tests sign 20,000 times. */
function fastSign(secret: Uint8Array): (text: string) => string {
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), secret])
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" })
  return (text) => signByOpenSsl(null, Buffer.from(text), key).toString("hex")
}

/** The text of an envelope around any payload, rightly signed: what a hostile signer can publish. */
export function sealedText(kind: string, payload: unknown, by: TestKey): string {
  const signature = { alg: suites[by.system].alg, key: by.key, sig: by.sign(canonicalize(payload)) }
  return canonicalize({ kez: kind, payload, signature })
}

/** The envelope of a payload that decoding accepts. */
export function sealed<K extends Kind>(kind: K, payload: Payloads[K], by: TestKey): Envelope<K> {
  return decodeEnvelope(sealedText(kind, payload, by), kind)
}
