/** A KEZ_HOME of its own for each test, and identities in it that open fast. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { readEnv } from "../../../apps/cli/src/config.ts"
import { addIdentity, type IdentityRecord, newRecord } from "../../../apps/cli/src/keys/identities.ts"
import { encryptKey } from "../../../apps/cli/src/keys/key-file.ts"
import { formatKey, identityOf, type KeyMaterial, keyOfWords } from "../../../apps/cli/src/keys/key-text.ts"
import { findPaths, type Paths } from "../../../apps/cli/src/paths.ts"
import { type RunOptions, type RunResult, runKez } from "../../support/cli.ts"

/** A second for each passphrase, 2^18, would make these tests minutes long. */
const fastWorkFactor = 6

export const zeroWords = `${"abandon ".repeat(23)}art`
export const zeroIdentity = "ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"
export const aboutWords = `${"abandon ".repeat(11)}about`

export interface Home extends AsyncDisposable {
  readonly dir: string
  readonly paths: Paths
  /** Runs kez with this home. */
  run(args: readonly string[], options?: RunOptions): Promise<RunResult>
  /** Stores an identity without running kez. */
  make(name: string, options?: MakeOptions): Promise<IdentityRecord>
  /** Writes a file outside KEZ_HOME and returns its path. */
  file(name: string, text: string): string
}

export interface MakeOptions {
  readonly words?: string
  /** Stored unencrypted without one. */
  readonly passphrase?: string
  readonly backup?: IdentityRecord["backup"]
}

export function makeHome(): Home {
  const dir = mkdtempSync(join(tmpdir(), "kez-home-"))
  const kezHome = join(dir, "kez")
  const paths = findPaths(readEnv({ KEZ_HOME: kezHome }), undefined)
  const run: Home["run"] = (args, options = {}) =>
    runKez(args, { ...options, env: { KEZ_HOME: kezHome, HOME: dir, ...options.env } })
  return {
    dir,
    paths,
    run,
    async make(name, { words = zeroWords, passphrase, backup = "confirmed" } = {}) {
      const key = keyOfWords("ed25519", words)
      const record = newRecord(name, identityOf(key), {
        words: words === aboutWords ? 12 : 24,
        backup,
        createdAt: "2026-01-01T00:00:00Z",
      })
      await addIdentity(paths, {
        record,
        keyText: await keyText(key, passphrase),
        isEncrypted: passphrase !== undefined,
      })
      return record
    },
    file(name, text) {
      const path = join(dir, name)
      writeFileSync(path, text, { mode: 0o600 })
      return path
    },
    async [Symbol.asyncDispose]() {
      // Agents outlive the commands that start them.
      if (existsSync(paths.runtime)) await run(["identity", "lock"])
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function keyText(key: KeyMaterial, passphrase: string | undefined): Promise<string> {
  return passphrase === undefined ? Promise.resolve(formatKey(key)) : encryptKey(key, passphrase, fastWorkFactor)
}

export interface JsonAnswer {
  readonly schema: string
  readonly ok: boolean
  readonly data: Readonly<Record<string, unknown>>
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string }
  readonly warnings: readonly string[]
}

/** The one object on stdout; throws if there is anything else. */
export function readAnswer({ stdout }: Pick<RunResult, "stdout">): JsonAnswer {
  if (!/^[^\n]+\n$/.test(stdout)) throw new Error(`Cannot read the answer: expected one line, got ${stdout}`)
  return JSON.parse(stdout) as JsonAnswer
}
