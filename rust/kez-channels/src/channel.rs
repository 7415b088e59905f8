//! The channels of SPEC §7 by their system, and what all of them do: look, and look at the platform's health.

use kez_core::{Code, System};
use url::Url;

use crate::net::{Net, NetError};
use crate::publication::{Evidence, Options, Outcome, Publication};
use crate::{ap, bluesky, dns, github, kez, nostr};

/// Where the owner of an account can place a proof, and nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// SPEC §7.1
    Dns,
    /// SPEC §7.3
    Github,
    /// SPEC §7.4
    Nostr,
    /// SPEC §7.5
    Bluesky,
    /// SPEC §7.6
    Ap,
    /// SPEC §7.7
    Kez,
}

/// A source of an account's chain that is named by SPEC §7 and is not expected (VER-6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainSource {
    /// A chain document. DNS-5.
    Document(Url),
    /// Application data of this npub. NOSTR-10, [`nostr::chain_documents`].
    Relays(String),
}

/// The channel of a system; a bare key has no place.
pub const fn find_channel(system: System) -> Option<Channel> {
    match system {
        System::Ed25519 => None,
        System::Nostr => Some(Channel::Nostr),
        System::Dns => Some(Channel::Dns),
        System::Github => Some(Channel::Github),
        System::Bluesky => Some(Channel::Bluesky),
        System::Ap => Some(Channel::Ap),
        System::Kez => Some(Channel::Kez),
    }
}

impl Channel {
    /// Looks at the place of the account with this canonical value.
    pub async fn collect<N: Net>(self, value: &str, net: &N, options: &Options) -> Publication {
        match self {
            Channel::Dns => dns::collect(value, net).await,
            Channel::Github => github::collect(value, net, options).await,
            Channel::Nostr => nostr::collect(value, net, options).await,
            Channel::Bluesky => bluesky::collect(value, net, options).await,
            Channel::Ap => ap::collect(value, net, options).await,
            Channel::Kez => kez::collect(value, net, options).await,
        }
    }

    /// Looks at something that is always there on the same platform. VER-14.
    pub async fn canary<N: Net>(self, value: &str, net: &N, options: &Options) -> Canary {
        let (source, health) = match self {
            Channel::Dns => dns::canary(value, net).await,
            Channel::Github => github::canary(net, options).await,
            Channel::Nostr => nostr::canary(net, options).await,
            Channel::Bluesky => bluesky::canary(net, options).await,
            Channel::Ap => ap::canary(value, net, options).await,
            Channel::Kez => kez::canary(value, net, options).await,
        };
        Canary { source, health }
    }

    /// [`Channel::collect`], and before absence or a code of the account is reported, the canary: `channel.down` where
    /// the platform is not well itself. VER-14.
    pub async fn look<N: Net>(self, value: &str, net: &N, options: &Options) -> Look {
        let mut publication = self.collect(value, net, options).await;
        if !publication.outcome.needs_canary() {
            return Look { publication, canary: None };
        }
        let canary = self.canary(value, net, options).await;
        if let Err(error) = &canary.health {
            publication.evidence.push(Evidence::error(canary.source.clone(), error));
            let retry_after_seconds = error.retry_after_seconds;
            publication.outcome = Outcome::Unreachable { code: Code::ChannelDown, retry_after_seconds };
        }
        Look { publication, canary: Some(canary) }
    }

    /// Where the account's chain may lie as well, by §7.
    pub fn chain_source(self, value: &str) -> Option<ChainSource> {
        match self {
            Channel::Dns => dns::chain_url(value).map(ChainSource::Document),
            Channel::Nostr => Some(ChainSource::Relays(value.to_owned())),
            Channel::Github | Channel::Bluesky | Channel::Ap | Channel::Kez => None,
        }
    }
}

/// How the platform is.
#[derive(Clone, Debug)]
pub struct Canary {
    /// What was looked at.
    pub source: String,
    /// Well, or why not.
    pub health: Result<(), NetError>,
}

/// A publication, and the canary where it was looked at.
#[derive(Clone, Debug)]
pub struct Look {
    /// What to judge by SPEC §6.
    pub publication: Publication,
    /// How the platform is, if that was asked.
    pub canary: Option<Canary>,
}
