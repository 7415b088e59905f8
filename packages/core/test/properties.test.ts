/** Properties of texts: what is written is read back, and everything else is refused with a code. Adversarial E-1, E-2, E-4, E-5. */
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { canonicalize } from "../src/canonical.ts"
import { decodeProof, encodeProof, findProofs, type ProofForm } from "../src/encoding/proof.ts"
import { decodeEnvelope, envelopeDigest, formatEnvelope } from "../src/envelope/envelope.ts"
import { assertSignature } from "../src/envelope/verify.ts"
import { formatIdentity, parseIdentity } from "../src/identity.ts"
import { parseJson, scanJson } from "../src/json.ts"
import { parseWords } from "../src/mnemonic.ts"
import { encodeChain, formatChain, parseChain } from "../src/sigchain/document.ts"
import { decodeText } from "../src/text.ts"
import { verifyClaim } from "../src/verify/verify.ts"
import { claimOf, now } from "./support/chains.ts"
import { keyNamed } from "./support/keys.ts"
import { holds } from "./support/property.ts"
import { question } from "./support/questions.ts"
import { mutated, randomFrom } from "./support/random.ts"
import { forkedChain } from "./support/random-chains.ts"
import { codeOf } from "./support/throws.ts"

const subject = fc.constantFrom(
  "dns:a.example",
  "dns:A.Example.",
  "github:Alice",
  "mastodon:@u@a.example",
  "bluesky:a.example",
  "kez:alice@localhost",
)
const claim = fc
  .tuple(
    subject,
    fc.constantFrom("one", "two"),
    fc.constantFrom("ed25519" as const, "nostr" as const),
    fc.nat(now),
    fc.option(fc.nat(1_000_000)),
  )
  .map(([name, key, system, created, lasts]) =>
    claimOf(
      name,
      keyNamed(`claim ${key}`, system),
      lasts === null ? { created } : { created, expires: created + lasts + 1 },
    ),
  )
const isDns = (name: string) => name.startsWith("dns:")

test("E-5 decodeProof() of encodeProof() is the claim, in each form it has", () => {
  holds(
    fc.property(
      claim,
      fc.constantFrom<ProofForm>("json", "compact", "markdown", "dns"),
      fc.option(fc.webUrl()),
      (made, form, url) => {
        if (form === "dns" && !isDns(made.payload.subject)) return
        const options = url === null || !/^https:[!#-[\]-~]+$/.test(url) ? {} : { chainHint: url }
        const text = encodeProof(made, form, options)
        const proof = decodeProof(text)
        assert.ok(proof.kind === "claim")
        assert.equal(proof.digest, envelopeDigest(made))
        assert.equal(formatEnvelope(proof.claim), formatEnvelope(made))
        assertSignature(proof.claim)
        assert.equal(encodeProof(proof.claim, form, options), text)
      },
    ),
    200,
  )
})

test("E-5 decodeProof() of a reference is the reference", () => {
  const hex = fc.stringMatching(/^[0-9a-f]{64}$/)
  const host = fc.option(
    fc.oneof(fc.constant("localhost"), fc.stringMatching(/^[a-z]{1,9}(-[0-9]{1,3})?\.[a-z]{1,5}$/)),
    { nil: undefined },
  )
  holds(
    fc.property(hex, host, (id, name) => {
      const reference = name === undefined ? { chain: `sha256:${id}` } : { chain: `sha256:${id}`, host: name }
      assert.deepEqual(decodeProof(encodeProof(reference, "reference")), { kind: "reference", reference })
      assert.deepEqual(findProofs(`See <${encodeProof(reference, "reference")}>.`).candidates[0], {
        text: encodeProof(reference, "reference"),
        proof: { kind: "reference", reference },
      })
    }),
    200,
  )
})

test("E-5 parseChain() of formatChain() and of encodeChain() is the branch", () => {
  holds(
    fc.property(forkedChain, (events) => {
      const branch = [events[0], events[1], events[2]].filter((event) => event !== undefined)
      for (let next = branch.at(-1); next !== undefined; ) {
        const last = envelopeDigest(next)
        next = events.find(({ payload }) => payload.prev === last)
        if (next !== undefined) branch.push(next)
      }
      const text = formatChain(branch)
      assert.equal(formatChain(parseChain(text)), text)
      assert.equal(formatChain(parseChain(encodeChain(branch))), text)
    }),
    40,
  )
})

const integer = fc.maxSafeInteger().map((n) => (Object.is(n, -0) ? 0 : n))
const plainText = fc.string({ unit: "grapheme" }).filter((text) => text.isWellFormed())
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false),
    integer,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    plainText,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(plainText, fc.constantFrom("__proto__", "constructor", "\u{1f600}", "\ufb33", "€", "a", "aa")),
      tie("value"),
      { maxKeys: 5 },
    ),
  ),
}))

test("E-2 canonicalize() is a fixed point, is blind to the order of members, and equals another implementation", () => {
  holds(
    fc.property(value, (anything) => {
      const text = canonicalize(anything)
      assert.equal(canonicalize(JSON.parse(text)), text)
      assert.equal(canonicalize(reversed(anything)), text)
      assert.equal(text, independent(anything))
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(anything)))
    }),
    400,
  )
})

