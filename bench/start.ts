/** What a person waits for: the start of the command against the start of an empty Node script, alternating. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { median, type Row, timed } from "./measure.ts"

const root = join(import.meta.dirname, "..")
const kez = join(root, "kez")

export function startRows(rounds: number): readonly Row[] {
  const folder = mkdtempSync(join(tmpdir(), "kez-bench-"))
  try {
    const empty = join(folder, "empty.mjs")
    writeFileSync(empty, "")
    const env = { PATH: process.env["PATH"], KEZ_HOME: join(folder, "home") }
    const run = (file: string, ...args: readonly string[]) => {
      const { status, stderr } = spawnSync(file, args, { cwd: root, env })
      if (status !== 0) throw new Error(`${file} ${args.join(" ")}: ${stderr}`)
    }
    const base = () => run(process.execPath, empty)
    return [
      row("kez --version", 2.5, rounds, base, () => run(kez, "--version")),
      row("kez verify file examples/claim.md", 4, rounds, base, () => run(kez, "verify", "file", "examples/claim.md")),
    ]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function row(what: string, target: number, rounds: number, base: () => void, product: () => void): Row {
  base()
  product()
  const pairs = Array.from({ length: rounds }, () => ({ base: timed(base), product: timed(product) }))
  const baseMs = median(pairs.map((pair) => pair.base))
  const productMs = median(pairs.map((pair) => pair.product))
  const ratio = median(pairs.map((pair) => pair.product / pair.base))
  return {
    what,
    product: `${productMs.toFixed(0)} ms`,
    limit: `${baseMs.toFixed(0)} ms, empty Node script`,
    ratio,
    target: `< ${target}`,
    holds: ratio < target,
  }
}
