/** examples/claim.md is a real claim, by the test key of SPEC §14: anybody can make the same bytes again. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { createSigner, encodeProof, signClaim, verifyClaim } from "@kez/core"

const path = join(import.meta.dirname, "../../../examples/claim.md")
const createdAt = 1_767_225_600 // 2026-01-01T00:00:00Z

test("examples/claim.md is what the test key signs for dns:example.org", async () => {
  const signer = createSigner("ed25519", new Uint8Array(32).fill(0x42))
  const claim = await signClaim({ subject: "dns:example.org", createdAt }, signer)
  assert.equal(readFileSync(path, "utf8"), encodeProof(claim, "markdown"))
})

test("examples/claim.md is valid", () => {
  const candidates = [{ text: readFileSync(path, "utf8"), foundAt: "examples/claim.md" }]
  const verdict = verifyClaim({ publication: { status: "unchecked", candidates }, chains: [], now: createdAt })
  assert.equal(verdict.status, "valid")
  assert.deepEqual(verdict.flags, ["no_chain", "unpublished"])
})
