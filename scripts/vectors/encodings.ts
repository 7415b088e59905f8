/** vectors/encodings.json: texts that hold a proof, and what a reader makes of them. SPEC §4. */
import { type Claim, encodeProof, envelopeDigest, formatEnvelope, signClaim } from "@kez/core"
import { base64, compact, stored } from "./frames.ts"
import { alice, start } from "./keys.ts"
import type { VectorCase, VectorFile } from "./vector-file.ts"

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
    {
      id: "dns-no-blank",
      why: "TXT and the first string with nothing between",
      text: `_kez.example.org. TXT${split}`,
      code: "encoding.unsupported",
    },
    {
      id: "dns-strings-together",
      why: "strings with nothing between",
      text: `_kez.example.org. TXT ${split.replace('" "', '""')}`,
      expect: digest,
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
      id: "two-references",
      why: "a host only says where else to ask",
      text: `kez:r1:${chain} kez:r1:${chain}@example.org`,
      expect: `sha256:${chain}`,
    },
    {
      id: "two-hosts",
      why: "of two that say the same the first is taken, with its host",
      text: `kez:r1:${chain}@example.org kez:r1:${chain}@example.com`,
      expect: `sha256:${chain}`,
      host: "example.org",
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

/** The claim of SPEC §14, compressed once by libzstd 1.5.7 at level 3. */
export const libzstdText =
  "kez:z1:KLUv_WDSAM0IAHbVPh9gaduYWMd8i8fH6yx-RYQ8SASBvGtruyvEZiUGQTgcNwA3ADYAnkvxSleaplS2MiX1P3YOZhMLI8AQAxINiYZEUY9dYwf8G_tM3wI73wXCsYxDLrEsoo-dwhvcQo8AwO4ZjsYhd2AWAI9gJDbhWaPw_gI-aA45TfZUlJXgY7LUQjz-aRNW21or7oT3taV8RXoSQhqLnJuj06e5m_-znZv9cOrdtWe1ZHUdM3_x8gaHXNMFBs20BI3hgNhnDhqrOCzNIY9kp1gsDROPxzVmKvtpe5Ke1hxRS7XdTaGzEOuu4q_fTKd_X9VBKNFJqdSm0rAlyP5LuaLgayIUCQBvBELjDK2OwVA01jb7C852aHnYkGoxU3B7"
