/** Keys of NATS: the texts that nats-io/nkeys writes for the same secrets, and texts that are none. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { createSeed, formatPublicKey, formatSeed, isSignedBy, parseSeed, publicBytes, signWith } from "../src/nkey.ts"

const secret = Uint8Array.from({ length: 32 }, (_, i) => i)

/** Made with @nats-io/nkeys 2.0.3 from the same 32 bytes. */
const known = [
  [
    "account",
    "SAAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4HYMHI",
    "AAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3QPZV",
  ],
  [
    "user",
    "SUAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H776Y",
    "UAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3RLKK",
  ],
  [
    "server",
    "SNAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H2D5U",
    "NAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3RSWB",
  ],
  [
    "curve",
    "SXAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H74KM",
    "XCHUBRNNW2HSKYSK4WZBJ2TWPJXMSTMCTU6XWXQ22G5G6PRBHAUF76G7",
  ],
] as const

for (const [role, seed, publicKey] of known) {
  test(`parseSeed() and formatSeed() agree with nkeys on a key of role ${role}`, () => {
    assert.equal(formatSeed(role, secret), seed)
    assert.equal(parseSeed(seed, role).publicKey, publicKey)
    assert.equal(formatPublicKey(role, publicBytes(publicKey, role)), publicKey)
  })
}

test("signWith() makes what isSignedBy() accepts, for this key, role and text only", () => {
  const [key, other] = [parseSeed(createSeed("account"), "account"), parseSeed(createSeed("account"), "account")]
  const bytes = Buffer.from("text")
  const signature = signWith(key, bytes)
  assert.ok(isSignedBy(key.publicKey, "account", { bytes, signature }))
  assert.ok(!isSignedBy(other.publicKey, "account", { bytes, signature }))
  assert.ok(!isSignedBy(key.publicKey, "user", { bytes, signature }))
  assert.ok(!isSignedBy(key.publicKey, "account", { bytes: Buffer.from("texT"), signature }))
  assert.ok(!isSignedBy(key.publicKey, "account", { bytes, signature: signature.subarray(1) }))
})

const seed = formatSeed("user", secret)
const hostile: ReadonlyArray<readonly [name: string, text: string]> = [
  ["nothing", ""],
  ["a character less", seed.slice(0, -1)],
  ["a character more", `${seed}A`],
  ["lower case", seed.toLowerCase()],
  ["one character changed", `${seed.slice(0, 20)}${seed[20] === "A" ? "B" : "A"}${seed.slice(21)}`],
  ["a seed of another role", formatSeed("account", secret)],
  ["a public key", parseSeed(seed, "user").publicKey],
  ["padding", `${seed.slice(0, -1)}=`],
]

for (const [name, text] of hostile) {
  test(`parseSeed() answers key.encoding to ${name}, without a part of it`, () => {
    assert.throws(
      () => parseSeed(text, "user"),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "key.encoding")
        assert.ok(text === "" || !`${error.message} ${String(error.cause)}`.includes(text.slice(4, 20)))
        return true
      },
    )
  })
}
