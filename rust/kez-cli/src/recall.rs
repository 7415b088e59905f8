//! Whether recovery words are on paper: four of them are typed from it.

use std::collections::BTreeSet;

use kez_core::canonical::canonicalize;
use kez_core::{Code, Json};
use zeroize::Zeroizing;

use crate::context::Context;
use crate::keys::{self, Identity};
use crate::outcome::{Failure, Outcome};
use crate::{ask, home, random};

/// How many words are asked for.
const ASKED: usize = 4;

/// Shows the words on the terminal alone, asks for four of them, and remembers that the paper is right.
pub fn recall(context: &Context, identity: &Identity, words: &str) -> Outcome<Identity> {
    let words: Vec<&str> = words.split(' ').collect();
    let mut shown = Zeroizing::new(format!(
        "Write these {} words on paper, with their numbers. They are the only way back to this identity,\n\
         and whoever has them has the identity.\n\n",
        words.len()
    ));
    for (at, word) in words.iter().enumerate() {
        shown.push_str(&format!("  {:>2} {word}\n", at + 1));
    }
    shown.push_str("\nPress Enter when they are on paper; they then leave the screen. ");
    ask::show_for_a_while(&shown)?;
    let places = places(words.len())?;
    for (count, at) in places.iter().enumerate() {
        loop {
            let question = format!("Word {} ({} of {ASKED}): ", at + 1, count + 1);
            let typed = Zeroizing::new(ask::line(&question)?.to_lowercase());
            if words.get(*at) == Some(&typed.as_str()) {
                break;
            }
            eprintln!("That is another word. Look at your paper; Ctrl-C leaves.");
        }
    }
    confirm(context, &identity.name)?;
    keys::find(context, &identity.name)
}

/// Four places of so many, in rising order.
fn places(count: usize) -> Outcome<BTreeSet<usize>> {
    let mut places = BTreeSet::new();
    while places.len() < ASKED.min(count) {
        let [byte] = random::bytes::<1>()?;
        // 240 is a multiple of 12 and of 24: each place is as likely.
        if byte < 240 {
            places.insert(usize::from(byte) % count);
        }
    }
    Ok(places)
}

/// `backup` of the identity becomes `confirmed`.
pub fn confirm(context: &Context, name: &str) -> Outcome<()> {
    let path = context.home.join(format!("identities/{name}.json"));
    let bytes = home::read(&path)?.unwrap_or_default();
    let damaged = || Failure::new(Code::StoreCorrupt, format!("Cannot read identities/{name}.json: it is damaged"));
    let value = kez_core::json::parse(&bytes).map_err(|_| damaged())?;
    let Json::Object(mut members) = value else { return Err(damaged()) };
    members.insert("backup".to_owned(), "confirmed".into());
    home::write(&path, (canonicalize(&Json::Object(members))? + "\n").as_bytes(), false)
}
