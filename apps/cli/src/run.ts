/** From commander's call to a finished command: the context, the lazily loaded handler, its output and exit code. */
import type { Command } from "commander"
import type { Context, GlobalFlags } from "./context.ts"
import { writeFailure, writeResult } from "./output.ts"

export interface Outcome {
  readonly schema: `kez.${string}/1`
  /** A JSON value, for --json. */
  readonly data: unknown
  /** For stdout without --json; "" for nothing. Parts that came from outside have been through `printable`. */
  readonly text: string
  /** 0 unless given: a verdict is an outcome too. */
  readonly exitCode?: number
  readonly warnings?: readonly string[]
  /** The command to run next; printed to stderr as `Next: …`. */
  readonly next?: string
}

export type Handler<O> = (context: Context, input: O & { readonly args: readonly string[] }) => Promise<Outcome>

/** An action for commander. The module of the command is imported only when it runs, so that others start faster. */
export function action<O>(
  load: () => Promise<{ readonly run: Handler<O> }>,
): (...commanderArgs: unknown[]) => Promise<void> {
  return async (...commanderArgs) => {
    const command = commanderArgs.at(-1) as Command
    const args = commanderArgs
      .slice(0, -2)
      .flat()
      .filter((arg) => typeof arg === "string")
    const options: Record<string, unknown> = command.optsWithGlobals()
    const flags = flagsOf(options)
    const warnings = new Set<string>()
    try {
      const [{ createContext }, { run }] = await Promise.all([import("./context.ts"), load()])
      const context = await createContext(flags, warnings)
      const outcome = await run(context, { ...(options as O), args })
      const all = [...warnings, ...(outcome.warnings ?? [])]
      writeResult({ ...outcome, warnings: [...new Set(all)] }, flags)
      process.exitCode = outcome.exitCode ?? 0
    } catch (error) {
      process.exitCode = writeFailure(error, [...warnings], flags)
    }
  }
}

function flagsOf(options: Readonly<Record<string, unknown>>): GlobalFlags {
  const text = (name: string): string | undefined => {
    const value = options[name]
    return typeof value === "string" ? value : undefined
  }
  const color = text("color")
  return {
    json: options["json"] === true,
    quiet: options["quiet"] === true,
    noInput: options["input"] === false,
    plain: options["plain"] === true,
    debug: options["debug"] === true,
    color: color === "always" || color === "never" || color === "auto" ? color : undefined,
    profile: text("profile"),
    identity: text("identity"),
    passphraseFile: text("passphraseFile"),
    passphraseFd: text("passphraseFd"),
    keySource: {
      nsec: text("nsec"),
      ed25519Seed: text("ed25519Seed"),
      mnemonic: text("mnemonic"),
      keyFd: text("keyFd"),
      keyFile: text("keyFile"),
      keyType: text("keyType"),
    },
  }
}
