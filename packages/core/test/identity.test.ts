/** Identities. SPEC §1; adversarial S9, H1, H2. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { bech32, bech32m } from "@scure/base"
import type { Code } from "../src/codes.ts"
import { KezError } from "../src/error.ts"
import {
  formatIdentity,
  formatKeyIdentity,
  parseCanonicalIdentity,
  parseIdentity,
  parseKeyIdentity,
  publicKeyBytes,
} from "../src/identity.ts"
import { codeOf, refuses } from "./support/throws.ts"

const hex = "ab".repeat(32)
const npub = "npub1xtscya34g58tk0z605fvr788k263gsu6cy9x0mhnm87echrgufzsevkk5s" // NIP-19's example key family
const label63 = "a".repeat(63)

const accepted: readonly (readonly [typed: string, canonical: string])[] = [
  [`ed25519:${hex}`, `ed25519:${hex}`],
  [`ED25519:${hex}`, `ed25519:${hex}`],
  ["dns:example.org", "dns:example.org"],
  ["DNS:Example.ORG.", "dns:example.org"],
  [`dns:${label63}.${label63}.${label63}.${"a".repeat(57)}.xn--p1ai`.slice(0, 256), ""],
  ["dns:xn--bcher-kva.example", "dns:xn--bcher-kva.example"],
  ["dns:1.2.3.a4", "dns:1.2.3.a4"],
  ["github:Octo-Cat", "github:octo-cat"],
  [`github:${"a".repeat(39)}`, `github:${"a".repeat(39)}`],
  ["bluesky:@Name.Bsky.Social", "bluesky:name.bsky.social"],
  ["mastodon:@User_1@Example.org", "ap:user_1@example.org"],
  ["ap:a.b-c@example.org", "ap:a.b-c@example.org"],
  ["kez:@Alice@Localhost", "kez:alice@localhost"],
  ["kez:a-b_c1@chat.example.org", "kez:a-b_c1@chat.example.org"],
]

for (const [typed, canonical] of accepted) {
  if (canonical === "") continue
  test(`ID-4 parseIdentity() canonicalises ${typed}`, () => {
    assert.equal(formatIdentity(parseIdentity(typed)), canonical)
    assert.equal(formatIdentity(parseCanonicalIdentity(canonical)), canonical)
    if (typed !== canonical) refuses(() => parseCanonicalIdentity(typed), "identity.not_canonical")
  })
}

const refused: readonly (readonly [why: string, text: string, code: Code])[] = [
  ["257 bytes", `dns:${"a".repeat(253)}`, "limit.size"],
  ["257 bytes in 89 characters: size counts bytes", `dns:${"€".repeat(85)}`, "limit.size"],
  ["256 bytes, checked further", `dns:${"a".repeat(252)}`, "identity.syntax"],
  ["empty", "", "identity.syntax"],
  ["no colon", "example.org", "identity.syntax"],
  ["empty system", ":example.org", "identity.syntax"],
  ["empty value", "dns:", "identity.syntax"],
  ["unknown system", "did:plc:abc", "identity.unsupported"],
  ["a system named like a member of objects", "__proto__:a", "identity.unsupported"],
  ["constructor as system", "constructor:a", "identity.unsupported"],
  ["a space", "dns:exa mple.org", "identity.charset"],
  ["a line feed at the end", "dns:example.org\n", "identity.charset"],
  ["NUL", "dns:example.org\0", "identity.charset"],
  ["DEL", "dns:example.org\u007f", "identity.charset"],
  ["H1 Kelvin sign, which lower-cases to k", "dns:\u212aez.example", "identity.charset"],
  ["H1 Kelvin sign in the system", "\u212aez:alice@a.example", "identity.charset"],
  ["H1 dotless i", "kez:al\u0131ce@a.example", "identity.charset"],
  ["H1 long s", "kez:\u017fally@a.example", "identity.charset"],
  ["H1 full width", "kez:\uff41lice@a.example", "identity.charset"],
  ["H1 zero width", "kez:al\u200bice@a.example", "identity.charset"],
  ["H1 right-to-left mark", "kez:\u200falice@a.example", "identity.charset"],
  ["H1 combining accent", "kez:a\u0301lice@a.example", "identity.charset"],
  ["lone surrogate", "dns:\ud800.example", "identity.charset"],
  ["U-label", "dns:bücher.example", "identity.charset"],
  ["S9 upper-case hex", `ed25519:${hex.toUpperCase()}`, "key.encoding"],
  ["S9 0x", `ed25519:0x${hex.slice(2)}`, "key.encoding"],
  ["S9 63 digits", `ed25519:${hex.slice(1)}`, "key.encoding"],
  ["S9 66 digits", `ed25519:${hex}ab`, "key.encoding"],
  ["S9 hex as nostr", `nostr:${hex}`, "key.encoding"],
  ["S9 npub with a bad checksum", `nostr:${npub.slice(0, -1)}q`, "key.encoding"],
  ["S9 npub in mixed case", `nostr:${npub.replace("x", "X")}`, "key.encoding"],
  ["S9 npub in upper case", `nostr:${npub.toUpperCase()}`, "key.encoding"],
  ["S9 nsec", "nostr:nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5", "key.encoding"],
  ["single label", "dns:localhost", "identity.syntax"],
  ["numeric last label", "dns:1.2.3.4", "identity.syntax"],
  ["two trailing dots", "dns:example.org..", "identity.syntax"],
  ["empty label", "dns:a..org", "identity.syntax"],
  ["label of 64", `dns:${label63}a.org`, "identity.syntax"],
  ["label with a hyphen first", "dns:-a.org", "identity.syntax"],
  ["label with a hyphen last", "dns:a-.org", "identity.syntax"],
  ["underscore label", "dns:_kez.example.org", "identity.syntax"],
  ["trailing dot in bluesky", "bluesky:a.example.", "identity.syntax"],
  ["two at signs", "bluesky:@@a.example", "identity.syntax"],
  ["github with two hyphens in a row", "github:a--b", "identity.syntax"],
  ["github of 40", `github:${"a".repeat(40)}`, "identity.syntax"],
  ["github with an underscore", "github:a_b", "identity.syntax"],
  ["ap without user", "ap:@example.org", "identity.syntax"],
  ["ap ending in a dot", "ap:a.@example.org", "identity.syntax"],
  ["ap of 65", `ap:${"a".repeat(65)}@example.org`, "identity.syntax"],
  ["ap with a port", "ap:a@example.org:8080", "identity.syntax"],
  ["H2 handle of 2", "kez:ab@a.example", "identity.syntax"],
  ["H2 handle of 31", `kez:${"a".repeat(31)}@a.example`, "identity.syntax"],
  ["H2 handle a--b", "kez:a--b@a.example", "identity.syntax"],
  ["H2 handle a_-b", "kez:a_-b@a.example", "identity.syntax"],
  ["H2 handle with a digit first", "kez:1ab@a.example", "identity.syntax"],
  ["H2 handle with a hyphen last", "kez:abc-@a.example", "identity.syntax"],
  ["kez on another single label", "kez:alice@intranet", "identity.syntax"],
]

for (const [why, text, code] of refused) {
  test(`parseIdentity() when ${why} -> ${code}`, () => refuses(() => parseIdentity(text), code))
}

test("S9 npub in bech32m, with another prefix or of another length -> key.encoding", () => {
  const bytes = publicKeyBytes(parseKeyIdentity(formatKeyIdentity("nostr", new Uint8Array(32).fill(7))))
  const words = bech32.toWords(bytes)
  assert.equal(parseIdentity(`nostr:${bech32.encode("npub", words)}`).system, "nostr")
  const wrong = [
    bech32m.encode("npub", words),
    bech32.encode("note", words),
    bech32.encode("nsec", words),
    bech32.encode("npub", bech32.toWords(bytes.subarray(1))),
    bech32.encode("npub", bech32.toWords(Uint8Array.from([...bytes, 0]))),
    bech32.encode("npub", [...words.slice(0, -1), (words.at(-1) ?? 0) | 1]), // bits that no byte uses
    `${npub}q`,
  ]
  for (const text of wrong) refuses(() => parseIdentity(`nostr:${text}`), "key.encoding")
})

test("ID-7 parseKeyIdentity() of another system -> schema.value", () => {
  refuses(() => parseKeyIdentity("dns:example.org"), "schema.value")
  refuses(() => parseKeyIdentity("did:plc:abc"), "identity.unsupported")
})

test("formatKeyIdentity() and publicKeyBytes() are inverse for both systems", () => {
  const bytes = Uint8Array.from({ length: 32 }, (_, i) => i * 7)
  for (const system of ["ed25519", "nostr"] as const) {
    const text = formatKeyIdentity(system, bytes)
    assert.deepEqual(Buffer.from(publicKeyBytes(parseKeyIdentity(text))), Buffer.from(bytes))
    assert.equal(
      codeOf(() => formatKeyIdentity(system, bytes.subarray(1))),
      "key.encoding",
    )
  }
})

for (const secret of ["nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5", hex, hex.toUpperCase()]) {
  for (const typed of [
    secret,
    `nostr:${secret}x`,
    `${secret}:x`,
    `dns:${secret}`,
    `${secret}:`,
    `ed25519:${secret}é`,
  ]) {
    test(`ID-8 a refusal repeats nothing of ${typed.replace(secret, `a secret of ${secret.length}`)}`, () => {
      try {
        parseIdentity(typed)
        assert.fail("accepted")
      } catch (error) {
        assert.ok(error instanceof KezError)
        const said = `${error.message} ${error.hint}`.toLowerCase()
        assert.ok(!said.includes(secret.slice(6, 20).toLowerCase()), said)
      }
    })
  }
}
