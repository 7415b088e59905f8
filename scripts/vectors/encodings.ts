/** vectors/encodings.json: texts that hold a proof or a chain, and what a reader makes of them. SPEC §4 and §5.9. */
import {
  type Claim,
  encodeBase64Url,
  encodeProof,
  envelopeDigest,
  formatChain,
  formatEnvelope,
  signClaim,
} from "@kez/core"
import { storeZstd } from "../../packages/core/src/backend/store-zstd.ts"
import { ChainBuilder } from "./chain-builder.ts"
import { alice, phone, start } from "./keys.ts"
import { hex, type VectorCase, type VectorFile } from "./vector-file.ts"

const bytesOf = (text: string) => new TextEncoder().encode(text)
/** Compact text of a stored frame: the same bytes on every machine, whatever its compressor. */
const stored = (json: string) => `kez:z1:${encodeBase64Url(storeZstd(bytesOf(json)))}`
const frame = (...bytes: readonly number[]) =>
  `kez:z1:${encodeBase64Url(Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, ...bytes]))}`

export async function encodings(): Promise<VectorFile> {
  const claim = await signClaim({ subject: "dns:example.org", createdAt: start }, alice)
  const other = await signClaim({ subject: "dns:example.com", createdAt: start }, alice)
  return {
    spec: "§4",
    about: "The one proof of a text: the digest of the claim, the chain id of a reference, or the code.",
    cases: [...proofs(claim, other), ...markdown(claim, other), ...compact(claim), ...base64()],
  }
}

function proofs(claim: Claim, other: Claim): readonly VectorCase[] {
  const digest = envelopeDigest(claim)
  const compactText = stored(formatEnvelope(claim))
  const split = `"${compactText.slice(0, 255)}" "${compactText.slice(255)}"`
  const chain = "ab".repeat(32)
  return [
    { id: "json", why: "pretty JSON", text: encodeProof(claim, "json"), expect: digest },
    { id: "json-jcs", why: "canonical JSON", text: formatEnvelope(claim), expect: digest },
    { id: "compact", why: "compact text", text: compactText, expect: digest },
    { id: "compact-space", why: "white space around it", text: `\n ${compactText}\r\n`, expect: digest },
    {
      id: "compact-pretty-inside",
      why: "the JSON inside need not be canonical",
      text: stored(JSON.stringify(claim, null, 1)),
      expect: digest,
    },
    { id: "compact-libzstd", why: "a frame of libzstd, level 3", text: libzstdText, expect: digest },
    {
      id: "dns",
      why: "a zone-file line, strings of 255 bytes",
      text: `_kez.example.org. 3600 IN TXT ${split}`,
      expect: digest,
    },
    { id: "dns-short", why: "without TTL and class", text: `_kez.example.org.\tTXT ${split}`, expect: digest },
    {
      id: "dns-quote",
      why: "a string that is not closed",
      text: `_kez.example.org. TXT "${compactText}`,
      code: "encoding.unsupported",
    },
    { id: "reference", why: "a reference", text: `kez:r1:${chain}`, expect: `sha256:${chain}` },
    {
      id: "reference-host",
      why: "a reference with a host",
      text: `kez:r1:${chain}@example.org`,
      expect: `sha256:${chain}`,
      host: "example.org",
    },
    { id: "reference-short", why: "63 digits", text: `kez:r1:${chain.slice(1)}`, code: "encoding.unsupported" },
    {
      id: "reference-upper",
      why: "upper-case hex",
      text: `kez:r1:${chain.toUpperCase()}`,
      code: "encoding.unsupported",
    },
    {
      id: "reference-bad-host",
      why: "a host of one label",
      text: `kez:r1:${chain}@example`,
      code: "encoding.unsupported",
    },
    {
      id: "upper",
      why: "prefixes are case-sensitive",
      text: compactText.replace("kez:z1:", "KEZ:Z1:"),
      code: "encoding.unsupported",
    },
    {
      id: "z2",
      why: "a form of another version",
      text: compactText.replace("kez:z1:", "kez:z2:"),
      code: "encoding.unsupported",
    },
    { id: "chain-as-proof", why: "a chain is no proof", text: "kez:zc1:AAAA", code: "encoding.unsupported" },
    { id: "none", why: "no proof in it", text: "Hello, I am Alice.", code: "proof.not_found" },
    { id: "empty", why: "no text", text: "", code: "proof.not_found" },
    {
      id: "bio",
      why: "a token in running text",
      text: `Gardener. kez:r1:${chain}@example.org. Likes tea.`,
      expect: `sha256:${chain}`,
      host: "example.org",
    },
    { id: "bio-quoted", why: "a token after a quotation mark", text: `my proof: "${compactText}"`, expect: digest },
    { id: "bio-glued", why: "a token glued to a word is none", text: `seekez:r1:${chain}`, code: "proof.not_found" },
    { id: "two-same", why: "the same proof twice is one", text: `${compactText} and ${compactText}`, expect: digest },
    {
      id: "two-different",
      why: "two different proofs",
      text: `${compactText} and ${stored(formatEnvelope(other))}`,
      code: "proof.ambiguous",
    },
    {
      id: "good-and-bad",
      why: "one that decodes and one that does not",
      text: `kez:z1:!!! and ${compactText}`,
      expect: digest,
    },
    { id: "nine", why: "nine candidates", text: `${compactText} `.repeat(9), code: "limit.candidates" },
    {
      id: "event-inside",
      why: "compact text holds claims only",
      text: stored('{"kez":"sigchain_event","payload":{},"signature":{}}'),
      code: "envelope.kind",
    },
    { id: "bom", why: "a byte order mark", text: `\ufeff${formatEnvelope(claim)}`, code: "text.bom" },
  ]
}

