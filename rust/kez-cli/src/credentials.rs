//! What it takes to write into the place of an account: the key itself, or a token. `kez claim publish --help`

use clap::ArgMatches;
use kez_channels::Token;
use kez_core::{Code, Identity, Signer as _, Suite, System};
use zeroize::Zeroizing;

use crate::context::{Context, read_input, read_secret};
use crate::key::Key;
use crate::outcome::{Failure, Outcome};
use crate::{keys, signing};

/// The most that a credential file may hold.
const MAX_BYTES: usize = 65_536;

/// The text of `--credential-file`; `-` is stdin.
pub fn credential_file(matches: &ArgMatches) -> Outcome<Option<Zeroizing<String>>> {
    let path = matches.try_get_one::<String>("credential-file").ok().flatten();
    match path.map(String::as_str) {
        None => Ok(None),
        Some("-") => {
            let bytes = Zeroizing::new(read_input("-", MAX_BYTES)?);
            let text = std::str::from_utf8(&bytes)
                .map_err(|_| Failure::new(Code::TextUtf8, "Cannot read stdin: expected UTF-8").typed())?;
            Ok(Some(Zeroizing::new(text.trim().to_owned())))
        }
        Some(path) => Ok(Some(Zeroizing::new(read_secret(path)?.trim().to_owned()))),
    }
}

/// The secret of a nostr key: of the credential file, of the options, or of an identity of this computer.
pub fn nostr_key(context: &Context, matches: &ArgMatches, account: &Identity) -> Outcome<Key> {
    if let Some(text) = credential_file(matches)? {
        let secret = signing::of_file(context, &text, Suite::Nostr)?;
        return match secret.key().identity() == account {
            true => Ok(Key::Here(secret)),
            false => Err(not_held(account)),
        };
    }
    if let Ok(key) = signing::signer_at_hand(context, matches)
        && key.key().identity() == account
    {
        return Ok(key);
    }
    let held = keys::list(context)?.into_iter().find(|identity| identity.key.identity() == account);
    match held {
        Some(identity) => keys::signer(context, &identity),
        None => Err(not_held(account)),
    }
}

fn not_held(account: &Identity) -> Failure {
    let message = format!("Cannot write as {account}: its secret key is not here");
    Failure::new(Code::KeyNotHeld, message).hint(
        "Pass it: --credential-file FILE, with its nsec or its words in it\n\
         Or keep it as an identity: kez-rs identity restore NAME --key-type nostr",
    )
}

/// A token of a GitHub account: of the file, of the environment, of the GitHub CLI.
pub fn github_token(context: &Context, matches: &ArgMatches, account: &Identity) -> Outcome<Token> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let of_environment = || variable("GH_TOKEN").or_else(|| variable("GITHUB_TOKEN")).or_else(of_github_cli);
    let text = credential_file(matches)?.map(|text| text.to_string()).or_else(of_environment);
    let text = match text {
        None if context.may_ask() => Some(crate::ask::secret(&format!("Access token of {account}: "))?.to_string()),
        text => text,
    };
    text.and_then(|text| Token::new(text.trim())).ok_or_else(|| {
        let message = format!("Cannot write as {account}: expected its access token, got none");
        Failure::new(Code::InputMissing, message).hint(
            "Log in with the GitHub CLI: gh auth login. Or set GH_TOKEN, or pass --credential-file FILE.\n\
             Where to get one: https://github.com/settings/tokens/new?scopes=gist&description=kez makes one, with the scope gist.",
        )
    })
}

/// The app password of a Bluesky account, or the access token of a fediverse account: of the file, of the environment.
pub fn place_token(context: &Context, matches: &ArgMatches, account: &Identity) -> Outcome<Token> {
    let (name, what) = match account.system() {
        System::Bluesky => ("KEZ_BSKY_APP_PASSWORD", "app password"),
        _ => ("KEZ_MASTODON_TOKEN", "access token"),
    };
    let of_environment = || std::env::var(name).ok().filter(|value| !value.is_empty()).map(Zeroizing::new);
    let text = match credential_file(matches)?.or_else(of_environment) {
        None if context.may_ask() => {
            Some(Zeroizing::new(crate::ask::secret(&format!("The {what} of {account}: "))?.to_string()))
        }
        text => text,
    };
    text.and_then(|text| Token::new(text.trim())).ok_or_else(|| {
        let message = format!("Cannot write as {account}: expected its {what}, got none");
        Failure::new(Code::InputMissing, message).hint(format!("Set {name}, or pass --credential-file FILE."))
    })
}

/// `gh auth token`, where that program is here and somebody is logged in.
fn of_github_cli() -> Option<String> {
    let output = std::process::Command::new("gh").args(["auth", "token"]).stdin(std::process::Stdio::null()).output();
    output.ok().filter(|output| output.status.success()).and_then(|output| String::from_utf8(output.stdout).ok())
}
