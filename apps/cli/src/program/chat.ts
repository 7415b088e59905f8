/** The commands of `kez contacts`, `kez dm` and `kez chat`. */
import type { Command } from "commander"
import { action } from "../run.ts"
import { accountOption, chatGroup, withReach } from "./account.ts"
import { withFileWays } from "./file-ways.ts"
import { withExamples } from "./help.ts"

const whoText = "a handle (bob or bob@host), or an account that the person proved, such as github:bob"

export function addChatCommands(program: Command): void {
  addContacts(program)
  const dm = program
    .command("dm <who> [text...]")
    .description(
      `Write to somebody, and wait until it is sent. WHO: ${whoText}. The text comes from the arguments, or from stdin where there are none.`,
    )
    .summary("write to somebody from a script or a shell")
    .option("--tail [count]", "show the last messages instead (default: 20)")
    .option("--follow", "then go on with those that come, until Ctrl-C")
    .option("--wait <seconds>", "how long to wait until it is sent (default: 20)")
    .option("--file <path>", "read the text from a file; - is stdin")
    .option(...accountOption)
    .helpGroup(chatGroup)
    .action(action(() => import("../commands/dm.ts")))
  withExamples(
    withReach(dm),
    'kez dm bob "lunch at one?"',
    "uptime | kez dm github:bob",
    "kez dm bob --tail 50",
    "kez dm bob --tail --follow --json",
  )
  const chat = program
    .command("chat [who]")
    .description(
      `Chat on the whole screen where the terminal can, in plain lines otherwise (--plain, no terminal, TERM=dumb), and with --json as lines for programs. WHO: ${whoText}.`,
    )
    .summary("chat, on the whole screen or in plain lines")
    .option("--dir <path>", "folder for files that are fetched (default: the current one)")
    .option("--limit-rate <bytes>", "fetch at most so many bytes a second")
    .option(...accountOption)
    .helpGroup(chatGroup)
    .action(action(() => import("../commands/chat.ts")))
  withExamples(
    withReach(withFileWays(chat)),
    "kez chat",
    "kez chat bob",
    "kez chat github:bob --plain",
    "kez chat --json < commands > events",
  )
  addFiles(program)
}

const fileWords =
  "Bytes go straight between both computers, encrypted; no server keeps them. Each side sees the other's network address."

function addFiles(program: Command): void {
  const send = program
    .command("send <path-and-who...>")
    .usage("PATH... WHO|GROUP [options]")
    .description(
      `Give files or folders to a person or a group, and stay until they are there. ${fileWords} The same command goes on where it was. WHO: ${whoText}. GROUP: its name, or its id where several have that name.`,
    )
    .summary("give files or folders to a person or a group")
    .option("--wait <seconds>", "give up after so long (default: only at Ctrl-C)")
    .option(...accountOption)
    .helpGroup(chatGroup)
    .action(action(() => import("../commands/send.ts")))
  withExamples(
    withReach(withFileWays(send)),
    "kez send photo.jpg bob",
    "kez send plan.pdf garden",
    "kez send ~/holiday notes.txt github:bob",
  )
  const receive = program
    .command("receive [from]")
    .description(
      `Fetch what was offered to you, or wait for an offer. ${fileWords} Nothing that is there is replaced; what broke off goes on.`,
    )
    .summary("fetch files that somebody offers")
    .option("--dir <path>", "folder to write to (default: the current one)")
    .option("--yes", "fetch without asking")
    .option("--wait <seconds>", "give up after so long (default: only at Ctrl-C)")
    .option("--limit-rate <bytes>", "at most so many bytes a second")
    .option(...accountOption)
    .helpGroup(chatGroup)
    .action(action(() => import("../commands/receive.ts")))
  withExamples(
    withReach(withFileWays(receive)),
    "kez receive",
    "kez receive bob --dir ~/Downloads",
    "kez receive bob --yes --json",
  )
}

function addContacts(program: Command): void {
  const contacts = program
    .command("contacts")
    .description("The people whom you know: each pinned to the chain that the handle led to when you added it.")
    .summary("the people whom you know")
    .helpGroup(chatGroup)
  withExamples(
    contacts,
    "kez contacts add bob@chat.example.org",
    "kez contacts add github:bob",
    "kez contacts list",
    "kez contacts check",
  )
  const list = contacts
    .command("list")
    .alias("ls")
    .description("List contacts, with what was seen of their proofs. Nobody is asked.")
    .summary("list contacts")
    .option(...accountOption)
    .action(action(() => import("../commands/contacts-list.ts")))
  withExamples(list, "kez contacts list", "kez contacts list --json")
  const add = contacts
    .command("add <who>")
    .description(`Look somebody up, check the chain, and pin it. WHO: ${whoText}.`)
    .summary("look somebody up, and pin the chain")
    .option(...accountOption)
    .action(action(() => import("../commands/contacts-add.ts")))
  withExamples(withReach(add), "kez contacts add bob@chat.example.org", "kez contacts add github:bob")
  const show = contacts
    .command("show <who>")
    .description("Show a contact, with every account of the chain looked at now.")
    .summary("show a contact and check the proofs")
    .option("--evidence", "everything that was looked at, and what it said")
    .option("--offline", "ask nobody: what was seen the last time")
    .option(...accountOption)
    .action(action(() => import("../commands/contacts-show.ts")))
  withExamples(
    withReach(show),
    "kez contacts show bob",
    "kez contacts show bob --evidence",
    "kez contacts show bob --offline",
  )
  const accept = contacts
    .command("accept <who>")
    .description("Accept somebody who wrote first, or take a block back.")
    .summary("accept somebody who wrote first")
    .option(...accountOption)
    .action(action(() => import("../commands/contacts-accept.ts")))
  withExamples(withReach(accept), "kez contacts accept mira", "kez contacts accept sha256:0cf14788")
  const block = contacts
    .command("block <who>")
    .description("Show nothing of somebody, and send nothing there.")
    .summary("block somebody")
    .option(...accountOption)
    .action(action(() => import("../commands/contacts-block.ts")))
  withExamples(withReach(block), "kez contacts block mira", "kez contacts block sha256:0cf14788")
  const check = contacts
    .command("check")
    .description(
      "Look at every pinned handle, chain and proof, and at your own handle. Open alarms are listed, and settled here.",
    )
    .summary("look at every handle, chain and proof")
    .option("--accept <number>", "the alarm is as it should be: the person said so by another way")
    .option("--dismiss <number>", "the alarm was seen")
    .option(...accountOption)
    .action(action(() => import("../commands/contacts-check.ts")))
  withExamples(withReach(check), "kez contacts check", "kez contacts check --accept 3")
}