function markdown(claim: Claim, other: Claim): readonly VectorCase[] {
  const digest = envelopeDigest(claim)
  const json = formatEnvelope(claim)
  const block = (info: string, body = json, mark = "```") => `${mark}${info}\n${body}\n${mark}\n`
  const hintUrl = "https://example.org/chain.jsonl"
  return [
    { id: "md", why: "what an encoder writes", text: encodeProof(claim, "markdown"), expect: digest, hints: [] },
    {
      id: "md-hint",
      why: "with a hint",
      text: encodeProof(claim, "markdown", { chainHint: hintUrl }),
      expect: digest,
      hints: [hintUrl],
    },
    {
      id: "md-hint-http",
      why: "only https is a hint",
      text: `Chain: http://example.org/\n${block("kez")}`,
      expect: digest,
      hints: [],
    },
    {
      id: "md-hint-inside",
      why: "a hint inside a fence is text",
      text: `${block("text", `Chain: ${hintUrl}`)}${block("kez")}`,
      expect: digest,
      hints: [],
    },
    { id: "md-compact", why: "a fence may hold compact text", text: block("kez", stored(json)), expect: digest },
    { id: "md-tilde", why: "tildes", text: block("kez", json, "~~~~"), expect: digest },
    { id: "md-info-more", why: "more words after the tag", text: block("kez proof"), expect: digest },
    { id: "md-indent-3", why: "three spaces", text: `   ${block("kez")}`, expect: digest },
    {
      id: "md-indent-4",
      why: "four spaces make it code",
      text: `Code:\n    ${block("kez").trimEnd().replaceAll("\n", "\n    ")}\n`,
      code: "proof.not_found",
    },
    {
      id: "md-tab",
      why: "a tab makes it code",
      text: `Code:\n\t${block("kez").trimEnd().replaceAll("\n", "\n\t")}\n`,
      code: "proof.not_found",
    },
    { id: "md-crlf", why: "CRLF", text: block("kez").replaceAll("\n", "\r\n"), expect: digest },
    { id: "md-upper-tag", why: "the tag is kez, not KEZ", text: block("KEZ"), code: "proof.not_found" },
    { id: "md-other-tag", why: "a tag that only begins with kez", text: block("kezz"), code: "proof.not_found" },
    {
      id: "md-quote",
      why: "a fence in a quotation is another's",
      text: block("kez").replace(/^/gm, "> "),
      code: "proof.not_found",
    },
    {
      id: "md-nested",
      why: "inside four backticks it is an example",
      text: `\`\`\`\`text\n${block("kez")}\`\`\`\`\n`,
      code: "proof.not_found",
    },
    { id: "md-comment", why: "HTML is not parsed", text: `<!--\n${block("kez")}-->\n`, expect: digest },
    { id: "md-unclosed", why: "the end is missing", text: `\`\`\`kez\n${json}\n`, code: "proof.cut" },
    {
      id: "md-unclosed-other",
      why: "an unclosed fence of another tag takes the rest",
      text: `\`\`\`text\n${block("kez").slice(0, -4)}`,
      code: "proof.not_found",
    },
    {
      id: "md-shorter-close",
      why: "a shorter run of backticks closes nothing",
      text: `\`\`\`\`kez\n${json}\n\`\`\`\n`,
      code: "proof.cut",
    },
    {
      id: "md-two-subjects",
      why: "two fences, two claims",
      text: block("kez") + block("kez", formatEnvelope(other)),
      code: "proof.ambiguous",
    },
    { id: "md-cut-json", why: "half a block", text: block("kez", json.slice(0, 200)), code: "json.syntax" },
    { id: "md-prose", why: "words in the block", text: block("kez", "here it is"), code: "json.syntax" },
    {
      id: "md-token-in-fence",
      why: "a token in another fence is an example",
      text: block("text", stored(json)),
      code: "proof.not_found",
    },
  ]
}

