//! Manifests of shared files: whether one may follow what is known of its series. SPEC §2.4.

use crate::envelope::schema::{self, Fields, optional, required};
use crate::envelope::{Envelope, Kind, KnownPayload, Op, Payload, Provisional, decode};
use crate::error::{Code, Result, refuse};
use crate::identity::KeyIdentity;
use crate::json::Object;
use crate::limits::CLOCK_SKEW_SECONDS;
use crate::sigchain::Chain;
use crate::{Digest, Time};

/// The payload of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileManifest {
    /// The chain id.
    pub chain: Digest,
    /// Its place in the series of the key that signed it.
    pub seq: u64,
    /// The digest of the one before.
    pub prev: Option<Digest>,
    /// The digest of the root document.
    pub root: Digest,
    /// The bytes of the root document.
    pub size: u64,
    /// When it was made.
    pub created_at: Time,
}

impl Payload for FileManifest {
    fn parse(kind: Kind, payload: &Object) -> Result<FileManifest> {
        let Provisional(payload) = Provisional::parse(kind, payload)?;
        let table = [
            required("type"),
            required("version"),
            required("chain"),
            required("seq"),
            optional("prev"),
            required("root"),
            required("size"),
            required("created_at"),
        ];
        let fields = Fields::of_object(&payload, &table)?;
        Ok(FileManifest {
            chain: fields.required("chain", schema::digest)?,
            seq: fields.required("seq", schema::count)?,
            prev: fields.optional("prev", schema::digest)?,
            root: fields.required("root", schema::digest)?,
            size: fields.required("size", schema::count)?,
            created_at: fields.required("created_at", schema::time)?,
        })
    }
}

impl KnownPayload for FileManifest {
    const KIND: Kind = Kind::FileManifest;
}

/// The newest manifest of a key that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its place.
    pub seq: u64,
    /// Its digest.
    pub digest: Digest,
}

/// The manifest that a key last named in the winning path.
pub fn anchor_of(chain: &Chain, key: &KeyIdentity) -> Option<Digest> {
    chain.path().rev().find_map(|event| match &event.payload().op {
        Op::SetSharedFiles { manifest, .. } if event.signer() == key => Some(*manifest),
        _ => None,
    })
}

/// FILES-4, in its order: whether a manifest counts now. `anchored`: the one that the chain names, where it is a later one.
pub fn check_manifest(
    chain: &Chain,
    manifest: &[u8],
    anchored: Option<&[u8]>,
    mark: Option<&Mark>,
    now: Time,
) -> Result<Envelope<FileManifest>> {
    let manifest = decode::<FileManifest>(manifest)?;
    let (payload, signer) = (manifest.payload(), manifest.signer());
    if payload.chain != chain.id() {
        return refuse(Code::FileManifest, "expected a manifest for this chain");
    }
    if !chain.is_current_key(signer) {
        return refuse(Code::FileManifest, format!("expected a manifest by a current key, got {signer}"));
    }
    if payload.created_at.unix_seconds() > now.unix_seconds().saturating_add(CLOCK_SKEW_SECONDS) {
        return refuse(Code::TimeFuture, format!("expected a manifest made by now, got {}", payload.created_at));
    }
    manifest.check_signature()?;
    if let Some(mark) = mark {
        check_after(&manifest, mark)?;
    }
    match anchor_of(chain, signer) {
        Some(anchor) if anchor != manifest.digest() => {
            check_after(&manifest, &anchor_mark(&manifest, anchored, anchor)?)?;
            Ok(manifest)
        }
        _ => Ok(manifest),
    }
}

/// The one that the chain names has to be beside a later one, or nobody could tell which is later.
fn anchor_mark(manifest: &Envelope<FileManifest>, anchored: Option<&[u8]>, anchor: Digest) -> Result<Mark> {
    let Some(anchored) = anchored else {
        return refuse(Code::FileManifest, "expected the manifest that the chain names beside a later one");
    };
    let anchored = decode::<FileManifest>(anchored)?;
    let is_of_series = anchored.payload().chain == manifest.payload().chain && anchored.signer() == manifest.signer();
    match anchored.digest() == anchor && is_of_series {
        true => Ok(Mark { seq: anchored.payload().seq, digest: anchor }),
        false => refuse(Code::FileManifest, "expected the manifest that the chain names, got another one"),
    }
}

fn check_after(manifest: &Envelope<FileManifest>, mark: &Mark) -> Result<()> {
    let FileManifest { seq, prev, .. } = manifest.payload();
    if manifest.digest() == mark.digest {
        return Ok(());
    }
    if *seq < mark.seq {
        return refuse(Code::FileRollback, format!("expected a manifest after number {}, got {seq}", mark.seq));
    }
    let is_fork = *seq == mark.seq || (*seq == mark.seq.saturating_add(1) && *prev != Some(mark.digest));
    match is_fork {
        true => refuse(Code::FileFork, format!("expected manifest {seq} to follow number {}", mark.seq)),
        false => Ok(()),
    }
}
