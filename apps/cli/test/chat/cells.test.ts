/** Columns of what people write, and breaking it there. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { breakCells, cellsOf, cutCells, fitCells, graphemesOf } from "../../src/chat/screen/cells.ts"

for (const [text, cells] of [
  ["", 0],
  ["abc", 3],
  ["漢字", 4],
  ["e\u0301", 1],
  ["👍🏽", 2],
  ["👨‍👩‍👧", 2],
  ["🇨🇭", 2],
  ["ｆｕｌｌ", 8],
  ["⌛", 2],
  ["a\u200db", 2],
] as const) {
  test(`cellsOf() counts ${cells} for ${JSON.stringify(text)}`, () => assert.equal(cellsOf(text), cells))
}

test("graphemesOf() keeps together what people see as one character", () => {
  assert.deepEqual(graphemesOf("e\u0301👨‍👩‍👧x"), ["e\u0301", "👨‍👩‍👧", "x"])
})

test("cutCells() never gives more columns than asked for, and marks what is cut", () => {
  for (const text of ["hello world", "漢字漢字漢字", "👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧", "e\u0301e\u0301e\u0301e\u0301"]) {
    for (let cells = 0; cells < 12; cells++) {
      const cut = cutCells(text, cells)
      assert.ok(cellsOf(cut) <= cells, `${cut} in ${cells}`)
      assert.equal(cellsOf(fitCells(text, cells)), cells)
      assert.ok(cut === text || cells === 0 || cut.endsWith("…"))
    }
  }
})

test("breakCells() breaks at spaces, and within a word that alone is longer; nothing is lost", () => {
  for (const text of [
    "one two three",
    "a-very-long-word-that-fits-nowhere",
    "漢字漢字 漢字 x",
    "  spaces  at  odd  places  ",
  ]) {
    for (let cells = 2; cells < 20; cells++) {
      const lines = breakCells(text, cells)
      for (const line of lines) assert.ok(cellsOf(line) <= cells, `${JSON.stringify(line)} in ${cells}`)
      assert.equal(lines.join("").replaceAll(" ", ""), text.replaceAll(" ", ""))
    }
  }
})

test("breakCells() gives the first line another width", () => {
  assert.deepEqual(breakCells("one two three four", 9, 5), ["one", "two three", "four"])
})