function compact(claim: Claim): readonly VectorCase[] {
  const whole = storeZstd(bytesOf(formatEnvelope(claim)))
  const text = (bytes: Uint8Array) => `kez:z1:${encodeBase64Url(bytes)}`
  const digest = envelopeDigest(claim)
  // A stored frame has its descriptor at 4, a size of four bytes, and its block header at 9.
  const changed = (at: number, value: number) => text(whole.with(at, value))
  const checked = Uint8Array.from([...whole.with(4, 0xa4), 1, 2, 3, 4])
  return [
    {
      id: "zstd-claims-1.5-gib",
      why: "14 bytes that claim 1.5 GiB",
      text: frame(0xa0, 0, 0, 0, 0x60, 1, 0, 0, 0, 0),
      code: "limit.decompressed",
    },
    {
      id: "zstd-8-byte-size",
      why: "a size of eight bytes",
      text: frame(0xe0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 1, 0, 0),
      code: "limit.decompressed",
    },
    { id: "zstd-magic", why: "another magic number", text: text(whole.with(0, 0x29)), code: "zstd.frame" },
    {
      id: "zstd-skippable",
      why: "a skippable frame in front",
      text: text(Uint8Array.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0, ...whole])),
      code: "zstd.frame",
    },
    { id: "zstd-reserved", why: "the reserved bit", text: changed(4, 0xa8), code: "zstd.frame" },
    { id: "zstd-dictionary", why: "a dictionary id", text: frame(0x21, 1, 5, 1, 0, 0), code: "zstd.dictionary" },
    {
      id: "zstd-window",
      why: "a window of 2 MiB",
      text: frame(0x80, 11 << 3, 5, 0, 0, 0, 1, 0, 0),
      code: "limit.window",
    },
    {
      id: "zstd-checksum",
      why: "a wrong checksum is skipped: the signature is the check",
      text: text(checked),
      expect: digest,
    },
    {
      id: "zstd-checksum-cut",
      why: "a checksum that is missing",
      text: text(checked.subarray(0, -2)),
      code: "zstd.frame",
    },
    {
      id: "zstd-trailing",
      why: "a byte after the frame",
      text: text(Uint8Array.from([...whole, 0])),
      code: "zstd.trailing",
    },
    {
      id: "zstd-two-frames",
      why: "two frames",
      text: text(Uint8Array.from([...whole, ...whole])),
      code: "zstd.trailing",
    },
    { id: "zstd-cut", why: "the last byte is missing", text: text(whole.subarray(0, -1)), code: "zstd.frame" },
    { id: "zstd-header-only", why: "nothing but a header", text: frame(0x20), code: "zstd.frame" },
    {
      id: "zstd-block-type",
      why: "the reserved block type",
      text: changed(9, (whole[9] ?? 0) | 6),
      code: "zstd.frame",
    },
    {
      id: "zstd-size-larger",
      why: "a size larger than the content",
      text: changed(5, (whole[5] ?? 0) + 1),
      code: "zstd.frame",
    },
    {
      id: "zstd-size-smaller",
      why: "a size smaller than the content",
      text: changed(5, (whole[5] ?? 0) - 1),
      code: "zstd.frame",
    },
    { id: "zstd-empty", why: "no content", text: frame(0x20, 0, 1, 0, 0), code: "zstd.frame" },
    {
      id: "zstd-no-size-long",
      why: "no size, and 128 KiB of one byte",
      text: frame(0x00, 0x38, 0x03, 0x00, 0x10, 0x41),
      code: "limit.decompressed",
    },
    { id: "zstd-not-json", why: "a frame that holds no JSON", text: stored("hello"), code: "json.syntax" },
  ]
}

function base64(): readonly VectorCase[] {
  const refused = (id: string, why: string, text: string): VectorCase => ({
    id: `b64-${id}`,
    why,
    text: `kez:z1:${text}`,
    code: "encoding.base64url",
  })
  return [
    refused("length", "length 1 mod 4", "AAAAA"),
    refused("padding", "padding", "AAA="),
    refused("standard", "the alphabet of plain base64", "AA+/"),
    refused("spare-bits", "bits that no byte uses", "AB"),
    refused("spare-bits-3", "two such bits", "AAB"),
    refused("non-ascii", "another letter", "AAAé"),
    { id: "b64-long", why: "87,383 characters", text: `kez:z1:${"A".repeat(87_383)}`, code: "limit.decompressed" },
  ]
}

