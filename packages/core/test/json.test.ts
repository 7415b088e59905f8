/** The strict parser. SPEC §3.2; adversarial C.1. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Code } from "../src/codes.ts"
import { parseJson } from "../src/json.ts"
import { jsonValue } from "../src/json-value.ts"
import { decodeText } from "../src/text.ts"
import { codeOf, refuses } from "./support/throws.ts"

const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels)
const members = (count: number) => `{${Array.from({ length: count }, (_, i) => `"m${i}":0`).join(",")}}`

const table: readonly (readonly [title: string, text: string, expected: Code | undefined])[] = [
  ["J1 duplicate member -> json.duplicate", '{"a":1,"a":2}', "json.duplicate"],
  ["J2 duplicate after unescaping -> json.duplicate", '{"a":1,"\\u0061":2}', "json.duplicate"],
  ["J3 duplicate three levels down -> json.duplicate", '{"a":{"b":{"c":1,"c":1}}}', "json.duplicate"],
  ["J3 duplicate inside an array element -> json.duplicate", '[0,{"c":1,"c":1}]', "json.duplicate"],
  ["J3 the same name in two objects", '[{"c":1},{"c":1},{"d":{"c":1}}]', undefined],
  ["J3 names that differ by case", '{"a":1,"A":2}', undefined],
  ["J4 2^53 + 1 -> json.number", '{"seq":9007199254740993}', "json.number"],
  ["J4 2^53 -> json.number", "9007199254740992", "json.number"],
  ["J4 2^53 - 1", "9007199254740991", undefined],
  ["J4 -(2^53 - 1)", "-9007199254740991", undefined],
  ["J4 -(2^53) -> json.number", "-9007199254740992", "json.number"],
  ["J4 400 digits -> json.number", "1".repeat(400), "json.number"],
  ["J5 1.0 -> json.number", "1.0", "json.number"],
  ["J5 1e2 -> json.number", "1e2", "json.number"],
  ["J5 -0 -> json.number", "-0", "json.number"],
  ["J5 1E400 -> json.number", "1E400", "json.number"],
  ["J5 01 -> json.number", "01", "json.number"],
  ["J5 -01 -> json.number", "-01", "json.number"],
  ["J5 a lone minus -> json.number", "-", "json.number"],
  ["J5 1-1 -> json.number", "1-1", "json.number"],
  ["J5 -Infinity -> json.number", "-Infinity", "json.number"],
  ["J5 +1 -> json.syntax", "+1", "json.syntax"],
  ["J5 .5 -> json.syntax", ".5", "json.syntax"],
  ["J5 0x1 -> json.syntax", "0x1", "json.syntax"],
  ["J5 NaN -> json.syntax", "NaN", "json.syntax"],
  ["J6 lone high surrogate in a value -> json.surrogate", '"\\ud800"', "json.surrogate"],
  ["J6 lone low surrogate in a value -> json.surrogate", '"\\udc00x"', "json.surrogate"],
  ["J6 lone surrogate in a name -> json.surrogate", '{"\\ud800":1}', "json.surrogate"],
  ["J6 reversed pair -> json.surrogate", '"\\udc00\\ud800"', "json.surrogate"],
  ["J6 high, then a plain escape -> json.surrogate", '"\\ud800\\u0061"', "json.surrogate"],
  ["J6 high, then a cut escape -> json.syntax", '"\\ud800\\udc0"', "json.syntax"],
  ["J6 a pair of escapes", '"\\ud83d\\ude00"', undefined],
  ["JSON-4 escaped NUL -> json.control", '"\\u0000"', "json.control"],
  ["JSON-4 escaped line feed -> json.control", '"\\n"', "json.control"],
  ["JSON-4 raw tab -> json.control", '"\t"', "json.control"],
  ["JSON-4 raw DEL -> json.control", '"\u007f"', "json.control"],
  ["JSON-4 escaped C1 control -> json.control", '"\\u009f"', "json.control"],
  ["JSON-4 raw C1 control in a name -> json.control", '{"\u0080":1}', "json.control"],
  ["JSON-4 U+00A0 and U+2028 are no controls", '"\u00a0\u2028"', undefined],
  ["JSON-4 unknown escape -> json.syntax", '"\\x41"', "json.syntax"],
  ["JSON-4 cut escape -> json.syntax", '"\\u00', "json.syntax"],
  ["JSON-4 missing quote -> json.syntax", '"abc', "json.syntax"],
  ["JSON-4 the first fault from the left decides", '"\\ud800\\n', "json.surrogate"],
  ["JSON-1 empty text -> json.syntax", "", "json.syntax"],
  ["JSON-1 two values -> json.syntax", "1 2", "json.syntax"],
  ["JSON-1 trailing comma -> json.syntax", '{"a":1,}', "json.syntax"],
  ["JSON-1 trailing comma in an array -> json.syntax", "[1,]", "json.syntax"],
  ["JSON-1 comment -> json.syntax", "/**/1", "json.syntax"],
  ["JSON-1 form feed is no white space -> json.syntax", "\f1", "json.syntax"],
  ["JSON-1 no-break space is no white space -> json.syntax", "\u00a01", "json.syntax"],
  ["JSON-1 the four kinds of white space", ' \t\r\n{ "a" :\n[ ] } ', undefined],
  ["J9 depth 8", nested(8), undefined],
  ["J9 depth 9 -> limit.depth", nested(9), "limit.depth"],
  ["J9 depth 9 of objects -> limit.depth", `${'{"a":'.repeat(9)}0${"}".repeat(9)}`, "limit.depth"],
  ["J9 depth is found before what is inside -> limit.depth", `${"[".repeat(8)}{"a":1,"a"`, "limit.depth"],
  ["JSON-2 64 members", members(64), undefined],
  ["JSON-2 65 members -> limit.members", members(65), "limit.members"],
  ["JSON-2 the 65th name is not read -> limit.members", `${members(64).slice(0, -1)},"m0":0}`, "limit.members"],
  ["JSON-2 elements of arrays are not members", `[${"0,".repeat(500)}0]`, undefined],
]

