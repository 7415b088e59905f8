#![forbid(unsafe_code)]
//! `kez-rs`, the command line of the second implementation of KEZ: the commands, schemas and exit codes of `kez`
//! (docs/json.md, `kez help exit-codes`).

mod again;
mod age;
mod agent;
mod append;
mod args;
mod args_identity;
mod ask;
mod chains;
mod claim;
mod committed;
mod context;
mod credentials;
mod devices;
mod draw;
mod fetch;
mod gather;
mod graph;
mod home;
mod identity;
mod json;
mod judge;
mod key;
mod keys;
mod lifted;
mod live;
mod named;
mod network;
mod outcome;
mod paint;
mod places;
mod publish_chain;
mod publish_claim;
mod publish_listing;
mod publish_place;
mod random;
mod recall;
mod records;
mod restore;
mod rotate;
mod secret;
mod seen;
mod settings;
mod settle;
mod sigchain;
mod signing;
mod store;
mod told;
mod unpublish;
mod upload;
mod verify;
mod verify_watch;
mod watch;
mod web;
mod world;
mod writer;
mod zone;

use std::io::Write as _;
use std::process::ExitCode;

use clap::ArgMatches;
use clap::error::{ContextKind, ErrorKind};

use context::Context;
use outcome::{Answer, Failure, Outcome};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let is_json = arguments.iter().skip(1).any(|argument| argument == "--json");
    let (outcome, warnings, look) = match args::command().try_get_matches_from(arguments) {
        Ok(matches) => match matches.subcommand() {
            Some(("agent-process", matches)) => return agent::run(matches),
            _ => run(&matches),
        },
        Err(error) => (refused(&error), Vec::new(), Look::default()),
    };
    print(&outcome, &warnings, is_json, look)
}

/// How what is said looks.
#[derive(Clone, Copy, Default)]
struct Look {
    is_coloured: bool,
    is_debug: bool,
}

fn run(matches: &ArgMatches) -> (Outcome, Vec<String>, Look) {
    let context = match Context::new(matches) {
        Ok(context) => context,
        Err(failure) => return (Err(failure), Vec::new(), Look::default()),
    };
    let outcome = dispatch(&context, matches);
    let look = Look { is_coloured: context.has_colours(&std::io::stdout()), is_debug: context.debug };
    (outcome, context.warnings(), look)
}

fn dispatch(context: &Context, matches: &ArgMatches) -> Outcome {
    let Some((group, matches)) = matches.subcommand() else {
        return Err(Failure::usage("Cannot run: expected a command"));
    };
    if group == "graph" {
        return graph::run(context, matches);
    }
    let Some((command, matches)) = matches.subcommand() else {
        return Err(Failure::usage("Cannot run: expected a command"));
    };
    match group {
        "identity" => identity::run(context, command, matches),
        "claim" => claim::run(context, command, matches),
        "verify" => verify::run(context, command, matches),
        _ => sigchain::run(context, command, matches),
    }
}

/// Help and versions are answers; all else that the parser says is `usage`.
fn refused(error: &clap::Error) -> Outcome {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let data = json::object! { "topic" => "", "text" => text };
            Ok(Answer::new("kez.help/1", data, text))
        }
        ErrorKind::DisplayVersion => {
            let data = json::object! { "version" => env!("CARGO_PKG_VERSION") };
            Ok(Answer::new("kez.version/1", data, format!("{}\n", env!("CARGO_PKG_VERSION"))))
        }
        kind => {
            // What was typed is not repeated but for names of options: it may be a secret.
            let name = error.get(ContextKind::InvalidArg).map(|value| value.to_string()).unwrap_or_default();
            let name = if name.starts_with('-') {
                format!(" ({})", name.split('=').next().unwrap_or_default())
            } else {
                String::new()
            };
            let what = kind.as_str().unwrap_or("it is not written as it should be");
            Err(Failure::usage(format!("Cannot run the command: {what}{name}"))
                .hint("kez-rs --help lists what there is."))
        }
    }
}

fn print(outcome: &Outcome, warnings: &[String], is_json: bool, look: Look) -> ExitCode {
    let (mut stdout, mut stderr) = (std::io::stdout().lock(), std::io::stderr().lock());
    let written = if is_json {
        stdout.write_all(outcome::envelope(outcome, warnings).as_bytes())
    } else {
        let told: String = warnings.iter().map(|warning| format!("kez: warning: {warning}\n")).collect();
        stderr.write_all(told.as_bytes()).and_then(|()| match outcome {
            Ok(answer) => stdout.write_all(paint::paint(&answer.human, look.is_coloured).as_bytes()),
            Err(failure) => {
                let origin = if look.is_debug { failure.origin() } else { String::new() };
                stderr.write_all((failure.human() + &origin).as_bytes())
            }
        })
    };
    let exit = match outcome {
        Ok(answer) => answer.exit,
        Err(failure) => failure.exit(),
    };
    match written.and_then(|()| stdout.flush()) {
        Ok(()) => ExitCode::from(exit),
        Err(_) => ExitCode::FAILURE,
    }
}
