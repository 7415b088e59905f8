/** The line that is typed. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { type Edit, edit, editorOf, emptyEditor, insert, textOf } from "../../src/chat/screen/editor.ts"

function after(text: string, ...how: readonly Edit[]): string {
  const { before, after: rest } = how.reduce(edit, editorOf(text))
  return `${before}|${rest}`
}

test("edit() moves and deletes by what people see as one character", () => {
  assert.equal(after("a👨‍👩‍👧b", "left"), "a👨‍👩‍👧|b")
  assert.equal(after("a👨‍👩‍👧b", "left", "left"), "a|👨‍👩‍👧b")
  assert.equal(after("ae\u0301", "backspace"), "a|")
  assert.equal(after("👍🏽x", "home", "delete"), "|x")
})

test("edit() goes by words, lines and all of it", () => {
  assert.equal(after("one two", "word_left"), "one |two")
  assert.equal(after("one two", "word_left", "word_left"), "|one two")
  assert.equal(after("one two", "home", "word_right"), "one| two")
  assert.equal(after("one\ntwo", "home"), "one\n|two")
  assert.equal(after("one\ntwo", "home", "left", "home", "end"), "one|\ntwo")
  assert.equal(after("one two", "kill_word"), "one |")
  assert.equal(after("one two", "kill_before"), "|")
  assert.equal(after("", "backspace", "delete", "left", "right", "word_left", "kill_word"), "|")
})

test("insert() takes nothing that a terminal obeys, and keeps the lines of a paste", () => {
  assert.equal(textOf(insert(emptyEditor, "a\u001b[2Jb\r\nc\td\u0007")), "a[2Jb\nc    d")
})

test("insert() ends where a message would be too long", () => {
  assert.equal(textOf(insert(emptyEditor, "x".repeat(100_000))).length, 60_000)
})
