//! The commands and their options: those of `kez`.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgGroup, Command, value_parser};

use crate::args_identity::identity;

/// One that is given or not.
pub fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

/// One with a value.
pub fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

/// A word of its own.
pub fn positional(name: &'static str) -> Arg {
    Arg::new(name)
}

/// `--key-type`
pub fn key_type() -> Arg {
    option("key-type", "type", "kind of key: ed25519, nostr").value_parser(["ed25519", "nostr"])
}

const REVOKE_DEVICE: &str = "Take devices out, and the devices that they added. A revoked key never returns. A former primary can be \
named too: devices that it added stay, and what it revoked on branches that lost is lifted, now and later.";

const ROTATE: &str = "Replace the primary key by that of another identity on this computer. Accounts and devices stay, but where \
somebody has revoked the key that you committed to: then it goes back to before that, and what came after is left behind, with the \
accounts and devices that it added.";

/// Where a key comes from that is no identity of this computer.
fn with_key(command: Command) -> Command {
    let sources = ["key-file", "key-fd", "mnemonic", "ed25519-seed", "nsec"];
    command
        .arg(option("key-file", "path", "a key file: age, or any of the forms below"))
        .arg(option("key-fd", "n", "the same, read from an open file descriptor"))
        .arg(option("mnemonic", "words", "12 or 24 recovery words; @FILE reads a file, - reads stdin"))
        .arg(option("ed25519-seed", "hex", "64 hex digits; @FILE reads a file, - reads stdin"))
        .arg(option("nsec", "nsec", "a nostr secret key; @FILE reads a file, - reads stdin"))
        .group(ArgGroup::new("key").args(sources))
        .arg(key_type())
}

/// What takes recovery words.
pub fn with_words(command: Command) -> Command {
    command
        .arg(option("mnemonic", "words", "the words: @FILE reads a file, - reads stdin"))
        .arg(option("mnemonic-fd", "n", "the same, read from an open file descriptor").conflicts_with("mnemonic"))
        .arg(key_type())
        .arg(option("expect", "identity", "fail unless the words are those of this identity"))
}

fn with_out(command: Command) -> Command {
    command
        .arg(option("out", "file", "write to a file instead of stdout"))
        .arg(flag("force", "write over an existing file"))
}

/// What looks at places and stores.
fn with_net(command: Command) -> Command {
    command
        .arg(option("store", "url", "a sigchain store to ask too; may be repeated").action(ArgAction::Append))
        .arg(option("resolver", "server", "DNS server: 1.2.3.4, [::1]:53, or https://…"))
        .arg(option("timeout", "seconds", "how long one place may take (default: 10)"))
}

fn with_reader(command: Command) -> Command {
    with_net(command)
        .arg(option("chain", "file", "a chain document to consult too; may be repeated").action(ArgAction::Append))
        .arg(flag("require-chain", "fail unless the identity's chain was found"))
}

fn with_verify(command: Command) -> Command {
    with_reader(command)
        .arg(option("primary", "key", "the key that you expect: ed25519:… or nostr:npub1…"))
        .arg(flag("fresh", "fail unless a signed head confirms that the chain found is complete"))
}

/// `--no-passphrase`
pub fn no_passphrase() -> Arg {
    flag("no-passphrase", "store the key unencrypted")
}

/// A command that has commands.
pub fn group(name: &'static str, about: &'static str) -> Command {
    Command::new(name).about(about).subcommand_required(true)
}

