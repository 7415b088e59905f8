/** JWTs of NATS: JSON signed by an nkey, `alg` always ed25519-nkey. Only what the callout needs. */
import { decodeBase64Url, decodeText, encodeBase64Url, KezError } from "@kez/core"
import { maxCalloutBytes } from "../limits.ts"
import { isSignedBy, type Nkey, type NkeyRole, signWith } from "../nkey.ts"

const header = encodeBase64Url(Buffer.from(JSON.stringify({ typ: "JWT", alg: "ed25519-nkey" })))
const algorithms: readonly unknown[] = ["ed25519-nkey", "ed25519"]

export interface JwtClaims {
  readonly sub: string
  readonly aud: string
  readonly name?: string
  /** Unix seconds. */
  readonly exp?: number
  readonly nats: object
}

export function encodeJwt(claims: JwtClaims, issuer: Nkey, nowSeconds: number): string {
  const body = encodeBase64Url(Buffer.from(JSON.stringify({ ...claims, iss: issuer.publicKey, iat: nowSeconds })))
  const signed = `${header}.${body}`
  return `${signed}.${encodeBase64Url(signWith(issuer, Buffer.from(signed)))}`
}

/** An object of JSON whose members are still unknown. */
export type Unknown = Readonly<Record<string, unknown>>

/** The claims of a JWT that its `iss`, a key of this role, signed. Throws the code of the first check that fails. */
export function verifyJwt(jwt: string, role: NkeyRole): Unknown & { readonly iss: string } {
  if (jwt.length > maxCalloutBytes)
    throw new KezError("limit.size", `Cannot read the JWT: expected at most ${maxCalloutBytes} bytes`)
  const [head, body, signature, ...rest] = jwt.split(".")
  if (head === undefined || body === undefined || signature === undefined || rest.length > 0)
    throw jwtFault("three parts")
  // The algorithm is what we expect or the JWT is refused; it is never obeyed.
  if (!algorithms.includes(parsePart(head)["alg"]))
    throw new KezError("signature.alg", "Cannot accept the JWT: expected ed25519-nkey")
  const claims = parsePart(body)
  const iss = claims["iss"]
  if (typeof iss !== "string") throw jwtFault("an issuer")
  const bytes = Buffer.from(`${head}.${body}`)
  if (!isSignedBy(iss, role, { bytes, signature: decodeBase64Url(signature) })) {
    throw new KezError(
      "signature.invalid",
      `Cannot accept the JWT: expected the signature of its issuer, a key of role ${role}`,
    )
  }
  return { ...claims, iss }
}

function parsePart(part: string): Unknown {
  const value: unknown = parse(decodeText(decodeBase64Url(part), maxCalloutBytes))
  if (!isObject(value)) throw jwtFault("an object in each part")
  return value
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw jwtFault("JSON")
  }
}

export function isObject(value: unknown): value is Unknown {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function jwtFault(expected: string): KezError {
  return new KezError("schema.value", `Cannot read the JWT: expected ${expected}`)
}
