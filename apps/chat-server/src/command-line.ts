/** What was typed: a command, and flags. A flag for every setting, and the few that only a command has. */
import { KezError } from "@kez/core"
import { flagOf, parseFlags, unknownName } from "@kez/server"
import { maxInvitationUses } from "./limits.ts"
import { program, settingTable } from "./settings.ts"

export const commands = ["serve", "invite", "broker-config", "healthcheck", "version", "help"] as const
export type Command = (typeof commands)[number]

export interface CommandLine {
  readonly command: Command
  /** Flags that are settings, by setting name. */
  readonly settings: Readonly<Record<string, string>>
  readonly config: string | undefined
  /** Of `invite`. */
  readonly uses: number | undefined
  readonly days: number | undefined
  /** Of `broker-config`, by flag. */
  readonly broker: ReadonlyMap<string, string>
  readonly printsConfig: boolean
  readonly checksConfig: boolean
}

export const brokerFlags = [
  ...["out", "seen-at", "name", "client-listen", "websocket-listen"],
  ...["monitor-port", "origins", "tls-cert", "tls-key", "store-mib"],
] as const
const ownValued = ["config", "uses", "days", ...brokerFlags]
const switches = ["print-config", "check-config", "help", "version"]
const maxDays = 3_650

/** Throws `usage`, with the nearest name, for what does not exist. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const valued = [...settingTable.names.map((name) => flagOf(name).slice(2)), ...ownValued]
  const { words, flags } = parseFlags(args, { valued, switches, program })
  const own = [...ownValued, ...switches]
  const settings = [...flags]
    .filter(([flag]) => !own.includes(flag))
    .map(([flag, value]) => [flag.replaceAll("-", "_"), value])
  const command = flags.has("help") ? "help" : flags.has("version") ? "version" : commandOf(words)
  if (command !== "invite" && (flags.has("uses") || flags.has("days"))) {
    throw new KezError("usage", "Cannot use --uses and --days: they belong to invite")
  }
  const broker = new Map([...flags].filter(([flag]) => brokerFlags.some((name) => name === flag)))
  const [stray] = broker.keys()
  if (command !== "broker-config" && stray !== undefined) {
    throw new KezError("usage", `Cannot use --${stray}: it belongs to broker-config`)
  }
  return {
    command,
    broker,
    settings: Object.fromEntries(settings),
    config: flags.get("config"),
    uses: countOf("--uses", flags.get("uses"), maxInvitationUses),
    days: countOf("--days", flags.get("days"), maxDays),
    printsConfig: flags.has("print-config"),
    checksConfig: flags.has("check-config"),
  }
}

function commandOf([first = "serve", ...more]: readonly string[]): Command {
  const command = commands.find((name) => name === first)
  if (command === undefined) {
    throw unknownName(`the command ${JSON.stringify(first)}`, { typed: first, names: commands, dashes: "", program })
  }
  if (more.length === 0) return command
  throw new KezError("usage", `Cannot run ${[first, ...more].join(" ")}: expected ${command}`)
}

function countOf(flag: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined
  if (/^[1-9][0-9]{0,8}$/.test(text) && Number(text) <= max) return Number(text)
  throw new KezError("usage", `Cannot use ${flag}: expected a number from 1 to ${max}`)
}