fn claim() -> Command {
    let forms = || {
        option("format", "form", "how to write it").value_parser(["json", "compact", "markdown", "dns", "reference"])
    };
    let making = |command: Command| {
        with_key(with_out(command))
            .arg(option("expires", "when", "90d, 2027-01-01, or 2027-01-01T12:00:00Z"))
            .arg(option("chain-hint", "url", "https URL where your chain lies, written beside the claim"))
    };
    let writing = |command: Command| {
        with_key(command)
            .arg(positional("subject").required(true))
            .arg(option("credential-file", "path", "file with the token, app password or nsec; - is stdin"))
            .arg(option("wait", "seconds", "how long to look; 0 looks once (default: 60, for a zone 600)"))
            .arg(flag(
                "accept-new-account",
                "the name belongs to another account than your chain says, and it is yours",
            ))
            .arg(option("resolver", "server", "DNS server: 1.2.3.4, [::1]:53, or https://…"))
            .arg(option("timeout", "seconds", "how long one place may take (default: 10)"))
    };
    let create = Command::new("create").about("sign a claim for an account and print it");
    let dns = Command::new("dns").about("print the DNS record that proves a domain");
    group("claim", "say that an account is yours")
        .subcommand(making(create).arg(positional("subject").required(true)).arg(forms().default_value("markdown")))
        .subcommand(
            making(dns)
                .arg(positional("domain").required(true))
                .arg(flag("new", "make a new claim even where an earlier one serves"))
                .arg(flag("reference", "the short form, which names your chain")),
        )
        .subcommand(
            writing(Command::new("publish").about("publish the proof, check it, and list it"))
                .arg(option("place", "name", "one of the places of the account, instead of the usual one"))
                .arg(option("expires", "when", "90d, 2027-01-01, or 2027-01-01T12:00:00Z"))
                .arg(option("chain-hint", "url", "https URL where your chain lies, written beside the claim"))
                .arg(option("name-server", "server", "for a domain: the server of its zone to ask")),
        )
        .subcommand(writing(Command::new("unpublish").about("take the proof away from its place")))
        .subcommand(
            with_out(Command::new("list").visible_alias("ls").about("list the claims made on this computer"))
                .arg(forms()),
        )
}

fn verify() -> Command {
    let id = with_verify(Command::new("id").about("check accounts where they live"))
        .arg(positional("identities").num_args(1..).required(true))
        .arg(
            option("watch", "seconds", "look again and again, and say what changed (default: every 60 s)")
                .num_args(0..=1)
                .default_missing_value("60"),
        )
        .arg(flag("accept-new-account", "the name belongs to another account than before, and that is right"));
    let file = with_verify(Command::new("file").about("check a claim in a file; - is stdin"))
        .arg(positional("path").required(true))
        .arg(flag("offline", "ask nobody; only what this computer holds"));
    group("verify", "check who is behind an account").subcommand(id).subcommand(file)
}

