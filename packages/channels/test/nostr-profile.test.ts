/** The proof in a profile's about: added, replaced, taken away, all else as it was. SPEC §7.4. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { parseProfile, readAbout, withoutProofs, withProof } from "../src/nostr-profile.ts"

const proof = "kez:z1:KLUv_SAA"
const longer = `${proof}AAAA`
const reference = `kez:r1:${"0a".repeat(32)}`
const fence = '```kez\n{"kez":"claim"}\n```'
const always = () => true
const never = () => false

const removals: readonly (readonly [about: string, rest: string])[] = [
  [proof, ""],
  [`I write.\n\n${proof}`, "I write."],
  [`${proof}\n\nI write.`, "I write."],
  [`I write.\n\n\n${proof}\n\nOften.`, "I write.\n\nOften."],
  [`proof: ${proof} and more`, "proof:  and more"],
  [`I write.\n\n${fence}\n\nOften.`, "I write.\n\nOften."],
  [fence, ""],
  [`a ${proof} b ${longer} c ${reference}`, "a  b  c"],
  ["I write.\n\n\n\nOften.", "I write.\n\n\n\nOften."],
]

for (const [about, rest] of removals) {
  test(`withoutProofs() leaves ${JSON.stringify(rest)} of ${JSON.stringify(about.slice(0, 40))}`, () => {
    assert.equal(withoutProofs(about, always), rest)
    assert.equal(withoutProofs(about, never), about)
  })
}

test("withProof() makes the proof the last paragraph, in place of an earlier one", () => {
  assert.equal(withProof("", proof, always), proof)
  assert.equal(withProof("I write. ", proof, always), `I write.\n\n${proof}`)
  assert.equal(withProof(`I write.\n\n${longer}`, proof, always), `I write.\n\n${proof}`)
  assert.equal(withProof(`I write.\n\n${longer}`, proof, never), `I write.\n\n${longer}\n\n${proof}`)
})

test("withoutProofs() touches only what is ours", () => {
  const about = `${proof}\n\n${longer}\n\n${reference}`
  assert.equal(
    withoutProofs(about, (text) => text === proof),
    `${longer}\n\n${reference}`,
  )
})

test("parseProfile() and readAbout() read only what is there", () => {
  assert.equal(readAbout('{"about":"I write."}'), "I write.")
  for (const content of ["", "null", "[]", '"about"', "{", '{"name":"about"}', '{"about":1}']) {
    assert.equal(readAbout(content), undefined, content)
  }
  const profile = parseProfile('{"__proto__":{"about":"x"},"a":1}')
  assert.equal(readAbout('{"__proto__":{"about":"x"}}'), undefined)
  assert.equal(JSON.stringify({ ...profile, about: "" }), '{"__proto__":{"about":"x"},"a":1,"about":""}')
})
