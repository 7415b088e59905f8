/** Proofs in documents. SPEC §4.3, §4.4; adversarial Z9, Z11. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Code } from "../src/codes.ts"
import { decodeProof, encodeProof, findProofs } from "../src/encoding/proof.ts"
import { envelopeDigest } from "../src/envelope/envelope.ts"
import { claimOf } from "./support/chains.ts"
import { keyNamed } from "./support/keys.ts"
import { codeOf, refuses } from "./support/throws.ts"

const claim = claimOf("github:alice", keyNamed("alice"))
const other = claimOf("github:bob", keyNamed("alice"))
const json = encodeProof(claim, "json").trim()
const compact = encodeProof(claim, "compact")
const otherCompact = encodeProof(other, "compact")
const hex = "a".repeat(64)
const reference = `kez:r1:${hex}`
const fenced = (text: string, mark = "```", tag = "kez") => `${mark}${tag}\n${text}\n${mark}\n`

/** `1` is the claim, `2` the other one, `r` a reference, else the code of a candidate; in order of appearance. */
function found(text: string): string {
  return findProofs(text)
    .candidates.map((candidate) => {
      if ("error" in candidate) return candidate.error.code
      if (candidate.proof.kind === "reference") return candidate.proof.reference.host ?? "r"
      return candidate.proof.digest === envelopeDigest(claim) ? "1" : "2"
    })
    .join(" ")
}

