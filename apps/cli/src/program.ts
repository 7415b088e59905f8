/** The tree of commands. It loads commander and short descriptions only; each command's own code comes when it runs. */
import { Command, CommanderError, Option } from "commander"
import { exitCodes } from "./exit-codes.ts"
import { type OutputMode, writeFailure } from "./output.ts"
import { addAccountCommands } from "./program/account.ts"
import { addChatCommands } from "./program/chat.ts"
import { addClaimCommands } from "./program/claim.ts"
import { addFilesCommands } from "./program/files.ts"
import { addGraphCommand } from "./program/graph.ts"
import { formatHelp, withExamples } from "./program/help.ts"
import { addIdentityCommands } from "./program/identity.ts"
import { addImportCommands } from "./program/import.ts"
import { addOtherCommands } from "./program/other.ts"
import { addSigchainCommands } from "./program/sigchain.ts"
import { usageFailure } from "./program/usage-failure.ts"
import { addVerifyCommands } from "./program/verify.ts"
import { version } from "./version.ts"

/** The whole tree, ready to parse. With `isSilent` a group without its command does not show its help. */
export function createProgram(isSilent = false): Command {
  const program = new Command("kez")
    .description("Proof that accounts, keys and domains belong to one person, verifiable by anyone.")
    .usage("COMMAND [options]")
    .version(`kez ${version}`, "-V, --version", "print the version")
    .helpOption("-h, --help", "show help, with examples")
    .helpCommand(false)
    .configureHelp({ formatHelp, styleTitle: (title) => `\x1b[1m${title}\x1b[0m` })
    .configureOutput({ outputError: () => {}, ...(isSilent ? { writeErr: () => {} } : {}) })
    .exitOverride()
  addGlobalOptions(program)
  withExamples(program, "kez verify id github:jason", "kez identity new", "kez claim publish github:login")
  addIdentityCommands(program)
  addClaimCommands(program)
  addVerifyCommands(program)
  addGraphCommand(program)
  addSigchainCommands(program)
  addImportCommands(program)
  addAccountCommands(program)
  addChatCommands(program)
  addFilesCommands(program)
  addOtherCommands(program)
  return program
}

function addGlobalOptions(program: Command): void {
  const options = [
    new Option("--json", "print one JSON object on stdout (kez help json)"),
    new Option("-q, --quiet", "no progress and no suggestions"),
    new Option("--no-input", "never ask; fail with exit code 2 where an answer is needed"),
    new Option("--plain", "append-only text, for screen readers"),
    new Option("--color <when>", "colours").choices(["auto", "always", "never"]),
    new Option("--profile <name>", "use another set of identities and data"),
    new Option("--identity <name>", "act as this identity"),
    new Option("--passphrase-file <path>", "read the passphrase from a file"),
    new Option("--passphrase-fd <n>", "read the passphrase from an open file descriptor"),
    new Option("--debug", "show where an error came from"),
  ]
  for (const option of options) program.addOption(option)
}

/** Runs one command line. Sets `process.exitCode`; never throws. */
export async function main(args: readonly string[]): Promise<void> {
  const mode = { json: isGiven(args, "--json"), quiet: false, debug: isGiven(args, "--debug") }
  process.on("uncaughtException", (error) => {
    process.exit(writeFailure(error, [], mode))
  })
  const program = createProgram(mode.json)
  if (args.length === 0) {
    program.outputHelp()
    return
  }
  try {
    await program.parseAsync(args, { from: "user" })
  } catch (error) {
    process.exitCode = afterError(program, args, error, mode)
  }
}

function afterError(program: Command, args: readonly string[], error: unknown, mode: OutputMode): number {
  if (!(error instanceof CommanderError)) return writeFailure(error, [], mode)
  if (error.exitCode === 0) return exitCodes.ok // --help, --version
  if (error.code === "commander.help" && !mode.json) return exitCodes.usage // the help of that level was shown
  return writeFailure(usageFailure(program, args, error), [], mode)
}

/** Whether a flag stands on the command line; asked only where parsing it failed. */
function isGiven(args: readonly string[], flag: string): boolean {
  const end = args.indexOf("--")
  return (end === -1 ? args : args.slice(0, end)).includes(flag)
}
