/** The commands as completion scripts need them: what may follow where. */
import type { Command } from "commander"
import { topics } from "../commands/help-topics.ts"

export interface Level {
  /** The words after `kez`, such as `identity show`; "" for kez itself. */
  readonly path: string
  readonly commands: readonly string[]
  readonly options: readonly string[]
  /** What the first argument is. */
  readonly argument: "identity" | "words" | "other"
  readonly words: readonly string[]
  /** Its own options that take one of a few values. */
  readonly choices: ReadonlyArray<readonly [option: string, values: readonly string[]]>
}

/** Commands of others than `identity` whose first argument is the name of an identity. */
const takesIdentity = ["sigchain add-device", "sigchain rotate", "sigchain set-next"]

/** Every level of the tree, the outermost first. */
export function listLevels(program: Command): readonly Level[] {
  const globals = longOptions(program)
  const walk = (command: Command, path: string): readonly Level[] => {
    const visible = command.commands.filter((child) => !isHidden(child))
    const own = command === program ? [] : longOptions(command)
    const level: Level = {
      path,
      commands: visible.map((child) => child.name()),
      options: [...own, ...globals, "--help"],
      ...argumentOf(command, path),
      choices: command.options.flatMap(({ long, argChoices }) =>
        long && argChoices !== undefined ? [[long, argChoices] as const] : [],
      ),
    }
    return [level, ...visible.flatMap((child) => walk(child, `${path} ${child.name()}`.trim()))]
  }
  return walk(program, "")
}

function argumentOf(command: Command, path: string): Pick<Level, "argument" | "words"> {
  const [first] = command.registeredArguments
  const makesNew = path === "identity new" || path === "identity restore"
  const isOwn = path.startsWith("identity ") && first?.name() === "name" && !makesNew
  if (isOwn || takesIdentity.includes(path)) return { argument: "identity", words: [] }
  if (path === "help") return { argument: "words", words: [...Object.keys(topics), ...namesIn(command.parent)] }
  return first?.argChoices === undefined
    ? { argument: "other", words: [] }
    : { argument: "words", words: first.argChoices }
}

function namesIn(program: Command | null): readonly string[] {
  return (program?.commands ?? []).filter((child) => !isHidden(child)).map((child) => child.name())
}

function longOptions(command: Command): readonly string[] {
  return command.options.filter((option) => !option.hidden).flatMap((option) => option.long ?? [])
}

/** Commander keeps this to itself; a hidden command is missing from its parent's help. */
function isHidden(command: Command): boolean {
  const parent = command.parent
  return parent !== null && !parent.createHelp().visibleCommands(parent).includes(command)
}
