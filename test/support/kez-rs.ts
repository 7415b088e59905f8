/** Runs `kez-rs` as a process of its own, in the home of a person of `person.ts`. */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { buildRust } from "../../crosstest/implementations.ts"
import type { Answer } from "./person.ts"

export type KezRs = (args: readonly string[], home: string) => Promise<Answer>

/** Builds it once. The command waits for nothing and asks nobody; throws unless stdout is one object on one line. */
export function openKezRs(): KezRs {
  const built = buildRust()
  if (!("folder" in built)) throw new Error("missing" in built ? built.missing : built.broken)
  const path = join(built.folder, "kez-rs")
  return (args, home) =>
    new Promise((resolve, reject) => {
      const env = { PATH: process.env["PATH"], HOME: home, KEZ_HOME: home, CI: "true" }
      const child = spawn(path, [...args, "--json"], { cwd: home, env, stdio: ["ignore", "pipe", "pipe"] })
      const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []]
      child.stdout.on("data", (bytes: Buffer) => stdout.push(bytes))
      child.stderr.on("data", (bytes: Buffer) => stderr.push(bytes))
      child.on("error", reject)
      child.on("close", (code) => {
        const text = Buffer.concat(stdout).toString()
        if (code === null || !/^[^\n]+\n$/.test(text)) reject(new Error(`kez-rs ${args.join(" ")}: ${text}`))
        else resolve({ code, stderr: Buffer.concat(stderr).toString(), ...JSON.parse(text) })
      })
    })
}