export async function chainDocuments(): Promise<VectorFile> {
  const chain = new ChainBuilder(alice.key)
  await chain.addDevice("0", undefined, phone, alice)
  await chain.add("1", "0", { signer: phone, op: "add", payload: { subject: "dns:example.org" } })
  await chain.add("2", "1", { signer: alice, op: "revoke", payload: { subject: "dns:example.org" } })
  const lines = chain.pick("0", "1", "2").map(formatEnvelope)
  const [first = "", second = "", third = ""] = lines
  const good = formatChain(chain.pick("0", "1", "2"))
  const foreign = formatEnvelope(
    await chain.add("1b", "0", { signer: alice, op: "revoke", payload: { subject: "dns:example.org" } }),
  )
  const ok = (id: string, why: string, text: string, events: number): VectorCase => ({ id, why, text, expect: events })
  const bad = (id: string, why: string, text: string, code: string): VectorCase => ({ id, why, text, code })
  const cases: VectorCase[] = [
    ok("jsonl", "three events", good, 3),
    ok("jsonl-one", "one event", `${first}\n`, 1),
    ok("jsonl-compact", "the compact form", `kez:zc1:${encodeBase64Url(storeZstd(bytesOf(good)))}`, 3),
    bad("jsonl-empty", "nothing", "", "chain.jsonl"),
    bad("jsonl-no-lf", "no line feed at the end", good.slice(0, -1), "chain.jsonl"),
    bad("jsonl-blank", "an empty line", good.replace("\n", "\n\n"), "chain.jsonl"),
    bad("jsonl-blank-first", "an empty first line", `\n${good}`, "chain.jsonl"),
    bad("jsonl-crlf", "CRLF", good.replaceAll("\n", "\r\n"), "chain.jsonl"),
    bad("jsonl-nul", "a NUL", good.replace("\n", "\u0000\n"), "chain.jsonl"),
    bad("jsonl-two-objects", "two values in a line", `${first}${second}\n`, "chain.jsonl"),
    bad("jsonl-space", "a space after a colon", good.replace('"kez":', '"kez": '), "chain.not_canonical"),
    bad(
      "jsonl-order",
      "members in another order",
      `${JSON.stringify({ signature: JSON.parse(first).signature, payload: JSON.parse(first).payload, kez: "sigchain_event" })}\n`,
      "chain.not_canonical",
    ),
    bad(
      "jsonl-escape",
      "an escape that canonical form does not use",
      good.replace("dns:example", "dns:\\u0065xample"),
      "chain.not_canonical",
    ),
    bad("jsonl-not-genesis", "it begins with event 1", `${second}\n${third}\n`, "chain.genesis"),
    bad("jsonl-gap", "event 1 is missing", `${first}\n${third}\n`, "chain.gap"),
    bad("jsonl-repeat", "event 0 twice", `${first}\n${first}\n`, "chain.repeat"),
    bad("jsonl-shuffled", "lines in another order are not sorted", `${first}\n${third}\n${second}\n`, "chain.gap"),
    bad("jsonl-prev", "an event of another branch before this one", `${first}\n${foreign}\n${third}\n`, "chain.prev"),
    bad(
      "jsonl-claim",
      "a claim in a chain",
      `${formatEnvelope(await signClaim({ subject: "dns:example.org", createdAt: start }, alice))}\n`,
      "envelope.kind",
    ),
    bad("jsonl-line-long", "a line of more than 4,000 bytes", `${" ".repeat(4_001)}\n`, "limit.size"),
    { id: "jsonl-bytes", why: "a byte that UTF-8 never has", hex: `${hex(bytesOf(first))}ff0a`, code: "text.utf8" },
  ]
  return {
    spec: "§5.9",
    about:
      "A chain document (text, or hex of its bytes): the number of its linked events, or the code. Signatures are not looked at.",
    cases,
  }
}

/** The claim of SPEC §14, compressed once by libzstd 1.5.7 at level 3. */
export const libzstdText =
  "kez:z1:KLUv_WDSAM0IAHbVPh9gaduYWMd8i8fH6yx-RYQ8SASBvGtruyvEZiUGQTgcNwA3ADYAnkvxSleaplS2MiX1P3YOZhMLI8AQAxINiYZEUY9dYwf8G_tM3wI73wXCsYxDLrEsoo-dwhvcQo8AwO4ZjsYhd2AWAI9gJDbhWaPw_gI-aA45TfZUlJXgY7LUQjz-aRNW21or7oT3taV8RXoSQhqLnJuj06e5m_-znZv9cOrdtWe1ZHUdM3_x8gaHXNMFBs20BI3hgNhnDhqrOCzNIY9kp1gsDROPxzVmKvtpe5Ke1hxRS7XdTaGzEOuu4q_fTKd_X9VBKNFJqdSm0rAlyP5LuaLgayIUCQBvBELjDK2OwVA01jb7C852aHnYkGoxU3B7"
