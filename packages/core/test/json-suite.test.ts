/** JSONTestSuite and naughty strings: what the strict parser makes of them. SPEC §3.2; adversarial J14, H9. */
import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { test } from "node:test"
import type { Code } from "../src/codes.ts"
import { decodeProof, findProofs } from "../src/encoding/proof.ts"
import { formatIdentity, parseIdentity } from "../src/identity.ts"
import { parseJson } from "../src/json.ts"
import { parseWords } from "../src/mnemonic.ts"
import { decodeText } from "../src/text.ts"
import { publicVectors, readVectorText, skipWithoutVectors } from "./support/public-vectors.ts"
import { codeOf } from "./support/throws.ts"

const folder = "json-test-suite/test_parsing"
const naughty = "naughty-strings/blns.json"

/** Valid JSON that we refuse, and the rule that says so. */
const refusedByRule: Readonly<Record<string, Code>> = {
  // JSON-3: integers only, one spelling each.
  "y_number.json": "json.number",
  "y_number_0e+1.json": "json.number",
  "y_number_0e1.json": "json.number",
  "y_number_double_close_to_zero.json": "json.number",
  "y_number_int_with_exp.json": "json.number",
  "y_number_minus_zero.json": "json.number",
  "y_number_negative_zero.json": "json.number",
  "y_number_real_capital_e.json": "json.number",
  "y_number_real_capital_e_neg_exp.json": "json.number",
  "y_number_real_capital_e_pos_exp.json": "json.number",
  "y_number_real_exponent.json": "json.number",
  "y_number_real_fraction_exponent.json": "json.number",
  "y_number_real_neg_exp.json": "json.number",
  "y_number_real_pos_exponent.json": "json.number",
  "y_number_simple_real.json": "json.number",
  "y_object_extreme_numbers.json": "json.number",
  "y_structure_lonely_negative_real.json": "json.number",
  // JSON-2: no name twice.
  "y_object_duplicated_key.json": "json.duplicate",
  "y_object_duplicated_key_and_value.json": "json.duplicate",
  // JSON-4: no control character, raw or escaped.
  "y_object_escaped_null_in_key.json": "json.control",
  "y_string_allowed_escapes.json": "json.control",
  "y_string_escaped_control_character.json": "json.control",
  "y_string_uescaped_newline.json": "json.control",
  "y_string_null_escape.json": "json.control",
  "y_string_unescaped_char_delete.json": "json.control",
  "y_string_with_del_character.json": "json.control",
}

function suite(prefix: string): readonly (readonly [name: string, code: Code | undefined])[] {
  const path = publicVectors(folder) ?? ""
  return readdirSync(path)
    .filter((name) => name.startsWith(prefix))
    .map((name) => [name, codeOf(() => parseJson(decodeText(readFileSync(`${path}/${name}`), 1_048_576)))])
}

const skip = { skip: skipWithoutVectors(folder) }

test("J14 JSONTestSuite: all 188 n_ files are refused", skip, () => {
  const results = suite("n_")
  assert.deepEqual(
    results.filter(([, code]) => code === undefined),
    [],
  )
  assert.equal(results.length, 188)
})

test("J14 JSONTestSuite: the 95 y_ files are accepted but for those that a rule names", skip, () => {
  const results = suite("y_")
  const refused = Object.fromEntries(results.filter(([, code]) => code !== undefined))
  assert.deepEqual(refused, refusedByRule)
  assert.equal(results.length, 95)
})

test("J14 JSONTestSuite: all 35 i_ files are refused", skip, () => {
  const results = suite("i_")
  assert.deepEqual(
    results.filter(([, code]) => code === undefined),
    [],
  )
  assert.equal(results.length, 35)
})

test("H9 naughty strings are identities in canonical form or typed refusals", {
  skip: skipWithoutVectors(naughty),
}, () => {
  const strings = JSON.parse(readVectorText(naughty)) as string[]
  for (const text of strings) {
    for (const typed of [
      text,
      `dns:${text}`,
      `kez:${text}@a.example`,
      `ap:a@${text}`,
      `ed25519:${text}`,
      `nostr:${text}`,
    ]) {
      const code = codeOf(() => {
        const canonical = formatIdentity(parseIdentity(typed))
        assert.equal(formatIdentity(parseIdentity(canonical)), canonical)
        assert.match(canonical, /^[!-~]{3,256}$/)
      })
      assert.equal(typeof (code ?? ""), "string")
    }
  }
  assert.ok(strings.length >= 500)
})

test("H9 naughty strings are no proof, in every place of a text", { skip: skipWithoutVectors(naughty) }, () => {
  const strings = JSON.parse(readVectorText(naughty)) as string[]
  for (const text of strings) {
    const places = [
      text,
      `kez:z1:${text}`,
      `kez:r1:${text}`,
      `{"kez":${JSON.stringify(text)}}`,
      `\`\`\`kez\n${text}\n\`\`\``,
    ]
    for (const place of [...places, `_kez.a.example. IN TXT "${text}"`]) {
      assert.notEqual(
        codeOf(() => decodeProof(place)),
        undefined,
        JSON.stringify(place),
      )
    }
    codeOf(() => findProofs(text))
    assert.notEqual(
      codeOf(() => parseWords(text)),
      undefined,
    )
  }
})
