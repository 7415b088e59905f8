/** An agent that does not come up: whoever waits for it is told so in time, and its process is gone. */
import assert from "node:assert/strict"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { exitCodeOf } from "../../apps/cli/src/exit-codes.ts"
import { launchAgent } from "../../apps/cli/src/keys/agent-launch.ts"
import { makeHome } from "./support/home.ts"

const start = { system: "ed25519", secretHex: "00".repeat(32), until: 0 }

test("launchAgent() kills an agent that says nothing", async () => {
  await using home = makeHome()
  const program = home.file("silent.mjs", "setInterval(() => {}, 1000)")
  const socket = join(home.dir, "x.sock")
  const launched = launchAgent({ ...start, socket }, { program, timeoutMs: 500 })
  await assert.rejects(launched, {
    code: "internal",
    message: "Cannot start the agent: it does not listen after 0.5 s",
  })
  // It is gone once the system has told us of its end.
  while (isThere(socket)) await sleep(20)
})

/** Whether a process has this argument; where there is no /proc that is not looked at. */
function isThere(argument: string): boolean {
  return existsSync("/proc") && readdirSync("/proc").some((pid) => argumentsOf(pid).includes(argument))
}

function argumentsOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")
  } catch {
    return []
  }
}

test("launchAgent() says how an agent ended that did not come up, and not that a key is locked", async () => {
  await using home = makeHome()
  const program = home.file("ending.mjs", "process.exit(3)")
  const launched = launchAgent({ ...start, socket: join(home.dir, "x.sock") }, { program })
  await assert.rejects(launched, { code: "internal", message: "Cannot start the agent: it ended with code 3" })
  assert.equal(exitCodeOf("internal"), 1)
  const full = launchAgent({ ...start, socket: join(home.dir, "no such folder", "x.sock") })
  await assert.rejects(full, { code: "internal", message: "Cannot start the agent: it ended with code 1" })
})
