/** What commander refuses, in our words: one sentence that repeats no argument, since one may be a secret, and a hint. */

import type { Command, CommanderError } from "commander"
import { fault } from "../fault.ts"
import { pathOf } from "./help.ts"

const longestShownName = 30

/** The usage error behind what commander threw while it parsed `args`. */
export function usageFailure(program: Command, args: readonly string[], error: CommanderError): Error {
  const command = findCommand(program, args)
  const name = pathOf(command)
  const [first = "", suggestion = ""] = error.message.replace(/^error: /, "").split("\n")
  const near = suggestionOf(command, suggestion)
  const hint = near === undefined ? `Run ${name} --help.` : `Did you mean ${near}?`
  const meant = name === "kez verify" && error.code === "commander.unknownCommand" ? verifyHint(quotedIn(first)) : hint
  return fault("usage", `Cannot run ${name}: ${sentence(error.code, first, command)}`, { hint: meant })
}

/** Commander's suggestions, each command by its own name alone: `list` and its alias `ls` are one. */
function suggestionOf(command: Command, suggestion: string): string | undefined {
  const found = /^\(Did you mean (?:one of )?(.+)\?\)$/.exec(suggestion)?.[1]?.split(", ") ?? []
  const names = found.map((name) => command.commands.find((child) => child.aliases().includes(name))?.name() ?? name)
  return names.length === 0 ? undefined : [...new Set(names)].join(" or ")
}

/** `kez verify dns:example.org` and `kez verify claim.md`: an account, or a file. */
function verifyHint(typed: string): string {
  const [account, file] = ["To check an account: kez verify id IDENTITY", "To check a file: kez verify file PATH"]
  if (/^[a-z0-9]+:[^/\\]/.test(typed)) return account
  return /[./\\]/.test(typed) ? file : `${account}\n${file}`
}

function quotedIn(message: string): string {
  return /'([^']*)'/.exec(message)?.[1] ?? ""
}

function sentence(code: string, message: string, command: Command): string {
  const quoted = quotedIn(message)
  const shown = quoted.length <= longestShownName ? ` ${JSON.stringify(quoted)}` : ""
  switch (code) {
    case "commander.unknownCommand":
      return `there is no command${shown}`
    case "commander.unknownOption":
      return `there is no option ${quoted.split("=", 1)[0]?.slice(0, longestShownName)}`
    case "commander.excessArguments":
      return `expected at most ${command.registeredArguments.length} arguments, got more`
    case "commander.missingArgument":
      return `the argument ${quoted.toUpperCase()} is missing`
    case "commander.help":
      return "expected a command"
    case "commander.invalidArgument":
      return message.replace(/ argument '[^']*' is invalid\./, " is not one of those allowed.")
    case "commander.conflictingOption":
      return message.replace(/'(-[^' ]+)[^']*'/g, "$1")
    default:
      return message
  }
}

/** The deepest command that the words name. */
function findCommand(program: Command, args: readonly string[]): Command {
  let command = program
  for (const word of args) {
    const next = command.commands.find((child) => child.name() === word || child.aliases().includes(word))
    if (next !== undefined) command = next
  }
  return command
}
