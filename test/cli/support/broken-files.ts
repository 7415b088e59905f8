/**
 * Loaded before kez with `--import`: makes the file system fail or the process die at one chosen call, so that every
 * step of a change to the disk is tried. KEZ_TEST_FAULT is `kill:N` (SIGKILL before the Nth call) or `ENOSPC:write`.
 */
import fs from "node:fs"
import { syncBuiltinESMExports } from "node:module"

type Name = "openSync" | "writeSync" | "fsyncSync" | "linkSync" | "renameSync" | "unlinkSync" | "mkdirSync"
const names: readonly Name[] = [
  "openSync",
  "writeSync",
  "fsyncSync",
  "linkSync",
  "renameSync",
  "unlinkSync",
  "mkdirSync",
]
const [kind = "", what = ""] = (process.env["KEZ_TEST_FAULT"] ?? "").split(":")
let calls = 0

for (const name of names) {
  const real = fs[name] as (...args: unknown[]) => unknown
  const broken = (...args: unknown[]): unknown => {
    // Node's own reading of modules and terminals is none of ours.
    const isOurs = name !== "openSync" || args[1] === "a" || typeof args[1] === "number"
    if (isOurs) fail(name)
    return real(...args)
  }
  Object.assign(fs, { [name]: broken })
}
syncBuiltinESMExports()

function fail(name: Name): void {
  calls++
  if (kind === "kill" && calls === Number(what)) process.kill(process.pid, "SIGKILL")
  if (kind !== "kill" && kind !== "" && name === `${what}Sync`) {
    throw Object.assign(new Error(`${kind}: refused, ${what}`), { code: kind, path: "/somewhere/kez" })
  }
}
