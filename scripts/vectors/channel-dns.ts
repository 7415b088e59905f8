/** vectors/channel-dns.json: TXT records, and what is taken from them. SPEC §4.5, §7.1. */
import { absent, channelCase, found, invalid } from "./channel-case.ts"
import type { VectorFile } from "./vector-file.ts"

const value = "example.org"
const name = "_kez.example.org"
const proof = "kez:z1:KLUv_SAA"

export function channelDns(): VectorFile {
  const at = (records: readonly string[], other: Readonly<Record<string, readonly string[]>> = {}) => ({
    value,
    txt: { [name]: records, ...other },
  })
  const others = Array.from({ length: 15 }, (_, i) => `other ${i}`)
  return {
    spec: "§7.1",
    about:
      "What the TXT records at _kez.example.org come to, each with one character for a byte. Texts are candidates: none of these is a right proof.",
    cases: [
      channelCase("proof", "one record", at([proof]), found(undefined, [[proof, name]])),
      channelCase(
        "among-others",
        "records that are not ours are ignored, in any case of the prefix ours are not",
        at(["v=spf1 -all", proof, "kez is great", "KEZ:Z1:AAAA"]),
        found(undefined, [
          ["KEZ:Z1:AAAA", name],
          [proof, name],
        ]),
      ),
      channelCase(
        "hint",
        "a hint stands in a record of its own",
        at([proof, "Chain: https://example.org/chain", "Chain: http://example.org/chain"]),
        found(undefined, [[proof, name]], ["https://example.org/chain"]),
      ),
      channelCase(
        "sixteen",
        "as many records as are looked at",
        at([proof, ...others]),
        found(undefined, [[proof, name]]),
      ),
      channelCase("seventeen", "one more", at([proof, "one more", ...others]), invalid("limit.candidates")),
      channelCase(
        "hints",
        "the first four records, in the order of their bytes, and each once",
        at([proof, ...["d", "b", "a", "c", "a"].map((path) => `Chain: https://example.org/${path}`)]),
        found(undefined, [[proof, name]], ["https://example.org/a", "https://example.org/b", "https://example.org/c"]),
      ),
      channelCase(
        "bytes",
        "each byte is a character: what is no ASCII belongs to no proof, and what is no UTF-8 is a candidate all the same",
        at(["kez:z1:KL\u00ff", "kez:z1:KL\u00c3\u00a9", "\u00ff is nobody's business"]),
        found(undefined, [
          ["kez:z1:KL\u00c3\u00a9", name],
          ["kez:z1:KL\u00ff", name],
        ]),
      ),
      channelCase("no-name", "NXDOMAIN is an answer", { value }, absent()),
      channelCase("no-records", "so is a name without TXT records", at([]), absent()),
      channelCase("hint-alone", "a hint is no proof", at(["Chain: https://example.org/chain"]), absent()),
      channelCase(
        "doubled",
        "the panel added the domain to a full name",
        at([], { "_kez.example.org.example.org": [proof] }),
        absent("record is at _kez.example.org.example.org"),
      ),
      channelCase("quoted", "quotes were pasted", at([`"${proof}"`]), absent("quotes are pasted inside the value")),
    ],
  }
}
