//! Signed heads of a chain: whether one counts, and what it says. SPEC §5.8, HEAD-1 and HEAD-2.

use super::chain::Chain;
use crate::Time;
use crate::envelope::{ChainHead, Envelope, Verified, sign};
use crate::error::{Code, Result, refuse};
use crate::limits::CLOCK_SKEW_SECONDS;
use crate::signer::Signer;

/// What a head that counts comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadMeaning {
    /// It names the end of the winning path: the chain is live until then.
    Live(Time),
    /// It names an event beyond the winning path that nobody served: `chain.withheld`.
    Withheld,
    /// It names another event, which nobody served, in a place of the winning path: `chain.fork`.
    Contradiction,
    /// It says nothing that is not known.
    None,
}

/// HEAD-1, in its order: the codes of DEC-2, `time.future`, `head.expired`, `head.not_authorised`.
pub fn check_head(head: &Envelope<ChainHead>, chain: &Chain, now: Time) -> Result<()> {
    let ChainHead { issued_at, expires_at, .. } = head.payload();
    head.check_signature()?;
    if issued_at.unix_seconds() > now.unix_seconds().saturating_add(CLOCK_SKEW_SECONDS) {
        return refuse(Code::TimeFuture, format!("expected a head issued by now, got {issued_at}"));
    }
    if now >= *expires_at {
        return refuse(Code::HeadExpired, format!("expected a head that holds now, got one until {expires_at}"));
    }
    match chain.is_current_key(head.signer()) {
        true => Ok(()),
        false => refuse(Code::HeadNotAuthorised, format!("expected a head by a current key, got {}", head.signer())),
    }
}

/// HEAD-2, of a head that counts and names this chain.
pub fn read_head(head: &ChainHead, chain: &Chain) -> HeadMeaning {
    let end = chain.head();
    if head.seq == end.seq() && head.digest == end.digest() {
        return HeadMeaning::Live(head.expires_at);
    }
    match chain.tree().get(&head.digest) {
        Some(_) => HeadMeaning::None,
        None if head.seq > end.seq() => HeadMeaning::Withheld,
        None => HeadMeaning::Contradiction,
    }
}

/// A head of the end of the winning path, by a current key (else `head.not_authorised`). It lives 1 second to 7 days, else
/// `time.order`.
pub fn sign_head(chain: &Chain, issued_at: Time, expires_at: Time, signer: &dyn Signer) -> Result<Verified<ChainHead>> {
    if !chain.is_current_key(signer.key()) {
        return refuse(Code::HeadNotAuthorised, format!("expected a current key, got {}", signer.key()));
    }
    let end = chain.head();
    let head = ChainHead { chain: chain.id(), seq: end.seq(), digest: end.digest(), issued_at, expires_at };
    sign(head.to_members(), signer)
}
