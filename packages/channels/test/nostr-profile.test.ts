/** The proof in a profile's about: added, replaced, taken away, all else as it was. SPEC §7.4. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { parseProfile, readAbout, withProof } from "../src/nostr-profile.ts"
import { isProofDocument, withoutProofBlocks } from "../src/proof-removal.ts"

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
  test(`withoutProofBlocks() leaves ${JSON.stringify(rest)} of ${JSON.stringify(about.slice(0, 40))}`, () => {
    assert.equal(withoutProofBlocks(about, always), rest)
    assert.equal(withoutProofBlocks(about, never), about)
  })
}

test("withProof() makes the proof the last paragraph, in place of an earlier one", () => {
  assert.equal(withProof("", proof, always), proof)
  assert.equal(withProof("I write. ", proof, always), `I write.\n\n${proof}`)
  assert.equal(withProof(`I write.\n\n${longer}`, proof, always), `I write.\n\n${proof}`)
  assert.equal(withProof(`I write.\n\n${longer}`, proof, never), `I write.\n\n${longer}\n\n${proof}`)
})

test("withoutProofBlocks() touches only what is ours", () => {
  const about = `${proof}\n\n${longer}\n\n${reference}`
  assert.equal(
    withoutProofBlocks(about, (text) => text === proof),
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

test("isProofDocument() is true for what claim create writes, and false once its owner wrote more", async () => {
  const { createSigner, encodeProof, signClaim } = await import("@kez/core")
  const signer = createSigner("ed25519", new Uint8Array(32).fill(7))
  const claim = await signClaim({ subject: "github:alice", createdAt: 1_800_000_000, expiresAt: 1_900_000_000 }, signer)
  const all = () => true
  const none = () => false
  assert.equal(isProofDocument(encodeProof(claim, "json"), all), true)
  for (const form of ["compact", "markdown"] as const) {
    const text = encodeProof(claim, form)
    assert.equal(isProofDocument(text, all), true, form)
    assert.equal(isProofDocument(`${text}\nI am Alice.\n`, all), false, form)
    assert.equal(isProofDocument(text, none), false, form)
    for (const line of ["Subject: my cats", "Created: in 1990", "Chain: of thoughts", "# KEZ claim: I wrote this"]) {
      assert.equal(isProofDocument(`${text}\n${line}\n`, all), false, line)
    }
  }
  const hinted = encodeProof(claim, "markdown", { chainHint: "https://alice.dev/chain" })
  assert.equal(
    isProofDocument(hinted, () => true),
    true,
  )
  for (const [end, expected] of [
    [" ", true],
    ["\r", true],
    ["a".repeat(2_040), false],
  ] as const) {
    assert.equal(
      isProofDocument(
        hinted.replace("alice.dev/chain", (url) => `${url}${end}`),
        all,
      ),
      expected,
    )
  }
})
