/** Programs that hold secrets do not listen for a debugger: on SIGUSR1 Node opens a port to every user of the computer. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"

const root = join(import.meta.dirname, "../..")
const firstFlag = /\bnode"? (--disable-sigusr1)\b(.*?)(?: "|$)/

for (const [launcher, main] of [
  ["kez", undefined],
  ["kez-chat-server", "apps/chat-server/src/main.ts"],
  ["kez-sig-server", "apps/sig-server/src/main.ts"],
] as const) {
  test(`${launcher} starts Node without its debugger`, () => {
    const [line = ""] = /^exec .*$/m.exec(readFileSync(join(root, launcher), "utf8")) ?? []
    const [, flag, others] = firstFlag.exec(line) ?? []
    assert.equal(flag, "--disable-sigusr1", line)
    if (main === undefined) return
    const [shebang = ""] = readFileSync(join(root, main), "utf8").split("\n", 1)
    assert.deepEqual(firstFlag.exec(shebang)?.slice(1), [flag, others], shebang)
  })
}

test("npm start runs kez without the debugger of Node", () => {
  const text = readFileSync(join(root, "scripts/start/people.ts"), "utf8")
  assert.match(text, /"--disable-sigusr1", join\(root, "apps\/cli\/src\/main\.ts"\)/)
})
