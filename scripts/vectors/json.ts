/** vectors/json.json and vectors/canonical-json.json. SPEC §3.2 and §3.3. */
import { hex, type VectorCase, type VectorFile } from "./vector-file.ts"

const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels)
const members = (count: number) => `{${Array.from({ length: count }, (_, i) => `"m${i}":${i}`).join(",")}}`

const texts: readonly [id: string, why: string, text: string, code: string | undefined][] = [
  ["object", "every type once", '{"a":null,"b":true,"c":false,"d":[1,"x"],"e":{"f":-7}}', undefined],
  ["space", "the four white-space characters", '\t{ "a"\r:\n1 } ', undefined],
  ["escapes", "escapes that are not control characters", '{"a":"\\u00e9\\/\\"\\\\"}', undefined],
  ["pair", "a pair of surrogate escapes", '{"a":"\\ud83d\\ude00"}', undefined],
  ["max", "2^53 - 1 on both sides", "[9007199254740991,-9007199254740991]", undefined],
  ["depth-8", "eight levels", nested(8), undefined],
  ["members-64", "64 members", members(64), undefined],
  ["proto", "an ordinary name to this parser; every schema refuses it", '{"__proto__":1}', undefined],
  ["empty", "no value", "", "json.syntax"],
  ["trailing", "text after the value", "{} {}", "json.syntax"],
  ["comma", "a comma before the end", "[1,]", "json.syntax"],
  ["single-quotes", "not JSON", "{'a':1}", "json.syntax"],
  ["plus", "a plus sign begins no value", "[+1]", "json.syntax"],
  ["nan", "not JSON", "[NaN]", "json.syntax"],
  ["comment", "not JSON", "[1/**/]", "json.syntax"],
  ["cut", "a missing quote", '{"a', "json.syntax"],
  ["escape", "an unknown escape", '["\\x41"]', "json.syntax"],
  ["unicode-cut", "three digits", '["\\u12"]', "json.syntax"],
  ["form-feed", "not white space in JSON", "[\f1]", "json.syntax"],
  ["nbsp", "not white space in JSON", "[\u00a01]", "json.syntax"],
  ["duplicate", "another parser takes the other one", '{"a":1,"a":2}', "json.duplicate"],
  ["duplicate-escaped", "the same name after unescaping", '{"a":1,"\\u0061":2}', "json.duplicate"],
  ["duplicate-deep", "three levels down, in an array", '{"a":[{"b":{"c":1,"c":1}}]}', "json.duplicate"],
  ["float", "a fraction", "[1.0]", "json.number"],
  ["exponent", "an exponent", "[1e2]", "json.number"],
  ["minus-zero", "0 in some languages", "[-0]", "json.number"],
  ["leading-zero", "a leading zero", "[01]", "json.number"],
  ["minus", "a sign alone", "[-]", "json.number"],
  ["huge", "2^53 + 1 would round", "[9007199254740993]", "json.number"],
  ["overflow", "beyond every float", "[1E400]", "json.number"],
  ["hex-number", "the number ends before the x", "[0x1]", "json.syntax"],
  ["surrogate-high", "a lone high surrogate", '["\\ud800"]', "json.surrogate"],
  ["surrogate-low", "a lone low surrogate", '["\\udc00"]', "json.surrogate"],
  ["surrogate-reversed", "low before high", '["\\udc00\\ud800"]', "json.surrogate"],
  ["surrogate-name", "in a name", '{"\\ud800":1}', "json.surrogate"],
  ["surrogate-text", "high, then another escape", '["\\ud800\\u0041"]', "json.surrogate"],
  ["surrogate-then-cut", "both escapes are read before they are paired", '["\\ud800\\uZZZZ"]', "json.syntax"],
  ["control-raw", "a raw line feed in a string", '["a\nb"]', "json.control"],
  ["control-escaped", "an escaped one", '["a\\nb"]', "json.control"],
  ["control-u", "an escaped NUL", '["\\u0000"]', "json.control"],
  ["control-del", "U+007F", '["\u007f"]', "json.control"],
  ["control-c1", "U+0085", '["\u0085"]', "json.control"],
  ["depth-9", "nine levels", nested(9), "limit.depth"],
  ["depth-objects", "objects count like arrays", `${'{"a":'.repeat(9)}1${"}".repeat(9)}`, "limit.depth"],
  ["members-65", "65 members", members(65), "limit.members"],
  ["first-fault", "the first fault from the left gives the code", '{"a":1.5,"a":1}', "json.number"],
]

const bytes: readonly [id: string, why: string, bytes: readonly number[], code: string][] = [
  ["utf8-ff", "a byte that UTF-8 never has", [0x22, 0xff, 0x22], "text.utf8"],
  ["utf8-overlong", "an overlong slash", [0x22, 0xc0, 0xaf, 0x22], "text.utf8"],
  ["utf8-surrogate", "a surrogate in three bytes", [0x22, 0xed, 0xa0, 0x80, 0x22], "text.utf8"],
  ["utf8-cut", "a cut sequence", [0x22, 0xe2, 0x82], "text.utf8"],
  ["utf8-bom", "a byte order mark", [0xef, 0xbb, 0xbf, 0x7b, 0x7d], "text.bom"],
]

export function json(): VectorFile {
  const cases: VectorCase[] = [
    ...texts.map(([id, why, text, code]) => ({
      id: `json-${id}`,
      why,
      text,
      ...(code === undefined ? { expect: "ok" } : { code }),
    })),
    ...bytes.map(([id, why, raw, code]) => ({ id: `json-${id}`, why, hex: hex(raw), code })),
  ]
  return {
    spec: "§3.1, §3.2",
    about: "Strict decoding of JSON text (text, or hex of its bytes): ok, or the code.",
    cases,
  }
}

const values: readonly [id: string, why: string, value: unknown, canonical: string][] = [
  [
    "order",
    "members by UTF-16 code units, not by code points",
    { "\u{1f600}": 1, "\ufb33": 2, b: 3, a: 4 },
    '{"a":4,"b":3,"\u{1f600}":1,"\ufb33":2}',
  ],
  ["nested", "no white space", { b: [1, { d: "x", c: null }], a: true }, '{"a":true,"b":[1,{"c":null,"d":"x"}]}'],
  [
    "numbers",
    "as ECMAScript writes them",
    [0, -1, 1e21, 1e-7, 0.000001, 1e20],
    "[0,-1,1e+21,1e-7,0.000001,100000000000000000000]",
  ],
  ["minus-zero", "minus zero is written 0", [-0], "[0]"],
  [
    "number-tie",
    "of two shortest texts equally near the one whose last digit is even",
    [1_424_953_923_781_206.2],
    "[1424953923781206.2]",
  ],
  [
    "escapes",
    "the shortest escapes",
    ['"', "\\", "/", "\u0008", "\u000f", "\u20ac"],
    '["\\"","\\\\","/","\\b","\\u000f","\u20ac"]',
  ],
  ["empty", "empty values", [{}, [], ""], '[{},[],""]'],
]

export function canonicalJson(): VectorFile {
  const cases = values.map(([id, why, value, expect]) => ({ id: `jcs-${id}`, why, value, expect }))
  return { spec: "§3.3", about: "RFC 8785 text of a JSON value.", cases }
}
