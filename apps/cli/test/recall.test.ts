/** The check of the paper: four words by number, two tries, no help from the program. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { formatWords } from "@kez/core/mnemonic"
import { formatWordGrid, recall, writeDown } from "../src/terminal/recall.ts"
import { scriptedTerminal } from "./support/scripted-terminal.ts"

const words = formatWords(Uint8Array.from({ length: 32 }, (_, i) => (i * 37 + 11) % 256)).split(" ")
/** Counts up, so that each call picks other words. */
function counting(start = 0) {
  let next = start
  return { random: (end: number) => next++ % end }
}
const right = (question: string): string => words[Number(/\d+/.exec(question)?.[0]) - 1] ?? ""
const shouted = (question: string): string => right(question).toUpperCase()

test("recall() is passed with four right words, in any case", async () => {
  assert.equal(await recall(scriptedTerminal([right, shouted, right, right]), words, counting()), true)
})

test("B3 recall() is refused with one wrong word and says its number, nothing of the word", async () => {
  const terminal = scriptedTerminal([right, "zoo", "zoo"])
  assert.equal(await recall(terminal, words, counting()), false)
  assert.match(terminal.shown.join("\n"), /Word 2 does not match\./)
  for (const word of words) assert.ok(!terminal.shown.join("\n").split(/\W+/).includes(word), word)
})

test("B3 recall() asks again for the word that was wrong, among four", async () => {
  const terminal = scriptedTerminal([right, right, "zoo", right, right, right, right])
  assert.equal(await recall(terminal, words, counting()), true)
  const questions = terminal.shown.filter((text) => /^Word \d+ \(\d of 4\)$/.test(text))
  assert.equal(questions.length, 7)
  assert.ok(questions.slice(3).some((text) => text.startsWith("Word 3 ")))
})

for (const almost of ["", "word", "aban", " "]) {
  test(`B3 recall() does not take ${JSON.stringify(almost)} for a word`, async () => {
    assert.equal(await recall(scriptedTerminal([almost, almost]), words, counting()), false)
  })
}

test("recall() asks for four different words each time", async () => {
  const constant = {
    random: (() => {
      let i = 0
      return (end: number) => Math.floor(i++ / 3) % end
    })(),
  }
  const terminal = scriptedTerminal([right, right, right, right])
  assert.equal(await recall(terminal, words, constant), true)
  assert.equal(new Set(terminal.shown).size, 4)
})

test("writeDown() shows the words again after the second miss", async () => {
  const terminal = scriptedTerminal(["now", "zoo", "zoo", "now", right, right, right, right])
  assert.equal(await writeDown(terminal, words, counting()), "confirmed")
  assert.equal(terminal.shown.filter((line) => line.startsWith("Write these 24 words")).length, 2)
  assert.deepEqual(terminal.left, [])
})

test("writeDown() is pending when the check is put off, and later is not the first choice", async () => {
  const terminal = scriptedTerminal(["later"])
  assert.equal(await writeDown(terminal, words, counting()), "pending")
  assert.ok(terminal.shown.indexOf("later") > terminal.shown.findIndex((label) => label.startsWith("yes")))
})

test("formatWordGrid() numbers every word once, down the columns", () => {
  for (const columns of [1, 2, 4]) {
    const lines = formatWordGrid(words, columns)
    const cells = [...lines.join("\n").matchAll(/(\d+) ([a-z]+)/g)].map(([, number, word]) => [Number(number), word])
    assert.equal(cells.length, 24)
    for (const [number, word] of cells) assert.equal(word, words[Number(number) - 1])
    for (const line of lines) assert.ok(line.length <= columns * 16, line)
  }
})
