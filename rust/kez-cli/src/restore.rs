//! `kez-rs identity restore`: an identity from its words; also a new passphrase for one whose passphrase is forgotten.

use clap::ArgMatches;
use kez_core::{Code, Signer as _};

use crate::context::Context;
use crate::identity::{free_name, given, new_passphrase, shown, text};
use crate::keys::{self, Identity};
use crate::outcome::{Failure, Outcome};
use crate::recall;

/// Runs it.
pub fn run(context: &Context, matches: &ArgMatches) -> Outcome {
    let was_typed = text(matches, "mnemonic").is_none() && text(matches, "mnemonic-fd").is_none();
    let named = text(matches, "name");
    if let Some(name) = named {
        keys::check_known_name(name)?;
    }
    let secret = given(context, matches)?;
    let same = keys::list(context)?.into_iter().find(|identity| identity.key == *secret.key.key());
    let before = match (same, named) {
        (Some(same), Some(name)) if same.name != name => return Err(already_here(&same)),
        (same, _) => same,
    };
    let name = match &before {
        Some(before) => before.name.clone(),
        None => free_name(context, matches)?,
    };
    let passphrase = new_passphrase(context, matches)?;
    let passphrase = passphrase.as_deref().map(String::as_str);
    let mut identity = match before {
        Some(before) => {
            keys::write_key(context, &name, &secret, passphrase)?;
            before
        }
        None => keys::keep(context, &name, &secret, passphrase)?,
    };
    if was_typed {
        recall::confirm(context, &name)?;
        identity = keys::find(context, &name)?;
    }
    if !context.quiet && !identity.is_confirmed {
        context.warn(format!("nobody has checked that the recovery words of {name} are on paper"));
    }
    shown(context, &identity)
}

fn already_here(same: &Identity) -> Failure {
    let message = format!("Cannot restore the identity twice: it is here already, as {}", same.name);
    Failure::new(Code::StoreExists, message)
        .hint(format!("For a new passphrase: kez-rs identity restore {}", same.name))
}
