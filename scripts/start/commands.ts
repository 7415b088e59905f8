/** What `npm start` prints once all is there: commands that run as they stand, for the terminals of both people. */
import { join, relative } from "node:path"
import type { StartOptions } from "./arguments.ts"
import type { FilesState } from "./files.ts"
import { homeOf, passphraseFileOf } from "./people.ts"
import type { Report } from "./report.ts"
import { subjectOf } from "./site.ts"

export function tellCommands({ root, folder }: StartOptions, files: FilesState, report: Report): void {
  const place = relative(root, folder)
  const shown = place === "" || place.startsWith("..") ? folder : place
  const kez = (name: string, words: string): string =>
    `KEZ_HOME=${quote(homeOf(shown, name))} ./kez ${words} --passphrase-file ${quote(passphraseFileOf(shown))}`
  report.say(
    "",
    `  In a second terminal, in ${root}:`,
    `    ${kez("alice", "chat bob")}`,
    "  In a third:",
    `    ${kez("bob", "chat alice")}`,
    ...(files === "off"
      ? []
      : [
          `  Give a file, once both have said something${files === "building" ? " and kez-iroh is built" : ""}:`,
          `    ${kez("alice", "send README.md bob")}`,
          `    ${kez("bob", `receive alice --dir ${quote(join(shown, "received"))}`)}`,
        ]),
    "  Look at a proof:",
    `    KEZ_HOME=${quote(homeOf(shown, "bob"))} ./kez verify id ${subjectOf("alice")} kez:alice@localhost`,
    "",
    `  Alice and Bob are for trying only: passphrase and recovery words lie in ${shown}.`,
    `  Logs: ${join(shown, "logs")}   Start over: npm start -- --reset   Stop: Ctrl-C`,
    "",
  )
}

/** For a shell, where it needs it. */
function quote(text: string): string {
  return /^[A-Za-z0-9_./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
