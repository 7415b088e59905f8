/** The commands of `kez identity`. */
import type { Command } from "commander"
import { action } from "../run.ts"
import { withExamples } from "./help.ts"
import { keyTypeOption } from "./key-options.ts"

const expectFlag = "--expect <identity>"

export function addIdentityCommands(program: Command): void {
  const identity = program
    .command("identity")
    .description("Make, keep and unlock identities. Each is a key on this computer and 12 or 24 words on paper.")
    .summary("make, keep and unlock identities")
    .helpGroup("Identity")
  withExamples(
    identity,
    "kez identity new",
    "kez identity list",
    "kez identity restore",
    "kez identity unlock --for 1h",
  )
  addMaking(identity)
  addLooking(identity)
  addKeeping(identity)
}

function addMaking(identity: Command): void {
  const make = identity
    .command("new [name]")
    .description("Make an identity: a key file on this computer, and recovery words that you write on paper.")
    .summary("make an identity")
    .addOption(keyTypeOption("kind of key, ed25519 unless given"))
    .option("--mnemonic-words <count>", "12 or 24 recovery words (default: 24)")
    .option("--no-passphrase", "store the key unencrypted")
    .option("--reveal-words", "put the recovery words into the output, where anything may record them")
    .action(action(() => import("../commands/identity-new.ts")))
  withExamples(
    make,
    "kez identity new",
    "kez identity new work --key-type nostr",
    "kez identity new ci --no-input --passphrase-file pass.txt",
  )
  const restore = identity
    .command("restore [name]")
    .description("Bring an identity back from its recovery words.")
    .summary("bring an identity back from its words")
    .option("--mnemonic <words>", "the words: @FILE reads a file, - reads stdin")
    .option("--mnemonic-fd <n>", "the same, read from an open file descriptor")
    .addOption(keyTypeOption("kind of key that the words stand for, ed25519 unless given"))
    .option(expectFlag, "fail unless the words are those of this identity")
    .option("--no-passphrase", "store the key unencrypted")
    .action(action(() => import("../commands/identity-restore.ts")))
  withExamples(
    restore,
    "kez identity restore",
    "kez identity restore home --expect ed25519:9f2c…",
    "kez identity restore ci --mnemonic @words.txt --passphrase-file pass.txt",
  )
  const fromMnemonic = identity
    .command("from-mnemonic")
    .description("Print the identity that recovery words stand for. Nothing is stored.")
    .summary("print the identity of some words; stores nothing")
    .option("--mnemonic <words>", "the words: @FILE reads a file, - reads stdin")
    .option("--mnemonic-fd <n>", "the same, read from an open file descriptor")
    .addOption(keyTypeOption("kind of key that the words stand for, ed25519 unless given"))
    .option(expectFlag, "fail unless the words are those of this identity")
    .action(action(() => import("../commands/identity-from-mnemonic.ts")))
  withExamples(
    fromMnemonic,
    "kez identity from-mnemonic",
    "kez identity from-mnemonic --mnemonic - < words.txt",
    "kez identity from-mnemonic --key-type nostr",
  )
}

function addLooking(identity: Command): void {
  const list = identity
    .command("list")
    .alias("ls")
    .description("List the identities on this computer.")
    .summary("list identities")
    .action(action(() => import("../commands/identity-list.ts")))
  withExamples(list, "kez identity list", "kez identity list --json")
  const show = identity
    .command("show [name]")
    .description("Show one identity. No passphrase is needed.")
    .summary("show one identity")
    .option("--id", "print the identity alone")
    .action(action(() => import("../commands/identity-show.ts")))
  withExamples(show, "kez identity show", "kez identity show work", "kez identity show --id")
  const use = identity
    .command("use <name>")
    .description("Choose the identity that commands act as when --identity is not given.")
    .summary("choose the identity to act as")
    .action(action(() => import("../commands/identity-use.ts")))
  withExamples(use, "kez identity use work", "kez --identity home claim list")
}

function addKeeping(identity: Command): void {
  const unlock = identity
    .command("unlock [name]")
    .description(
      "Keep the key unlocked for a while in a process of its own, so that commands do not ask. It hands the key to nobody. " +
        "While it is unlocked, every program that runs as you can have it sign claims, heads, proofs that it holds the key, " +
        "and events of a chain, a new one too, such as add and revoke. What gives another key a say (rotate, set-next, " +
        "add-device, settle), a handle's move and what is signed for nostr ask for the passphrase.",
    )
    .summary("keep the key unlocked for a while")
    .option("--for <time>", "how long, such as 15m or 8h (default: 15m, at most 24h)")
    .action(action(() => import("../commands/identity-unlock.ts")))
  withExamples(unlock, "kez identity unlock", "kez identity unlock work --for 8h")
  const lock = identity
    .command("lock [name]")
    .description("Forget an unlocked key now; all of them without a name.")
    .summary("forget unlocked keys now")
    .action(action(() => import("../commands/identity-lock.ts")))
  withExamples(lock, "kez identity lock", "kez identity lock work")
  const mnemonic = identity
    .command("mnemonic [name]")
    .description("Show the recovery words on the terminal, and check that you have them on paper.")
    .summary("show the recovery words, and check your paper")
    .option("--reveal-words", "put the words into the output, where anything may record them")
    .action(action(() => import("../commands/identity-mnemonic.ts")))
  withExamples(mnemonic, "kez identity mnemonic", "kez identity mnemonic work")
  const passphrase = identity
    .command("passphrase [name]")
    .description("Change the passphrase of a key file.")
    .summary("change the passphrase")
    .option("--new-passphrase-file <path>", "read the new passphrase from a file")
    .option("--new-passphrase-fd <n>", "read the new passphrase from an open file descriptor")
    .option("--no-passphrase", "store the key unencrypted from now on")
    .action(action(() => import("../commands/identity-passphrase.ts")))
  withExamples(
    passphrase,
    "kez identity passphrase",
    "kez identity passphrase work --passphrase-file old --new-passphrase-file new",
  )
  const remove = identity
    .command("remove <name>")
    .alias("rm")
    .description("Delete an identity's key from this computer. Its words on paper bring it back; nothing else does.")
    .summary("delete a key from this computer")
    .option("-y, --yes", "do not ask")
    .action(action(() => import("../commands/identity-remove.ts")))
  withExamples(remove, "kez identity remove old", "kez identity remove old --yes")
}
