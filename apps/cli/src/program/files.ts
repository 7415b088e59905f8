/** The commands of `kez files`. */
import type { Command } from "commander"
import { action } from "../run.ts"
import { accountOption, chatGroup, withReach } from "./account.ts"
import { withFileWays } from "./file-ways.ts"
import { withExamples } from "./help.ts"

const whoText = "a handle (bob or bob@host), or an account that the person proved, such as github:bob"

function withPath(command: Command): Command {
  return withFileWays(command).option(...accountOption)
}

export function addFilesCommands(program: Command): void {
  const files = program
    .command("files")
    .description(
      "Files that stay where they are, and that people whom you name may look through and fetch: a list that you sign, and bytes straight between both computers.",
    )
    .summary("share files, and look through what others share")
    .helpGroup(chatGroup)
  withExamples(
    files,
    "kez files share ~/photos --with bob",
    "kez files serve",
    "kez files browse alice",
    "kez files get alice photos/2024 --to ~/Downloads",
  )
  addOwn(files)
  addTheirs(files)
}

function addOwn(files: Command): void {
  const list = files
    .command("list")
    .alias("ls")
    .description("List what you share from this computer, and with whom. Nobody is asked.")
    .summary("list what you share")
    .option(...accountOption)
    .action(action(() => import("../commands/files-list.ts")))
  withExamples(list, "kez files list", "kez files list --json")
  const share = files
    .command("share <path...>")
    .description(
      `Let people see files or folders in your list, and fetch them while this computer is there. They stay where they are: nothing is copied or sent. Who is named replaces who was named before. WHO: ${whoText}; or a group by its name: those of your contacts who are in it now, as long as they are; not who comes later.`,
    )
    .summary("share files or folders with people")
    .option("--with <who...>", "these people, or those who are in a group now")
    .option("--everyone [contacts]", "all whom you accepted as contacts, now and later")
    .option(...accountOption)
    .action(action(() => import("../commands/files-share.ts")))
  withExamples(
    withReach(share),
    "kez files share ~/photos --with bob carol",
    "kez files share notes.pdf --with github:bob",
    "kez files share plan.txt --with garden",
    "kez files share ~/public --everyone contacts",
  )
  const unshare = files
    .command("unshare <name...>")
    .description("Take it out of your list: nobody gets it any more. What was fetched before stays with them.")
    .summary("stop sharing")
    .option(...accountOption)
    .action(action(() => import("../commands/files-unshare.ts")))
  withExamples(withReach(unshare), "kez files unshare photos", "kez files unshare ~/photos")
  const serve = files
    .command("serve")
    .description(
      "Give what you share, and what you offered, until Ctrl-C: for a computer on which nobody chats. kez chat, kez send and kez receive do so too while they run.",
    )
    .summary("give what you share until Ctrl-C")
    .option("--wait <seconds>", "end after so long (default: only at Ctrl-C)")
    .action(action(() => import("../commands/files-serve.ts")))
  withExamples(withReach(withPath(serve)), "kez files serve", "kez files serve --json")
}

function addTheirs(files: Command): void {
  const browse = files
    .command("browse <who> [path]")
    .description(
      `Show what somebody shares with you: paths, sizes and who signed the list. Where no device of the person is there: what was seen last. Nothing is fetched but the list. WHO: ${whoText}.`,
    )
    .summary("look through what somebody shares")
    .option("--wait <seconds>", "how long to wait for an answer (default: 15)")
    .option("--offline", "ask nobody: what was seen last")
    .action(action(() => import("../commands/files-browse.ts")))
  withExamples(
    withReach(withPath(browse)),
    "kez files browse alice",
    "kez files browse alice photos",
    "kez files browse alice --offline --json",
  )
  const get = files
    .command("get <who> <path...>")
    .description(
      `Fetch files or folders out of what somebody shares. Nothing that is there is replaced; what broke off goes on. WHO: ${whoText}.`,
    )
    .summary("fetch out of what somebody shares")
    .option("--to <folder>", "folder to write to (default: the current one)")
    .option("--wait <seconds>", "give up after so long (default: only at Ctrl-C)")
    .option("--limit-rate <bytes>", "at most so many bytes a second")
    .action(action(() => import("../commands/files-get.ts")))
  withExamples(
    withReach(withPath(get)),
    "kez files get alice notes.pdf",
    "kez files get alice photos/2024 --to ~/Downloads",
  )
}