test("E-1 scanJson() accepts only what JSON.parse takes, and knows canonical form", () => {
  const spaces = fc.constantFrom("", " ", "\n", "\t\r")
  const mangled = fc.tuple(
    value,
    fc.nat(4),
    fc.nat(10_000),
    fc.stringMatching(/^[{}[\]",:\\u0-9a-f\-+.eE ]{0,2}$/),
    spaces,
  )
  let accepted = 0
  let canonical = 0
  holds(
    fc.property(mangled, ([anything, style, at, insert, space]) => {
      const plain = style === 0 ? canonicalize(anything) : JSON.stringify(anything, null, style - 1)
      const place = at % (plain.length + 1)
      const text = style === 4 || at % 3 > 0 ? `${space}${plain}` : plain.slice(0, place) + insert + plain.slice(place)
      if (!text.isWellFormed()) return
      let isCanonical = false
      const code = codeOf(() => {
        isCanonical = scanJson(text)
      })
      if (code !== undefined) return
      accepted++
      const parsed: unknown = JSON.parse(text)
      assert.equal(isCanonical, canonicalize(parsed) === text, text)
      assert.deepEqual(parseJson(canonicalize(parsed)), parsed)
      if (isCanonical) canonical++
    }),
    2_000,
  )
  assert.ok(accepted > 200 && canonical > 50, `${accepted} accepted, ${canonical} canonical`)
})

const tokens = [
  "kez:",
  "z1:",
  "r1:",
  "zc1:",
  "{",
  "}",
  "[",
  '"',
  "```kez\n",
  "```",
  "\n",
  "Chain: https://a.example",
  "_kez.a. TXT ",
  "a".repeat(64),
  "KLUv_",
  "ed25519:",
  "@",
  ".",
  "\ufeff",
  "\0",
  "\ud800",
  "💥",
  "abandon ",
]
const garbage = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .array(fc.oneof(fc.constantFrom(...tokens), fc.string({ maxLength: 6 })), { maxLength: 12 })
    .map((parts) => parts.join("")),
)

test("E-5 any text or bytes into the decoders: a value or a KezError", () => {
  holds(
    fc.property(garbage, fc.uint8Array({ maxLength: 80 }), (text, bytes) => {
      for (const input of [text, bytes]) {
        codeOf(() => findProofs(input))
        codeOf(() => decodeProof(input))
        codeOf(() => parseChain(input))
        codeOf(() => decodeText(input, 50))
      }
      codeOf(() => decodeEnvelope(bytes, "sigchain_event"))
      codeOf(() => parseWords(text))
      codeOf(() => parseJson(text))
      codeOf(() => assert.match(formatIdentity(parseIdentity(text)), /^[!-~]+$/))
      const publication = { status: "found", candidates: [{ text, foundAt: text }] } as const
      assert.notEqual(verifyClaim(question(publication)).status, "valid")
    }),
    1_500,
  )
})

test("E-4 one to four faults in anything form of a valid claim: refused, or the same digest", () => {
  const random = randomFrom(4)
  const made = claimOf("dns:a.example", keyNamed("alice"))
  let refused = 0
  for (const form of ["json", "compact", "markdown", "dns"] as const) {
    const bytes = Buffer.from(
      encodeProof(made, form, { ...(form === "json" || form === "compact" ? {} : { chainHint: "https://a.example" }) }),
    )
    for (let i = 0; i < 1_000; i++) {
      const code = codeOf(() => {
        const proof = decodeProof(mutated(bytes, random))
        if (proof.kind === "reference") return
        assertSignature(proof.claim)
        assert.equal(proof.digest, envelopeDigest(made))
      })
      if (code !== undefined) refused++
    }
  }
  assert.ok(refused > 1_000, `${refused}`)
})

/** RFC 8785 once more, by another way: members as UTF-16BE bytes, compared as such. */
function independent(anything: unknown): string {
  if (Array.isArray(anything)) return `[${anything.map(independent).join(",")}]`
  if (typeof anything !== "object" || anything === null)
    return typeof anything === "string" ? quoted(anything) : `${Object.is(anything, -0) ? 0 : anything}`
  const members = Object.entries(anything).map(([name, member]) => ({
    name,
    order: Buffer.from(name, "utf16le").swap16(),
    member,
  }))
  members.sort((a, b) => Buffer.compare(a.order, b.order))
  return `{${members.map(({ name, member }) => `${quoted(name)}:${independent(member)}`).join(",")}}`
}

const short: Readonly<Record<string, string>> = {
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\f": "\\f",
  "\r": "\\r",
  '"': '\\"',
  "\\": "\\\\",
}

function quoted(text: string): string {
  let said = ""
  for (const character of text) {
    const code = character.charCodeAt(0)
    said += short[character] ?? (code < 0x20 ? `\\u${code.toString(16).padStart(4, "0")}` : character)
  }
  return `"${said}"`
}

function reversed(anything: unknown): unknown {
  if (Array.isArray(anything)) return anything.map(reversed)
  if (typeof anything !== "object" || anything === null) return anything
  // fromEntries defines members, so that one named __proto__ stays one.
  return Object.fromEntries(
    Object.entries(anything)
      .reverse()
      .map(([name, member]) => [name, reversed(member)]),
  )
}
