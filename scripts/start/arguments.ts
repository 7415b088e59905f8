/** What `npm start` can be told: flags, and two variables for those who start it often. */
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { KezError } from "@kez/core"

export interface StartOptions {
  readonly root: string
  /** Everything is kept here. */
  readonly folder: string
  /** The first of the ports; undefined: the usual ones. */
  readonly portBase: number | undefined
  readonly isReset: boolean
  /** Nobody is asked. */
  readonly isSure: boolean
  /** Starts all, looks whether all is ready, and stops. */
  readonly isCheck: boolean
  /** Whether kez-iroh is built where it is missing. */
  readonly mayBuild: boolean
  readonly wantsHelp: boolean
}

type Env = Readonly<Record<string, string | undefined>>

const root = join(import.meta.dirname, "../..")
/** So that the last of them is a port, too. */
const portBaseBounds = [1_024, 65_500] as const

export const helpText = `npm start [-- FLAGS]

Starts a sigchain store, nats-server, a chat server and a local site on loopback, with two people to try them with.
Everything is kept in ./.kez. Ctrl-C stops it.

  --reset            deletes what is kept, after asking, and starts anew; with --yes without asking
  --port-base N      other ports: N and the five after it; also KEZ_START_PORT_BASE
  --folder DIR       another folder than ./.kez; also KEZ_START_FOLDER
  --check, --once    starts all, looks whether all is ready, and stops
  --no-build         does not build kez-iroh, the program that moves files, where it is missing
  --help`

/** Throws `usage`. */
export function parseStartArguments(args: readonly string[], env: Env): StartOptions {
  const flags = parseFlags(args)
  const portBase = flags["port-base"] ?? textOf(env["KEZ_START_PORT_BASE"])
  return {
    root,
    folder: resolve(root, flags.folder ?? textOf(env["KEZ_START_FOLDER"]) ?? ".kez"),
    portBase: portBase === undefined ? undefined : parsePortBase(portBase),
    isReset: flags.reset === true,
    isSure: flags.yes === true,
    isCheck: flags.check === true || flags.once === true,
    mayBuild: flags["no-build"] !== true,
    wantsHelp: flags.help === true,
  }
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        reset: { type: "boolean" },
        yes: { type: "boolean", short: "y" },
        check: { type: "boolean" },
        once: { type: "boolean" },
        "port-base": { type: "string" },
        folder: { type: "string" },
        "no-build": { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    }).values
  } catch (cause) {
    const said = cause instanceof Error ? cause.message.split(/[.\n]/, 1)[0] : ""
    throw new KezError("usage", `Cannot start: ${said}`, { cause, hint: "npm start -- --help lists all flags." })
  }
}

function parsePortBase(text: string): number {
  const [least, most] = portBaseBounds
  const port = Number(text)
  if (/^[0-9]{1,5}$/.test(text) && port >= least && port <= most) return port
  throw new KezError("usage", `Cannot use --port-base: expected a number from ${least} to ${most}`)
}

function textOf(text: string | undefined): string | undefined {
  return text === "" ? undefined : text
}
