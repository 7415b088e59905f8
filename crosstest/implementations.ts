/** The two implementations: where their processes are, and why there may be no second one here. */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import type { PeerCommand } from "./peer.ts"

export const ROOT = join(import.meta.dirname, "..")

export const typescriptLines: PeerCommand = {
  name: "typescript",
  command: process.execPath,
  args: [join(import.meta.dirname, "lines.ts")],
}

export type RustBuild = { readonly folder: string } | { readonly missing: string } | { readonly broken: string }

/** Builds the workspace rust/, or says why it cannot be built here; `broken` when it should have been possible. */
export function buildRust(): RustBuild {
  const built = spawnSync("sh", [join(ROOT, "scripts", "rust.sh")], { encoding: "utf8" })
  if (built.status === 0) return { folder: built.stdout.trim() }
  const said = built.stderr.trim() || built.error?.message || `exit ${built.status}`
  return built.status === 3 || built.status === 4 ? { missing: said } : { broken: said }
}

export function rustLines(folder: string): PeerCommand {
  return { name: "rust", command: join(folder, "kez-lines"), args: [] }
}
