/** What reaches a terminal: no character that it obeys or hides. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { KezError } from "@kez/core"
import { failureOf, formatJson, paint, printable } from "../src/output.ts"

const hostile: ReadonlyArray<readonly [name: string, text: string, shown: string]> = [
  ["a colour", "\x1b[31mred", "\\u{1b}[31mred"],
  ["a new title for the window", "\x1b]0;title\x07", "\\u{1b}]0;title\\u{7}"],
  ["the clipboard sequence", "\x1b]52;c;cm0=\x1b\\", "\\u{1b}]52;c;cm0=\\u{1b}\\"],
  ["a C1 control", "\u009b2J", "\\u{9b}2J"],
  ["a return that overwrites the line", "bad\rgood", "bad\\u{d}good"],
  ["a line break that forges a line", "x\nkez: ✓ proven", "x\\u{a}kez: ✓ proven"],
  ["a right-to-left override", "gpj.\u202eexe", "gpj.\\u{202e}exe"],
  ["an isolate", "\u2066x\u2069", "\\u{2066}x\\u{2069}"],
  ["a zero-width space", "ad\u200bmin", "ad\\u{200b}min"],
  ["a byte order mark", "\ufeffx", "\\u{feff}x"],
  ["a tag character", "x\u{e0041}", "x\\u{e0041}"],
  ["a lone surrogate", "x\ud800", "x\\u{d800}"],
  ["delete and backspace", "ab\b\x7f", "ab\\u{8}\\u{7f}"],
]

for (const [name, text, shown] of hostile) {
  test(`M19 printable() escapes ${name}`, () => assert.equal(printable(text), shown))
}

test("M19 printable() cuts 5,000 characters and leaves ordinary text alone", () => {
  assert.equal(printable("x".repeat(5_000)).length, 2_001)
  assert.equal(printable("Zoë 👩‍🚀 日本語 ✓"), "Zoë 👩‍🚀 日本語 ✓")
})

test("formatJson() escapes what JSON leaves as it is, and parses to the same value", () => {
  const value = { text: "\x1b[31m \u009b \u202e \u2028 \x7f é 👩‍🚀" }
  const text = formatJson(value)
  assert.match(text, /^[^\p{Cc}\u2028\u202e]*$/u)
  assert.deepEqual(JSON.parse(text), value)
})

test("failureOf() keeps the code and the hint of a KezError", () => {
  const failure = failureOf(new KezError("store.unknown", "Cannot find it", { hint: "kez identity new" }))
  assert.deepEqual(failure, { code: "store.unknown", message: "Cannot find it", hint: "kez identity new", exitCode: 1 })
})

for (const [code, expected] of [
  ["ENOSPC", "store.write"],
  ["EROFS", "store.write"],
  ["EDQUOT", "store.write"],
  ["EACCES", "store.permissions"],
] as const) {
  test(`failureOf() is ${expected} for ${code} of the file system`, () => {
    const error = Object.assign(new Error("x"), { code, path: "/somewhere/kez" })
    assert.equal(failureOf(error).code, expected)
  })
}

test("failureOf() calls everything else a bug, without a stack", () => {
  for (const error of [new TypeError("x is undefined"), "text", undefined, { code: "usage" }]) {
    const { code, exitCode, message } = failureOf(error)
    assert.deepEqual({ code, exitCode }, { code: "internal", exitCode: 1 })
    assert.doesNotMatch(message, /\.ts|\n/)
  }
})

test("paint() changes nothing without colours", () => {
  assert.equal(paint(false, "red", "x"), "x")
  assert.equal(paint(true, "red", "x"), "\x1b[31mx\x1b[0m")
})
