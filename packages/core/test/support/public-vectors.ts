/** Readers of the public vectors: Wycheproof and BIP-340. */
import { readFileSync } from "node:fs"
import { publicVectors, skipWithoutVectors } from "../../../../test/support/vectors.ts"

export { publicVectors, skipWithoutVectors }

export const wycheproofPath = "wycheproof/ed25519_test.json"
export const bip340Path = "bip-0340/test-vectors.csv"

export interface SignatureVector {
  readonly id: string
  readonly publicKey: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
  readonly valid: boolean
}

export function readVectorText(path: string): string {
  const full = publicVectors(path)
  if (full === undefined) throw new Error(`missing vectors: ${path}`)
  return readFileSync(full, "utf8")
}

interface WycheproofFile {
  readonly testGroups: readonly {
    readonly publicKey: { readonly pk: string }
    readonly tests: readonly {
      readonly tcId: number
      readonly comment: string
      readonly msg: string
      readonly sig: string
      readonly result: string
    }[]
  }[]
}

export function wycheproof(): readonly SignatureVector[] {
  const { testGroups } = JSON.parse(readVectorText(wycheproofPath)) as WycheproofFile
  return testGroups.flatMap(({ publicKey, tests }) =>
    tests.map(({ tcId, comment, msg, sig, result }) => ({
      id: `${tcId} ${comment}`,
      publicKey: bytes(publicKey.pk),
      message: bytes(msg),
      signature: bytes(sig),
      valid: result === "valid",
    })),
  )
}

export function bip340(): readonly SignatureVector[] {
  const [, ...rows] = readVectorText(bip340Path).trim().split(/\r?\n/)
  return rows.map((row) => {
    const [index = "", , publicKey = "", , message = "", signature = "", result] = row.split(",")
    return {
      id: index,
      publicKey: bytes(publicKey),
      message: bytes(message),
      signature: bytes(signature),
      valid: result === "TRUE",
    }
  })
}

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"))
}