const table: readonly (readonly [title: string, text: string, expected: string])[] = [
  ["Z11 no fence", "nothing here", ""],
  ["Z11 a fence", `# Hello\n\n${fenced(json)}\nBye`, "1"],
  ["Z11 a fence with compact text", fenced(compact), "1"],
  ["Z11 a fence of tildes", fenced(json, "~~~"), "1"],
  ["Z11 CRLF", fenced(json).replaceAll("\n", "\r\n"), "1"],
  ["Z11 an unclosed fence", `text\n\`\`\`kez\n${json}`, "proof.cut"],
  ["Z11 an unclosed fence, and a token before it", `${compact}\n\`\`\`kez\n${json}`, "1 proof.cut"],
  ["Z11 two fences with different subjects", fenced(json) + fenced(otherCompact), "1 2"],
  ["Z11 an empty fence", fenced(""), "json.syntax"],
  ["Z11 a fence closed by more backticks", `\`\`\`kez\n${json}\n\`\`\`\`\``, "1"],
  ["Z11 a fence is not closed by fewer backticks", `\`\`\`\`kez\n${json}\n\`\`\``, "proof.cut"],
  ["Z11 a fence is not closed by tildes", `\`\`\`kez\n${json}\n~~~`, "proof.cut"],
  ["Z11 a fence is not closed with a word behind", `\`\`\`kez\n${json}\n\`\`\` x`, "proof.cut"],
  ["Z11 a fence is not closed after four spaces", `\`\`\`kez\n${json}\n    \`\`\``, "proof.cut"],
  ["Z11 closing with spaces and tabs behind", `\`\`\`kez\n${json}\n   \`\`\` \t`, "1"],
  ["Z11 tag KEZ", fenced(json, "```", "KEZ"), ""],
  ["Z11 tag kez with more words", fenced(json, "```", " \tkez json title=x"), "1"],
  ["Z11 tag kezx", fenced(json, "```", "kezx"), ""],
  ["Z11 second word kez", fenced(json, "```", "json kez"), ""],
  ["Z11 tag with a no-break space", fenced(json, "```", "kez\u00a0x"), ""],
  ["Z11 info of a backtick fence with a backtick", `\`\`\`kez \`x\n${compact}\n\`\`\`\n`, "1"],
  ["Z11 info of a tilde fence with a backtick", `~~~kez \`x\n${json}\n~~~`, "1"],
  ["Z11 two backticks", `\`\`kez\n${json}\n\`\``, ""],
  ["Z11 three spaces", `   \`\`\`kez\n${json}\n\`\`\``, "1"],
  ["Z11 four spaces", `x\n    \`\`\`kez\n${json}\n    \`\`\``, ""],
  ["Z11 a tab before the fence", `x\n\t\`\`\`kez\n${json}\n\t\`\`\``, ""],
  [
    "Z11 in a quote: a line that begins with > opens nothing",
    `> \`\`\`kez\n> ${json.replaceAll("\n", "\n> ")}\n> \`\`\``,
    "",
  ],
  ["Z11 in a list", `- \`\`\`kez\n  ${json.replaceAll("\n", "\n  ")}\n  \`\`\``, ""],
  ["Z11 in an HTML comment, which is not parsed", `<!--\n${fenced(json)}-->`, "1"],
  ["Z11 in a block of four backticks", `\`\`\`\`md\n${fenced(json)}\`\`\`\``, ""],
  ["Z11 in a block of tildes", `~~~\n${fenced(json)}~~~`, ""],
  ["Z11 tokens in other fences", fenced(compact, "```", "text"), ""],
  ["Z11 after another fence", fenced("x", "```", "js") + fenced(json), "1"],
  [
    "MD-4 tokens at the start, after a space, a tab, on a line",
    `${compact}\nx ${otherCompact}\n\t${reference}`,
    "1 2 r",
  ],
  [
    "MD-4 tokens in brackets, quotes and code",
    `(${compact}) [${compact}] <${compact}> "${compact}" '${compact}' \`${compact}\``,
    "1 1 1 1 1 1",
  ],
  ["MD-4 no token in a word, after a slash or an equals sign", `x${compact} /${compact} =${compact} *${compact}`, ""],
  ["MD-4 a token ends at the first other character", `${compact}, ${compact}.`, "1 1"],
  [
    "MD-4 a reference with host and full stops behind",
    `See ${reference}@store.example... or ${reference}.`,
    "store.example r",
  ],
  ["MD-4 a reference to localhost", `${reference}@localhost x`, "localhost"],
  ["MD-4 a reference with a colon behind", `${reference}@store.example:80 x`, "store.example"],
  ["MD-4 a reference that is too short", `x kez:r1:${hex.slice(1)}`, "encoding.unsupported"],
  ["MD-4 other prefixes in text are no tokens", "x KEZ:Z1:AAAA kez:z2:AAAA kez:zd1:AAAA", ""],
  ["MD-4 an empty token", "x kez:z1: y", "zstd.frame"],
  ["FIND-1 JSON alone, and with white space", ` \r\n${json}\t`, "1"],
  ["FIND-1 JSON cut", json.slice(0, -5), "json.syntax"],
  ["FIND-1 a compact text alone", ` ${compact}\n`, "1"],
  ["Z9 KEZ:Z1: alone", `KEZ:Z1:${compact.slice(7)}`, "encoding.unsupported"],
  ["Z9 kez:z2: alone", "kez:z2:AAAA", "encoding.unsupported"],
  ["Z9 kez:zd1: alone", "kez:zd1:AAAA", "encoding.unsupported"],
  ["Z9 kez:zc1: is no proof", "kez:zc1:AAAA", "encoding.unsupported"],
  ["Z9 in a fence", fenced("KEZ:Z1:AAAA"), "encoding.unsupported"],
  ["FIND-1 with a Kelvin sign it is no prefix", "\u212aez:z1:AAAA", ""],
  ["FIND-5 a zone-file line in a fence", fenced('_kez.a.example. IN TXT "kez:r1:"'), "json.syntax"],
  ["FIND-5 a fence with another text", fenced("[1]"), "json.syntax"],
  ["FIND-5 a fence with much other text", fenced("x".repeat(70_000)), "json.syntax"],
  ["REF-1 hex in capitals", `kez:r1:${hex.toUpperCase()}`, "encoding.unsupported"],
  ["REF-1 host with a port", `${reference}@a.example:80`, "encoding.unsupported"],
  ["REF-1 host in capitals", `${reference}@A.example`, "encoding.unsupported"],
  ["REF-1 two hosts", `${reference}@a.example@b.example`, "encoding.unsupported"],
  ["REF-1 empty host", `${reference}@`, "encoding.unsupported"],
]

for (const [title, text, expected] of table) {
  test(`${title} -> ${expected || "no candidate"}`, () => assert.equal(found(text), expected))
}

