//! The commands of `kez-rs identity` and their options.

use clap::Command;

use crate::args::{flag, group, key_type, no_passphrase, option, positional, with_words};

/// What it means that a key is unlocked.
const UNLOCKED: &str = "While it is unlocked, every program that runs as you can have it sign claims, revocations and other events \
    of a chain, also of a new chain, heads, proofs that it holds the key, and proofs of a nostr key for itself that serve for a \
    day. It does not sign rotate, set-next, add-device or settle, nor profiles, deletions and chains of nostr: these ask for the \
    passphrase. It never gives the key out.";

/// The group.
pub fn identity() -> Command {
    let name = || positional("name");
    let new = Command::new("new")
        .about("make an identity")
        .arg(name())
        .arg(key_type())
        .arg(
            option("mnemonic-words", "count", "12 or 24 recovery words").value_parser(["12", "24"]).default_value("24"),
        )
        .arg(no_passphrase())
        .arg(flag("reveal-words", "put the recovery words into the output, where anything may record them"));
    let restore = with_words(Command::new("restore").about("bring an identity back from its words"));
    group("identity", "make and keep identities")
        .subcommand(new)
        .subcommand(restore.arg(name()).arg(no_passphrase()))
        .subcommand(with_words(Command::new("from-mnemonic").about("print the identity of some words; stores nothing")))
        .subcommand(Command::new("list").visible_alias("ls").about("list identities"))
        .subcommand(
            Command::new("show").about("show one identity").arg(name()).arg(flag("id", "print the identity alone")),
        )
        .subcommand(Command::new("use").about("choose the identity to act as").arg(name().required(true)))
        .subcommand(
            Command::new("unlock")
                .about("keep the key unlocked for a while, in a process that signs for commands")
                .after_help(UNLOCKED)
                .arg(name())
                .arg(option("for", "time", "how long, such as 15m or 8h (default: 15m, at most 24h)")),
        )
        .subcommand(Command::new("lock").about("forget an unlocked key now; all of them without a name").arg(name()))
        .subcommand(
            Command::new("mnemonic")
                .about("show the recovery words")
                .arg(name())
                .arg(flag("reveal-words", "put the words into the output, where anything may record them")),
        )
        .subcommand(
            Command::new("passphrase")
                .about("change the passphrase")
                .arg(name())
                .arg(option("new-passphrase-file", "path", "read the new passphrase from a file"))
                .arg(option("new-passphrase-fd", "n", "read the new passphrase from an open file descriptor"))
                .arg(no_passphrase()),
        )
        .subcommand(
            Command::new("remove")
                .visible_alias("rm")
                .about("delete a key from this computer")
                .arg(name().required(true))
                .arg(flag("yes", "do not ask").short('y')),
        )
}
