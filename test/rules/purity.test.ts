/** Core is pure: bytes in, values out. Time, randomness and network come in as arguments. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { findInCode, type Source, shippedSources } from "../support/sources.ts"

const IMPURE = new RegExp(
  [
    String.raw`\bDate\.now\b|\bnew Date\(|(?<![.\w])Date\(|\bperformance\.|\bTemporal\.Now\b`,
    String.raw`\bMath\.random\b|\bgetRandomValues\b|\brandomUUID\b|\brandomSecretKey\(|\brandomPrivateKey\(`,
    String.raw`\bprocess\.|\bDeno\.|\bBun\.|\bconsole\.`,
    String.raw`(?<![.\w])fetch\(|\bXMLHttpRequest\b|\bWebSocket\b`,
    String.raw`\bset(?:Timeout|Interval|Immediate)\(`,
  ].join("|"),
)

function isCore(source: Source): boolean {
  return source.path.startsWith("packages/core/src/") && !source.path.startsWith("packages/core/src/backend/")
}

const impure = [
  "const t = Date.now()",
  "const t = new Date()",
  "const r = Math.random()",
  "crypto.getRandomValues(bytes)",
  "const home = process.env",
  "await fetch(url)",
  "setTimeout(f, 1)",
  "console.log(x)",
  `const s = \`\${Date.now()}\``,
]

for (const text of impure) {
  test(`the purity rule fails when code says ${text}`, () => {
    assert.equal(findInCode({ path: "a.ts", text }, IMPURE).length, 1)
  })
}

for (const text of [
  "// Date.now()",
  `const s = "process.env"`,
  "net.fetch(url)",
  "Date.parse(text)",
  "processed.push(x)",
]) {
  test(`the purity rule passes when code says ${text}`, () => {
    assert.deepEqual(findInCode({ path: "a.ts", text }, IMPURE), [])
  })
}

test("core reads no clock, randomness, environment or network in any file", () => {
  const found = shippedSources()
    .filter(isCore)
    .flatMap((source) => findInCode(source, IMPURE))
  assert.deepEqual(found, [])
})
