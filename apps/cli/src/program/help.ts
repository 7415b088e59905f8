/** What `--help` looks like on every level: purpose, examples, usage, then the flags. */
import type { Command, Help, Option } from "commander"

const examplesOf = new WeakMap<Command, readonly string[]>()
const tablesOf = new WeakMap<Command, HelpTable>()
const topicsLine = "Learn more: kez help exit-codes | environment | channels | json"

/** Sets the two to four examples of a command, which stand before its flags. Returns the command. */
export function withExamples(command: Command, ...examples: readonly string[]): Command {
  examplesOf.set(command, examples)
  return command
}

export interface HelpTable {
  readonly title: string
  readonly rows: ReadonlyArray<readonly [term: string, text: string]>
}

/** Sets a table that stands between usage and flags. Returns the command. */
export function withTable(command: Command, table: HelpTable): Command {
  tablesOf.set(command, table)
  return command
}

/** The examples of a command, without the `$ `. */
export function examplesFor(command: Command): readonly string[] {
  return examplesOf.get(command) ?? []
}

/** For `configureHelp`. */
export function formatHelp(command: Command, help: Help): string {
  const table = tablesOf.get(command)
  const isRoot = command.parent === null
  const commands = command.commands.filter((child) => help.visibleCommands(command).includes(child))
  const parts = [
    command.description(),
    section(
      help,
      "Examples",
      examplesFor(command).map((line) => `$ ${line}`),
    ),
    `${help.styleTitle("Usage")}  ${help.commandUsage(command)}`,
    table === undefined ? "" : rows(help, table.title, table.rows),
    rows(
      help,
      "Arguments",
      help.visibleArguments(command).map((a) => [a.name(), help.argumentDescription(a)]),
    ),
    ...groupsOf(commands).map(([title, members]) =>
      rows(
        help,
        title,
        members.map((c) => [commandTerm(c), help.subcommandDescription(c)]),
      ),
    ),
    rows(help, isRoot ? "Global options" : "Options", optionRows(help, help.visibleOptions(command))),
    isRoot ? "" : globalLine(command),
    topicsLine,
  ]
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`
}

export function pathOf(command: Command): string {
  const parent = command.parent
  return parent === null ? command.name() : `${pathOf(parent)} ${command.name()}`
}

function commandTerm(command: Command): string {
  const args = command.registeredArguments.map((argument) => {
    const name = argument.variadic ? `${argument.name()}...` : argument.name()
    return argument.required ? `<${name}>` : `[${name}]`
  })
  return [[command.name(), ...command.aliases()].join("|"), ...args].join(" ")
}

function groupsOf(commands: readonly Command[]): ReadonlyArray<readonly [title: string, members: readonly Command[]]> {
  const groups = Map.groupBy(commands, (command) => command.helpGroup() || "Commands")
  return [...groups]
}

function optionRows(help: Help, options: readonly Option[]): ReadonlyArray<readonly [string, string]> {
  return options.map((option) => [help.optionTerm(option), descriptionOf(option)])
}

function descriptionOf({ description, argChoices }: Option): string {
  return argChoices === undefined ? description : `${description}: ${argChoices.join(", ")}`
}

function globalLine(command: Command): string {
  let root = command
  while (root.parent !== null) root = root.parent
  const names = root.options.filter((o) => !o.hidden && o.long !== "--version").map((o) => o.long)
  return `Global options (kez --help): ${names.join(" ")}`
}

function section(help: Help, title: string, lines: readonly string[]): string {
  return lines.length === 0 ? "" : [help.styleTitle(title), ...lines.map((line) => `  ${line}`)].join("\n")
}

function rows(help: Help, title: string, items: ReadonlyArray<readonly [term: string, text: string]>): string {
  const width = Math.max(0, ...items.map(([term]) => term.length)) + 2
  const room = Math.max(30, (help.helpWidth ?? 80) - width - 2)
  const lines = items.map(([term, text]) => {
    const wrapped = help.boxWrap(text, room).replaceAll("\n", `\n${" ".repeat(width + 2)}`)
    return `${term.padEnd(width)}${wrapped}`.trimEnd()
  })
  return section(help, title, lines)
}
