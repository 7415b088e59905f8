/** Names that a stranger chose, adversarial.md C.11 F5 and F6: safe, or refused. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { freeName, safeName, safePaths } from "../src/files/names.ts"

const never = (): boolean => false

for (const [given, written] of [
  ["../x", ".._x"],
  ["/etc/x", "_etc_x"],
  ["C:\\x", "C__x"],
  ["a/b", "a_b"],
  ["a\u0000b", "a_b"],
  ["CON", "_CON"],
  ["con.txt", "_con.txt"],
  ["LPT\u00b9.x", "_LPT\u00b9.x"],
  ["x.", "x"],
  ["x ", "x"],
  [" x", "x"],
  ["..", "file"],
  [" . ", "file"],
  ["-rf", "_-rf"],
  ["photo\u202egpj.exe", "photo_gpj.exe"],
  ["zero\u200bwidth", "zero_width"],
  ["e\u0301.txt", "\u00e9.txt"],
  [".profile", ".profile"],
  ["Gr\u00fc\u00dfe \u4f60\u597d.txt", "Gr\u00fc\u00dfe \u4f60\u597d.txt"],
] as const) {
  test(`F5: ${JSON.stringify(given)} is written as ${JSON.stringify(written)}`, () => {
    assert.equal(safeName(given), written)
  })
}

test("F5: 300 bytes are cut to 255, and the extension stays", () => {
  const name = safeName(`${"\u00e4".repeat(150)}.jpg`)
  assert.ok(Buffer.byteLength(name) <= 255)
  assert.match(name, /\u00e4\.jpg$/)
})

test("what is safe stays as it is when it is made safe again", () => {
  for (const given of ["../x", "CON", " a. ", "-", "nul.tar.gz", "x".repeat(400)])
    assert.equal(safeName(safeName(given)), safeName(given))
})

test("F6: a name that is taken gets a number before its extension", () => {
  const taken = new Set(["a.txt", "a (2).txt"])
  assert.equal(
    freeName("a.txt", (name) => taken.has(name)),
    "a (3).txt",
  )
})

test("F5: twins by case or by the way an accent is written get different names, also as folders", () => {
  assert.deepEqual(safePaths(["d/\u00e9", "d/e\u0301", "d/A", "d/a"], never), [
    "d/\u00e9",
    "d/\u00e9 (2)",
    "d/A",
    "d/a (2)",
  ])
  assert.deepEqual(safePaths(["D/x", "d/x", "D/y"], never), ["D/x", "d (2)/x", "D/y"])
})

test("a whole folder moves aside where its name is taken", () => {
  assert.deepEqual(
    safePaths(["d/x", "d/e/y"], (name) => name === "d"),
    ["d (2)/x", "d (2)/e/y"],
  )
})

for (const path of ["../x", "a/../x", "/etc/x", "a//b", "a/.", "", "a/".repeat(40), `${"a".repeat(1_100)}`]) {
  test(`F5: a list with ${JSON.stringify(path.slice(0, 20))} is refused`, () => {
    assert.throws(() => safePaths([path], never), { code: "file.name" })
  })
}

test("F12: a list that names a path twice is refused", () => {
  assert.throws(() => safePaths(["a", "a"], never), { code: "file.offer" })
})
