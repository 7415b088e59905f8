/** What was typed: a command, and flags. A flag for every setting, and the few that only a command has. */
import { KezError } from "@kez/core"
import { flagOf, parseFlags, unknownName } from "@kez/server"
import { settingTable } from "./settings.ts"

export const commands = ["serve", "backup", "restore", "check", "migrate", "healthcheck", "version", "help"] as const
export type Command = (typeof commands)[number]

export interface CommandLine {
  readonly command: Command
  /** Flags that are settings, by setting name. */
  readonly settings: Readonly<Record<string, string>>
  readonly config: string | undefined
  readonly to: string | undefined
  readonly from: string | undefined
  readonly printsConfig: boolean
  readonly checksConfig: boolean
}

const ownFlags = {
  config: "text",
  to: "text",
  from: "text",
  "print-config": "switch",
  "check-config": "switch",
} as const
const program = "kez-sig-server"
const asSwitch = new Set(["print-config", "check-config", "help", "version"])

/** Throws `usage`, with the nearest name, for what does not exist. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const valued = [...settingTable.names.map((name) => flagOf(name).slice(2)), "config", "to", "from"]
  const { words, flags } = parseFlags(args, { valued, switches: [...asSwitch], program })
  return assemble(words, flags)
}

function assemble(words: readonly string[], flags: ReadonlyMap<string, string>): CommandLine {
  const isSetting = (flag: string): boolean => !Object.hasOwn(ownFlags, flag) && !asSwitch.has(flag)
  const settings = [...flags]
    .filter(([flag]) => isSetting(flag))
    .map(([flag, value]) => [flag.replaceAll("-", "_"), value])
  const command = flags.has("help") ? "help" : flags.has("version") ? "version" : commandOf(words)
  const line: CommandLine = {
    command,
    settings: Object.fromEntries(settings),
    config: flags.get("config"),
    to: flags.get("to"),
    from: flags.get("from"),
    printsConfig: flags.has("print-config"),
    checksConfig: flags.has("check-config"),
  }
  assertTogether(line)
  return line
}

function commandOf([first = "serve", second, ...more]: readonly string[]): Command {
  const command = commands.find((name) => name === first)
  if (command === undefined)
    throw unknownName(`the command ${JSON.stringify(first)}`, { typed: first, names: commands, dashes: "", program })
  const isWhole = command === "migrate" ? second === "status" && more.length === 0 : second === undefined
  if (isWhole) return command
  const expected = command === "migrate" ? "migrate status" : command
  throw new KezError("usage", `Cannot run ${[first, second, ...more].filter(Boolean).join(" ")}: expected ${expected}`)
}

function assertTogether({ command, to, from }: CommandLine): void {
  if (command === "backup" && to === undefined) throw new KezError("usage", "Cannot back up: expected --to FILE")
  if (command === "restore" && from === undefined) throw new KezError("usage", "Cannot restore: expected --from FILE")
  if (to !== undefined && command !== "backup") throw new KezError("usage", "Cannot use --to: it belongs to backup")
  if (from !== undefined && command !== "restore")
    throw new KezError("usage", "Cannot use --from: it belongs to restore")
}