fn sigchain() -> Command {
    let one = |name: &'static str, about: &'static str| Command::new(name).about(about);
    let append = |name: &'static str, about: &'static str| with_key(one(name, about));
    let required = |name: &'static str| positional(name).required(true);
    group("sigchain", "the signed history of your identity")
        .subcommand(
            append("add", "list an account")
                .arg(required("subject"))
                .arg(option("subject-id", "id", "the account's permanent number"))
                .arg(option("proof", "claim", "a file with the claim, or its digest")),
        )
        .subcommand(append("revoke", "say that an account is not yours any more").arg(required("subject")))
        .subcommand(append("add-device", "let another key speak for you").arg(required("name")))
        .subcommand(
            append("revoke-device", "take devices out")
                .long_about(REVOKE_DEVICE)
                .arg(required("keys").num_args(1..))
                .arg(option("keep", "keys", "devices to keep").num_args(1..).action(ArgAction::Append))
                .arg(flag("yes", "revoke even the key that you committed to, and lift other revocations")),
        )
        .subcommand(
            append("set-next", "commit to your next primary key")
                .arg(positional("next"))
                .arg(option("commitment", "digest", "the commitment itself"))
                .arg(flag("yes", "do not ask first: it cannot be undone")),
        )
        .subcommand(
            append("rotate", "replace the primary key")
                .long_about(ROTATE)
                .arg(required("name"))
                .arg(option("next", "key", "which key alone may follow the new one"))
                .arg(flag("keep-revocations", "where it goes back, sign the revocations left behind again"))
                .arg(flag("yes", "do not ask before events are left behind")),
        )
        .subcommand(
            append("settle", "decide a fork")
                .arg(option("keep", "digest", "an event of the branch to keep"))
                .arg(flag("keep-revocations", "sign revocations of rejected branches again"))
                .arg(
                    option("lift", "digests", "revocations of losing branches to lift")
                        .num_args(1..)
                        .action(ArgAction::Append),
                ),
        )
        .subcommand(one("show", "show a chain").arg(positional("id")))
        .subcommand(
            with_out(append("head", "sign where your chain ends"))
                .arg(option("expires", "time", "at most 7d").default_value("7d")),
        )
        .subcommand(
            with_out(one("export", "print a chain as a document"))
                .arg(positional("id"))
                .arg(
                    option("format", "form", "jsonl or compact")
                        .value_parser(["jsonl", "compact"])
                        .default_value("jsonl"),
                )
                .arg(option("branch", "digest", "the branch that holds this event")),
        )
        .subcommand(one("import", "take a chain in; - is stdin").arg(required("file")))
        .subcommand(
            with_net(one("fetch", "bring a chain here"))
                .arg(positional("id"))
                .arg(option("from", "url", "a store or a chain document to ask instead").action(ArgAction::Append)),
        )
        .subcommand(
            with_key(with_net(one("publish", "put your chain where readers look")))
                .arg(
                    option("to", "place", "where (default: your stores): sig, web, dns, nostr")
                        .num_args(1..)
                        .action(ArgAction::Append)
                        .value_parser(["sig", "web", "dns", "nostr"]),
                )
                .arg(option("web", "dir", "the folder that your web server serves"))
                .arg(option(
                    "url",
                    "url",
                    "for --to dns: where your chain lies (default: your first store, else your domain)",
                ))
                .arg(option("credential-file", "path", "for --to nostr: file with the nsec; - is stdin")),
        )
        .subcommand(with_key(with_net(one("sync", "make your chain one everywhere"))))
        .subcommand(with_net(one("watch", "say what changes in a chain")).arg(positional("id")))
}

fn graph() -> Command {
    with_reader(with_out(Command::new("graph").about("show a whole identity")))
        .arg(positional("id"))
        .arg(flag("svg", "a picture that stands alone, light and dark"))
        .arg(flag("html", "one page with the picture and the table"))
        .arg(flag("dot", "a description for Graphviz"))
        .arg(flag("offline", "ask nobody; only what this computer holds"))
}

/// Not for people: what `identity unlock` starts.
fn agent_process() -> Command {
    Command::new("agent-process")
        .hide(true)
        .arg(positional("socket").required(true).value_parser(value_parser!(PathBuf)))
        .arg(positional("until").required(true).value_parser(value_parser!(u64)))
}

/// The whole command line.
pub fn command() -> Command {
    Command::new("kez-rs")
        .about("Proof that accounts, keys and domains belong to one person, verifiable by anyone.")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(flag("json", "print one JSON object on stdout").global(true))
        .arg(flag("quiet", "no progress and no suggestions").short('q').global(true))
        .arg(flag("no-input", "never ask").global(true))
        .arg(flag("plain", "append-only text").global(true))
        .arg(
            option("color", "when", "colours: auto, always, never")
                .value_parser(["auto", "always", "never"])
                .global(true),
        )
        .arg(option("profile", "name", "use another set of identities and data").global(true))
        .arg(option("identity", "name", "act as this identity").global(true))
        .arg(option("passphrase-file", "path", "read the passphrase from a file").global(true))
        .arg(option("passphrase-fd", "n", "read the passphrase from an open file descriptor").global(true))
        .arg(flag("debug", "show where an error came from").global(true))
        .subcommands([identity(), claim(), verify(), sigchain(), graph(), agent_process()])
}
