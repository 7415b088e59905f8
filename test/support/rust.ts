/** The second implementation, for tests that need it: built once by scripts/rust.sh. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { findServer } from "./servers.ts"

export const ROOT = join(import.meta.dirname, "..", "..")

/** For `{ skip: skipWithoutRust() }`: false, or the reason. With CI=true a machine without cargo fails the run. */
export function skipWithoutRust(): false | string {
  if (process.env["KEZ_RUST_BIN"]) return false
  return skipWithoutCargo()
}

/** The same for what cargo itself has to run. */
export function skipWithoutCargo(): false | string {
  if (!existsSync(join(ROOT, "rust", "Cargo.toml"))) return "this tree has no rust/"
  if (findServer("cargo", [join(process.env["HOME"] ?? "", ".cargo", "bin")]) !== undefined) return false
  return "missing server: cargo (https://rustup.rs installs it)"
}
