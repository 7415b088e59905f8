/** `kez help`: a command's help, or a topic. */
import { KezError } from "@kez/core"
import type { Command } from "commander"
import type { Context } from "../context.ts"
import { nearestOf } from "../nearest.ts"
import { createProgram } from "../program.ts"
import type { Outcome } from "../run.ts"
import { isTopic, topics } from "./help-topics.ts"

export async function run(_context: Context, { args }: { readonly args: readonly string[] }): Promise<Outcome> {
  const [first] = args
  if (first !== undefined && args.length === 1 && isTopic(first)) return outcome(first, await topics[first]())
  const command = findCommand(createProgram(), args)
  return outcome(args.join(" "), command.helpInformation())
}

function outcome(topic: string, text: string): Outcome {
  return { schema: "kez.help/1", data: { topic, text }, text }
}

function findCommand(program: Command, words: readonly string[]): Command {
  let command = program
  for (const word of words) {
    const next = command.commands.find((child) => child.name() === word || child.aliases().includes(word))
    if (next === undefined) throw unknown(command, word)
    command = next
  }
  return command
}

function unknown(command: Command, word: string): KezError {
  const names = command.commands.map((child) => child.name())
  const near = nearestOf(word, command.parent === null ? [...names, ...Object.keys(topics)] : names)
  return new KezError("usage", "Cannot help with that: there is no such command or topic", {
    hint: near === undefined ? "kez --help lists what there is." : `Did you mean ${near}?`,
  })
}
