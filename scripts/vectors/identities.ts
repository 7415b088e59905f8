/** vectors/identities.json: typed text to canonical identity, or the code. SPEC §1. */
import { alice, aliceNostr } from "./keys.ts"
import type { VectorCase, VectorFile } from "./vector-file.ts"

const npub = aliceNostr.key.slice("nostr:".length)

const accepted: readonly [id: string, why: string, text: string, canonical: string][] = [
  ["ed25519", "64 lower-case hex digits", alice.key, alice.key],
  ["nostr", "npub in lower case", aliceNostr.key, aliceNostr.key],
  ["dns", "two labels", "dns:example.org", "dns:example.org"],
  ["dns-case-dot", "upper case and one trailing dot are typed input", "dns:Example.ORG.", "dns:example.org"],
  [
    "dns-a-label",
    "an internationalised name in its ASCII form",
    "dns:xn--bcher-kva.example",
    "dns:xn--bcher-kva.example",
  ],
  ["dns-63", "a label of 63 characters", `dns:${"a".repeat(63)}.org`, `dns:${"a".repeat(63)}.org`],
  ["github", "a login", "github:jason", "github:jason"],
  ["github-case", "logins are folded", "github:JaSon-1", "github:jason-1"],
  ["github-39", "39 characters", `github:${"a".repeat(39)}`, `github:${"a".repeat(39)}`],
  ["bluesky", "a handle", "bluesky:jason.bsky.social", "bluesky:jason.bsky.social"],
  ["bluesky-at", "one leading @ is typed input", "bluesky:@Jason.bsky.social", "bluesky:jason.bsky.social"],
  ["ap", "user@domain", "ap:jason@example.social", "ap:jason@example.social"],
  [
    "ap-mastodon",
    "the alias mastodon, with @ and upper case",
    "mastodon:@Jason@Example.social",
    "ap:jason@example.social",
  ],
  ["ap-dots", "dots and dashes inside a user name", "ap:a.b-c_d@example.social", "ap:a.b-c_d@example.social"],
  ["kez", "handle@host", "kez:alice@example.org", "kez:alice@example.org"],
  ["kez-localhost", "a server on the same machine", "kez:@alice@localhost", "kez:alice@localhost"],
  ["system-case", "the system name is folded", "GitHub:jason", "github:jason"],
]

const refused: readonly [id: string, why: string, text: string, code: string][] = [
  ["size", "257 bytes; the size comes before everything", `dns:${"é".repeat(254)}`.slice(0, 257), "limit.size"],
  ["charset-kelvin", "U+212A lower-cases to k", "github:\u212aate", "identity.charset"],
  ["charset-umlaut", "a U-label; its A-label is the way", "dns:bücher.example", "identity.charset"],
  ["charset-space", "a space", "github:ja son", "identity.charset"],
  ["charset-newline", "a line feed at the end", "github:jason\n", "identity.charset"],
  ["charset-nul", "a NUL", "github:jason\u0000", "identity.charset"],
  ["charset-fullwidth", "full-width digits", "dns:１.example", "identity.charset"],
  ["no-system", "the system is never optional", "jason", "identity.syntax"],
  ["empty-system", "nothing before the colon", ":jason", "identity.syntax"],
  ["empty-value", "nothing after the colon", "github:", "identity.syntax"],
  ["empty", "no text", "", "identity.syntax"],
  ["unsupported", "a system of another version", "did:web:example.org", "identity.unsupported"],
  ["unsupported-ens", "a system of another program", "ens:jason.eth", "identity.unsupported"],
  ["unsupported-prototype", "a member that every object has is no system", "constructor:x", "identity.unsupported"],
  [
    "ed25519-upper",
    "upper-case hex is not folded",
    alice.key.toUpperCase().replace("ED25519", "ed25519"),
    "key.encoding",
  ],
  ["ed25519-short", "62 digits", alice.key.slice(0, -2), "key.encoding"],
  ["ed25519-0x", "a 0x prefix", `ed25519:0x${alice.key.slice(10)}`, "key.encoding"],
  ["nostr-upper", "all upper case is bech32, not canonical", `nostr:${npub.toUpperCase()}`, "key.encoding"],
  ["nostr-mixed", "mixed case", `nostr:${npub.replace("y", "Y")}`, "key.encoding"],
  ["nostr-checksum", "a wrong checksum", `nostr:${npub.slice(0, -1)}${npub.endsWith("q") ? "p" : "q"}`, "key.encoding"],
  ["nostr-hex", "a hex key", `nostr:${"ab".repeat(32)}`, "key.encoding"],
  [
    "nostr-nsec",
    "a secret key",
    "nostr:nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5",
    "key.encoding",
  ],
  ["dns-one-label", "a single label", "dns:localhost", "identity.syntax"],
  ["dns-two-dots", "two trailing dots", "dns:example.org..", "identity.syntax"],
  ["dns-address", "an IPv4 address", "dns:192.0.2.1", "identity.syntax"],
  ["dns-64", "a label of 64 characters", `dns:${"a".repeat(64)}.org`, "identity.syntax"],
  ["dns-underscore", "no host name", "dns:_kez.example.org", "identity.syntax"],
  ["dns-dash", "a label that ends in -", "dns:example-.org", "identity.syntax"],
  ["github-dash-first", "a leading -", "github:-jason", "identity.syntax"],
  ["github-dash-twice", "two in a row", "github:ja--son", "identity.syntax"],
  ["github-40", "40 characters", `github:${"a".repeat(40)}`, "identity.syntax"],
  ["bluesky-two-at", "only one @ is dropped", "bluesky:@@jason.bsky.social", "identity.syntax"],
  ["ap-no-host", "no host", "ap:jason", "identity.syntax"],
  ["ap-two-hosts", "two @", "ap:jason@a.example@b.example", "identity.syntax"],
  ["ap-localhost", "a host of one label", "ap:jason@localhost", "identity.syntax"],
  ["kez-short", "two characters", "kez:al@example.org", "identity.syntax"],
  ["kez-31", "31 characters", `kez:${"a".repeat(31)}@example.org`, "identity.syntax"],
  ["kez-digit-first", "a leading digit", "kez:1alice@example.org", "identity.syntax"],
  ["kez-mixed-separators", "two separators in a row", "kez:al_-ice@example.org", "identity.syntax"],
]

export function identities(): VectorFile {
  const cases: VectorCase[] = [
    ...accepted.map(([id, why, text, canonical]) => ({ id: `id-${id}`, why, text, expect: canonical })),
    ...refused.map(([id, why, text, code]) => ({ id: `id-${id}`, why, text, code })),
  ]
  return { spec: "§1", about: "Typed text to a canonical identity (expect), or why it is refused (code).", cases }
}
