/** The reader that the other rules stand on: what is code, and what is comment or text. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { codeOnly } from "../support/sources.ts"

const cases = [
  ["comments", "a // b\nc /* d\n e */ f", "a     \nc     \n      f"],
  ["strings", `a("x // y", 'z') // q`, "a(        ,    )     "],
  ["escaped quotes", String.raw`a("x\"y", b)`, "a(      , b)"],
  ["regular expressions", String.raw`a(/"[/]\//g, b) / c`, "a(         , b) / c"],
  ["division", "(a + b) / c / d", "(a + b) / c / d"],
  ["templates", `\`x \${a + \`y \${b({ c: 1 })} z\`} w\` + d`, "     a +      b({ c: 1 })         + d"],
] as const

for (const [name, text, expected] of cases) {
  test(`codeOnly() blanks all but code when the text has ${name}`, () => {
    assert.equal(codeOnly(text), expected)
  })
}
