/**
 * `npm start`: the whole system on this computer, on loopback, with two people to try it with. docs/decisions/start.md
 * `npm start -- --help` lists the flags; the parts are in scripts/start/.
 */
import { KezError } from "@kez/core"
import { helpText, parseStartArguments } from "./start/arguments.ts"
import { createReport } from "./start/report.ts"
import { runTrial } from "./start/trial.ts"

try {
  const options = parseStartArguments(process.argv.slice(2), process.env)
  process.exitCode = options.wantsHelp ? help() : await runTrial(options, createReport(process.stdout))
} catch (error) {
  if (!(error instanceof KezError)) throw error
  console.error(`kez: ${error.message} [${error.code}]`)
  for (const hint of error.hint?.split("\n") ?? []) console.error(`hint: ${hint}`)
  process.exitCode = error.code === "usage" || error.code === "input.missing" ? 2 : 1
}
// A look-up or a download that nobody waits for any more would keep the process.
process.exit()

function help(): number {
  console.log(helpText)
  return 0
}
