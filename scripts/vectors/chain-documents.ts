/** vectors/chain-documents.json: JSONL and its compact form. SPEC §5.9. */
import { encodeBase64Url, formatChain, formatEnvelope, signClaim } from "@kez/core"
import { storeZstd } from "../../packages/core/src/backend/store-zstd.ts"
import { ChainBuilder } from "./chain-builder.ts"
import { bytesOf } from "./frames.ts"
import { alice, phone, start } from "./keys.ts"
import { hex, type VectorCase, type VectorFile } from "./vector-file.ts"

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
    {
      id: "jsonl-compact-bytes",
      why: "in the compact form too it is told first, whatever else is wrong",
      hex: `${hex(bytesOf("kez:zc1:!"))}ff`,
      code: "text.utf8",
    },
    { id: "jsonl-bytes", why: "a byte that UTF-8 never has", hex: `${hex(bytesOf(first))}ff0a`, code: "text.utf8" },
  ]
  return {
    spec: "§5.9",
    about:
      "A chain document (text, or hex of its bytes): the number of its linked events, or the code. Signatures are not looked at.",
    cases,
  }
}
