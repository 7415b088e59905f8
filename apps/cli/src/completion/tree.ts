/** The commands as completion scripts need them: what may follow where. */
import type { Command } from "commander"

export interface Level {
  /** The words after `kez`, such as `identity show`; "" for kez itself. */
  readonly path: string
  readonly commands: readonly string[]
  readonly options: readonly string[]
  /** What the first argument is. */
  readonly argument: "identity" | "words" | "other"
  readonly words: readonly string[]
}

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
    }
    return [level, ...visible.flatMap((child) => walk(child, `${path} ${child.name()}`.trim()))]
  }
  return walk(program, "")
}

function argumentOf(command: Command, path: string): Pick<Level, "argument" | "words"> {
  const [first] = command.registeredArguments
  const makesNew = path === "identity new" || path === "identity restore"
  if (path.startsWith("identity ") && first?.name() === "name" && !makesNew) return { argument: "identity", words: [] }
  return first?.argChoices === undefined
    ? { argument: "other", words: [] }
    : { argument: "words", words: first.argChoices }
}

function longOptions(command: Command): readonly string[] {
  return command.options.filter((option) => !option.hidden).flatMap((option) => option.long ?? [])
}

/** Commander keeps this to itself; a hidden command is missing from its parent's help. */
function isHidden(command: Command): boolean {
  const parent = command.parent
  return parent !== null && !parent.createHelp().visibleCommands(parent).includes(command)
}
