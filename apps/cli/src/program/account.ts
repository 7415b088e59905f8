/** The commands of `kez account`. */
import type { Command } from "commander"
import { action } from "../run.ts"
import { withExamples } from "./help.ts"
import { keyTypeOption, withKeyOptions } from "./key-options.ts"
import { collect } from "./verify.ts"

export const chatGroup = "Chat"

export const accountOption = ["--account <name>", "HANDLE@HOST of the account to use, where there are several"] as const
const timeout = ["--timeout <seconds>", "how long one place may take (default: 10)"] as const
const resolver = ["--resolver <server>", "DNS server: 1.2.3.4, [::1]:53, or https://… for DNS over HTTPS"] as const
const noPassphrase = ["--no-passphrase", "store the keys unencrypted"] as const

/** Where stores and servers are looked for. Returns the command. */
export function withReach(command: Command): Command {
  return command
    .option("--store <url>", "sigchain store to ask, besides those of the settings; may be repeated", collect, [])
    .option(...resolver)
    .option(...timeout)
}

function withInvitation(command: Command): Command {
  return command
    .option(
      "--invitation-file <path>",
      "file with the invitation code; it is a secret, and has no place on a command line",
    )
    .option("--invitation-fd <n>", "the same, read from an open file descriptor")
}

export function addAccountCommands(program: Command): void {
  const account = program
    .command("account")
    .description("Accounts on chat servers: a handle such as alice@chat.example.org, proven by your chain.")
    .summary("your handle on a chat server")
    .helpGroup(chatGroup)
  withExamples(
    account,
    "kez account create alice@chat.example.org",
    "kez account restore alice@chat.example.org",
    "kez account show",
  )
  addMaking(account)
  addMoving(account)
  addKeeping(account)
}

function addMaking(account: Command): void {
  const create = account
    .command("create <account>")
    .description(
      "Make an account: an identity with 24 words (or --identity NAME), keys of this device, a published chain, and the handle. Interrupted anywhere, the same command goes on.",
    )
    .summary("make an account, or go on with making it")
    .addOption(keyTypeOption("kind of key of a new identity, ed25519 unless given"))
    .option(...noPassphrase)
    .option("--reveal-words", "put the recovery words into the output, where anything may record them")
    .action(action(() => import("../commands/account-create.ts")))
  withExamples(
    withReach(withInvitation(create)),
    "kez account create alice@chat.example.org",
    "kez account create work@chat.example.org --identity work",
    "kez account create bot@localhost --no-input --no-passphrase --invitation-file code.txt",
  )
  const restore = account
    .command("restore [account]")
    .description("Bring an account here from its 24 words, as a new device of it.")
    .summary("bring an account here from its words")
    .option("--mnemonic <words>", "the words: @FILE reads a file, - reads stdin")
    .option("--mnemonic-fd <n>", "the same, read from an open file descriptor")
    .addOption(keyTypeOption("kind of key that the words stand for, ed25519 unless given"))
    .option("--expect <identity>", "fail unless the words are those of this identity")
    .option("--device-only", "store the keys of this device, and not the identity's own")
    .option("--replace", "in place of the device that this computer has of the account")
    .option(...noPassphrase)
    .action(action(() => import("../commands/account-restore.ts")))
  withExamples(
    withReach(withInvitation(restore)),
    "kez account restore alice@chat.example.org",
    "kez account restore --store https://sig.example.org",
    "kez account restore alice@localhost --mnemonic @words.txt --passphrase-file pass.txt",
  )
}

function addMoving(account: Command): void {
  const rename = account
    .command("rename <handle>")
    .description("Take another handle on the same server. The old one leads to it, and nobody else can ever have it.")
    .summary("take another handle on the same server")
    .option(...accountOption)
    .option("-y, --yes", "do not ask")
    .action(action(() => import("../commands/account-rename.ts")))
  withExamples(
    withReach(withInvitation(withKeyOptions(rename))),
    "kez account rename alicia",
    "kez account rename alicia --yes",
  )
  const move = account
    .command("move <account>")
    .description("Move to another chat server. The old handle leads there, and nobody else can ever have it.")
    .summary("move to another server")
    .option(...accountOption)
    .option("-y, --yes", "do not ask")
    .action(action(() => import("../commands/account-move.ts")))
  withExamples(
    withReach(withInvitation(withKeyOptions(move))),
    "kez account move alice@other.example.org",
    "kez account move alice@other.example.org --invitation-file code.txt --yes",
  )
}

function addKeeping(account: Command): void {
  const show = account
    .command("show [account]")
    .description("Show an account. No passphrase is needed, and nobody is asked.")
    .summary("show an account")
    .option("--all", "all accounts on this computer")
    .action(action(() => import("../commands/account-show.ts")))
  withExamples(show, "kez account show", "kez account show --all --json")
  const archive = account
    .command("archive [account]")
    .description(
      "Let the words read the account's history, and read what is in it: for an account of an older kez, after a rotation, and on a device that no other one has let in yet.",
    )
    .summary("let the words read the history, and bring it here")
    .option(...accountOption)
    .action(action(() => import("../commands/account-archive.ts")))
  withExamples(
    withReach(withKeyOptions(archive)),
    "kez account archive",
    "kez account archive alice@chat.example.org --mnemonic @words.txt",
  )
  const use = account
    .command("use <account>")
    .description("Choose the account that commands use when --account is not given.")
    .summary("choose the account to use")
    .action(action(() => import("../commands/account-use.ts")))
  withExamples(use, "kez account use alice@chat.example.org", "kez account use work")
  const unlock = account
    .command("unlock")
    .description(
      "Keep the keys of this device unlocked for a while in a process of its own, so that commands do not ask. " +
        "While they are unlocked, every program that runs as you can get them, as kez dm and kez chat do: it can write in your name, " +
        "and add a device of its own to your chain, which lasts.",
    )
    .summary("keep the device's keys unlocked for a while")
    .option("--for <time>", "how long, such as 15m or 8h (default: 15m, at most 24h)")
    .option(...accountOption)
    .action(action(() => import("../commands/account-unlock.ts")))
  withExamples(unlock, "kez account unlock", "kez account unlock --for 8h")
  const lock = account
    .command("lock")
    .description("Forget the unlocked keys of devices now.")
    .summary("forget unlocked keys now")
    .action(action(() => import("../commands/account-lock.ts")))
  withExamples(lock, "kez account lock", "kez account lock --json")
  const remove = account
    .command("remove <account>")
    .alias("rm")
    .description("Delete this device's keys and messages of an account. Its 24 words make a new device.")
    .summary("delete an account from this computer")
    .option("-y, --yes", "do not ask")
    .action(action(() => import("../commands/account-remove.ts")))
  withExamples(remove, "kez account remove old@chat.example.org", "kez account remove old@chat.example.org --yes")
}