for (const [title, text, expected] of table) {
  test(expected === undefined ? `${title} -> accepted` : title, () => {
    assert.equal(
      codeOf(() => parseJson(text)),
      expected,
    )
  })
}

test("J9 200,000 nested arrays -> limit.depth, at the ninth bracket", () => {
  let read = 0
  const text = new Proxy(Object(nested(200_000)) as object, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== "function") return value
      return (at: number) => {
        read = Math.max(read, at)
        return Reflect.apply(value, target.toString(), [at])
      }
    },
  })
  refuses(() => parseJson(text as unknown as string), "limit.depth")
  assert.ok(read < 10, `read up to ${read}`)
})

test("J7 bytes that are not UTF-8 -> text.utf8", () => {
  const broken = ["ff", "c0af", "eda080", "e282", "f0808080", "f4908080", "c3", "2280"]
  for (const hex of broken) refuses(() => decodeText(Buffer.from(hex, "hex"), 100), "text.utf8")
  assert.equal(decodeText(Buffer.from("e282ac", "hex"), 100), "€")
})

test("J7 a text with a lone surrogate -> text.utf8", () => {
  refuses(() => decodeText("a\ud800b", 100), "text.utf8")
})

test("J8 byte order mark -> text.bom, in bytes and in text", () => {
  refuses(() => decodeText(Buffer.from("efbbbf7b7d", "hex"), 100), "text.bom")
  refuses(() => decodeText("\ufeff{}", 100), "text.bom")
  assert.equal(decodeText("{}\ufeff", 100), "{}\ufeff")
})

test("J15 sizes are counted in bytes and checked first -> limit.size", () => {
  refuses(() => decodeText("€".repeat(34), 100), "limit.size")
  refuses(() => decodeText(new Uint8Array(101).fill(0xff), 100), "limit.size")
  refuses(() => decodeText(`\ufeff${"x".repeat(100)}`, 100), "limit.size")
  assert.equal(decodeText("€".repeat(33), 99).length, 33)
  assert.equal(decodeText("\u{1f600}", 4), "\u{1f600}")
  refuses(() => decodeText("\u{1f600}", 3), "limit.size")
})

test("J10 parseJson() gives members named like those of Object.prototype as own members", () => {
  const parsed = parseJson('{"__proto__":{"polluted":true},"constructor":1,"toString":2}')
  assert.ok(typeof parsed === "object" && parsed !== null)
  assert.deepEqual(Object.keys(parsed), ["__proto__", "constructor", "toString"])
  assert.equal(Reflect.get({}, "polluted"), undefined)
})

test("JSON-2 a member name does not depend on the texts before it: V8 takes an escaped name for one that is spelled so", () => {
  const before = ['{"x":1,"\\\\":2}', '{"x":1,"k\\\\u":2}']
  const after: readonly (readonly [text: string, names: readonly string[]])[] = [
    ['{"x":1,"\\"":2}', ["x", '"']],
    ['{"x":1,"\\/":2}', ["x", "/"]],
    ['{"x":1,"k\\u0065z":2}', ["x", "kez"]],
  ]
  for (const text of before) parseJson(text)
  for (const [text, names] of after) assert.deepEqual(Object.keys(parseJson(text) ?? {}), names)
})

test("jsonValue() of any text is that of JSON.parse", () => {
  const texts = [
    '"\\u0041\\"\\\\"',
    ' { "a\\n" : [ 1 , -2.5e3 , { } , [ ] , true , null ] ,\r\n"\\u005f_proto__":{"b":"\\\\"}}\t',
    '[[["\\\\"]],{"a":{"b":{"c":"\\/"}}},false]',
  ]
  for (const text of texts) {
    const value = jsonValue(text)
    assert.equal(JSON.stringify(value), JSON.stringify(JSON.parse(text)))
    assert.deepEqual(value, JSON.parse(text))
  }
  for (const cut of ['{"\\n":1', '["\\n"', '"\\n', '{"a\\":']) assert.throws(() => jsonValue(cut), SyntaxError)
})
