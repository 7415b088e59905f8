/** Builds kez-iroh for others: from the lock, with nothing of this machine's paths in it, and stripped. */
import { execFile } from "node:child_process"
import { chmodSync, copyFileSync, mkdirSync, readFileSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { KezError } from "@kez/core"

const run = promisify(execFile)

/** Builds in a folder of its own: other flags would have every crate of the usual one built again. Resolves to the program. */
export async function buildForOthers(root: string, cache: string): Promise<string> {
  const home = process.env["CARGO_HOME"] ?? join(homedir(), ".cargo")
  const { CI: _, KEZ_IROH: __, ...env } = process.env
  const flags = [`--remap-path-prefix=${home}=cargo`, `--remap-path-prefix=${root}=kez`]
  const { stdout } = await run("sh", [join(root, "scripts/iroh.sh")], {
    env: {
      ...env,
      CARGO_TARGET_DIR: join(cache, "kez/rust-iroh-release"),
      CARGO_ENCODED_RUSTFLAGS: flags.join("\u001f"),
    },
    maxBuffer: 1_048_576,
  })
  return stdout.trim()
}

/** Throws if paths of this machine are in it. */
export function assertNamesNoPlace(program: string, root: string): void {
  const bytes = readFileSync(program).toString("latin1")
  const told = [root, homedir()].find((path) => path.length > 1 && bytes.includes(`${path}/`))
  if (told !== undefined) throw new KezError("internal", `Cannot give kez-iroh to others: it names ${told}`)
}

/** A copy without symbols. */
export async function stripTo(program: string, target: string): Promise<void> {
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(program, target)
  chmodSync(target, 0o755)
  try {
    await run("strip", process.platform === "darwin" ? ["-x", target] : ["--strip-all", target])
  } catch (cause) {
    throw new KezError("internal", "Cannot strip the program: strip failed, or is missing (binutils brings it)", {
      cause,
    })
  }
}

/** What the compiler here builds for. */
export async function hostTarget(): Promise<string> {
  const { stdout } = await run("rustc", ["-vV"])
  return /^host: (\S+)$/m.exec(stdout)?.[1] ?? ""
}

/** Throws unless it runs here and is of the version. */
export async function assertRuns(program: string, version: string): Promise<void> {
  const { stdout } = await run(program, ["--version"])
  if (stdout.trim() !== `kez-iroh ${version}`)
    throw new KezError(
      "internal",
      `Cannot pack ${program}: expected kez-iroh ${version}, got ${stdout.trim().slice(0, 100)}`,
    )
}
