/** What statuses and failures mean for a proof. SPEC §6 VER-12, adversarial case P12. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { type Code, KezError } from "@kez/core"
import { decodeUtf8, type FetchAnswer, publicationOfError, publicationOfStatus } from "../src/index.ts"

const page = new TextEncoder().encode("page")

function answer(status: number, body = page, retryAfterSeconds?: number): FetchAnswer {
  const retry = retryAfterSeconds === undefined ? {} : { retryAfterSeconds }
  return { url: "https://a.example/", status, headers: {}, body, sha256: "00", fetchedAt: 1_800_000_000, ...retry }
}

const table: readonly (readonly [number, "read" | "absent" | "unreachable"])[] = [
  [200, "read"],
  [204, "absent"],
  [404, "absent"],
  [410, "absent"],
  [206, "unreachable"],
  [304, "unreachable"],
  [400, "unreachable"],
  [401, "unreachable"],
  [403, "unreachable"],
  [429, "unreachable"],
  [451, "unreachable"],
  [500, "unreachable"],
  [502, "unreachable"],
  [503, "unreachable"],
]

for (const [status, expected] of table) {
  test(`P12 HTTP ${status} with a body is ${expected}`, () => {
    const publication = publicationOfStatus(answer(status))
    assert.equal(publication?.status ?? "read", expected)
    if (publication?.status === "absent") assert.equal(publication.code, "proof.not_found")
    const code = status === 429 ? "net.rate_limit" : "net.status"
    if (publication?.status === "unreachable") assert.equal(publication.code, code)
    if (publication) assert.equal(publication.evidence[0]?.status, status)
  })
}

test("P12 an empty 200 is absent", () => {
  assert.equal(publicationOfStatus(answer(200, new Uint8Array()))?.status, "absent")
})

test("P12 a 429 carries the time to wait", () => {
  const publication = publicationOfStatus(answer(429, page, 90))
  assert.equal(publication?.status === "unreachable" && publication.retryAfterSeconds, 90)
  assert.equal(publication?.evidence[0]?.retryAfterSeconds, 90)
})

test("P12 a 403 that names a time is a request to wait, as GitHub means it", () => {
  const publication = publicationOfStatus(answer(403, page, 90))
  assert.equal(publication?.status === "unreachable" && publication.code, "net.rate_limit")
})

const failures: readonly (readonly [Code, "unreachable" | "invalid"])[] = [
  ["net.dns", "unreachable"],
  ["net.timeout", "unreachable"],
  ["net.tls", "unreachable"],
  ["net.refused", "unreachable"],
  ["net.address", "unreachable"],
  ["net.redirect", "unreachable"],
  ["net.content_type", "unreachable"],
  ["net.busy", "unreachable"],
  ["limit.body", "invalid"],
  ["text.utf8", "invalid"],
]

for (const [code, expected] of failures) {
  test(`publicationOfError() makes ${code} ${expected}`, () => {
    const place = { url: "https://a.example/", fetchedAt: 1_800_000_000 }
    const publication = publicationOfError(new KezError(code, "why"), place)
    assert.deepEqual(publication, { status: expected, code, evidence: [{ ...place, code, note: "why" }] })
  })
}

test("publicationOfError() throws what is not a KezError", () => {
  const place = { url: "https://a.example/", fetchedAt: 1_800_000_000 }
  assert.throws(() => publicationOfError(new TypeError("bug"), place), TypeError)
})

test("N15 another charset and bytes that are not UTF-8 are refused with text.utf8", () => {
  const utf16 = Buffer.from("kez", "utf16le")
  for (const type of ["text/plain; charset=utf-16", "text/plain;charset=ISO-8859-1", 'text/html; charset="latin1"']) {
    assert.throws(() => decodeUtf8(utf16, type), { code: "text.utf8" }, type)
  }
  assert.throws(() => decodeUtf8(Buffer.from("é", "latin1"), "text/plain"), { code: "text.utf8" })
  assert.throws(() => decodeUtf8(Buffer.from("é", "latin1"), "text/plain; charset=utf-8"), { code: "text.utf8" })
  assert.equal(decodeUtf8(Buffer.from("é"), 'text/plain; charset="UTF-8"; x=y'), "é")
})