const proofs: readonly (readonly [title: string, text: string, expected: Code | undefined])[] = [
  ["FIND-2 none", "nothing", "proof.not_found"],
  ["FIND-2 empty", "", "proof.not_found"],
  ["FIND-3 the same twice, in two forms", `${compact}\n${fenced(json)}`, undefined],
  ["FIND-3 one and a broken one", `kez:z1:AAAA\n${fenced(json)}`, undefined],
  ["FIND-3 two different ones", `${compact}\n${otherCompact}`, "proof.ambiguous"],
  ["FIND-3 a claim and a reference", `${compact}\n${reference}`, "proof.ambiguous"],
  ["FIND-3 two broken ones: the first", `x kez:z1:AAAA\n${fenced("x")}`, "zstd.frame"],
  ["FIND-3 eight", `${compact}\n`.repeat(8), undefined],
  ["Z11 nine", `${compact}\n`.repeat(9), "limit.candidates"],
  ["Z11 nine on one line", `${compact} `.repeat(9), "limit.candidates"],
  ["Z11 eight and an unclosed fence", `${`${compact}\n`.repeat(8)}\`\`\`kez`, "limit.candidates"],
  ["J8 byte order mark", `\ufeff${json}`, "text.bom"],
  ["lone surrogate", `${compact} \ud800`, "text.utf8"],
  ["J15 1 MiB and one byte", `${compact}${" ".repeat(1_048_576)}`, "limit.size"],
]

for (const [title, text, expected] of proofs) {
  test(`${title} -> ${expected ?? "one proof"}`, () =>
    assert.equal(
      codeOf(() => decodeProof(text)),
      expected,
    ))
}

test("FIND-4 hints: https, whole lines outside fences, four of them, of at most 2,048 bytes", () => {
  const url = (name: string) => `https://${name}.example/kez.jsonl`
  const hints = (text: string) => findProofs(text).hints
  assert.deepEqual(hints(`Chain: ${url("a")}\r\nChain: ${url("b")}\n${fenced(json)}Chain: ${url("c")}`), [
    url("a"),
    url("b"),
    url("c"),
  ])
  assert.deepEqual(hints(fenced(`Chain: ${url("a")}`, "```", "x")), [])
  assert.deepEqual(
    hints(`x Chain: ${url("a")}\nchain: ${url("a")}\nChain:${url("a")}\nChain: http://a.example\nChain: https://`),
    [],
  )
  assert.deepEqual(hints(`Chain: https://a.example/ü\nChain: https://a.example/ b`), [])
  const long = (bytes: number) => `https://a.example/`.padEnd(bytes, "x")
  assert.deepEqual(hints(`Chain: ${long(2_049)}\nChain: ${long(2_048)}`), [long(2_048)])
  assert.deepEqual(hints("abcde".replace(/./g, (name) => `Chain: ${url(name)}\n`)), [..."abcd"].map(url))
})

test("MD-5 encodeProof() writes a document for people whose only candidate is the claim", () => {
  const text = encodeProof(claim, "markdown", { chainHint: "https://a.example/chain" })
  assert.equal(found(text), "1")
  assert.deepEqual(findProofs(text).hints, ["https://a.example/chain"])
  for (const line of [
    "Subject: github:alice",
    `Primary: ${claim.payload.primary}`,
    `Created: ${claim.payload.created_at}`,
  ]) {
    assert.ok(text.split("\n").includes(line))
  }
})

test("encodeProof() with a hint that would write more than a hint -> encoding.unsupported", () => {
  const dns = claimOf("dns:a.example", keyNamed("alice"))
  for (const chainHint of [
    "https://a\n```kez\nx\n```",
    "http://a.example",
    "https://a.example/ b",
    'https://a"b',
    "https://a\\b",
    `https://${"a".repeat(2_048)}`,
  ]) {
    for (const form of ["markdown", "dns"] as const)
      refuses(() => encodeProof(dns, form, { chainHint }), "encoding.unsupported")
  }
})

test("encodeProof() of what has no such form -> encoding.unsupported", () => {
  refuses(() => encodeProof(claim, "dns"), "encoding.unsupported")
  refuses(() => encodeProof(claim, "reference"), "encoding.unsupported")
  refuses(() => encodeProof({ chain: `sha256:${hex}` }, "json"), "encoding.unsupported")
  refuses(() => encodeProof({ chain: hex }, "reference"), "encoding.unsupported")
  refuses(() => encodeProof({ chain: `sha256:${hex}`, host: "A.example" }, "reference"), "encoding.unsupported")
})
