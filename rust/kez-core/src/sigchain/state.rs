//! What a path of events comes to. SPEC §5.4.
//!
//! One state is changed in place, and changed back by an [`Undo`]: so the states at 20,000 places of a tree cost no more
//! memory than that of its longest path.

use std::collections::{HashMap, HashSet};

use super::event::ChainEvent;
use super::lineage::Lineage;
use crate::Digest;
use crate::envelope::{Event, Op};
use crate::identity::{Identity, KeyIdentity};
use crate::limits::MAX_ACTIVE_DEVICES;

/// What an `add` says of a subject, apart from its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The account's permanent number.
    pub subject_id: Option<String>,
    /// The digest of the claim.
    pub proof: Option<Digest>,
}

/// A subject that the path names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubjectEntry {
    /// The last `add`, while the subject is active.
    pub listing: Option<Listing>,
    /// Whether there was ever a `revoke` of it on this path (VER-8).
    pub was_revoked: bool,
}

/// The manifest of shared files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedFiles {
    /// Its digest.
    pub manifest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// The state after a path of valid events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    primary: KeyIdentity,
    devices: Vec<KeyIdentity>,
    lineage: Lineage,
    burned: HashSet<KeyIdentity>,
    subjects: HashMap<Identity, SubjectEntry>,
    active_subjects: usize,
    next: Option<Digest>,
    files: Option<SharedFiles>,
}

/// What an event replaced.
#[derive(Debug, Default)]
pub(super) struct Undo {
    primary: Option<KeyIdentity>,
    device_added: bool,
    /// Where they stood, rising.
    devices_removed: Vec<(usize, KeyIdentity)>,
    lineage_added: bool,
    burned: Vec<KeyIdentity>,
    subject: Option<(Identity, Option<SubjectEntry>, usize)>,
    next: Option<Option<Digest>>,
    files: Option<Option<SharedFiles>>,
}

impl State {
    /// Before event 0: empty but for the primary that event 0 names.
    pub fn before_genesis(primary: &KeyIdentity) -> State {
        let mut lineage = Lineage::default();
        lineage.push_primary(primary.clone());
        State {
            primary: primary.clone(),
            devices: Vec::with_capacity(MAX_ACTIVE_DEVICES),
            lineage,
            burned: HashSet::new(),
            subjects: HashMap::new(),
            active_subjects: 0,
            next: None,
            files: None,
        }
    }

    /// The primary in force.
    pub const fn primary(&self) -> &KeyIdentity {
        &self.primary
    }

    /// The active devices in the order in which they were added.
    pub fn devices(&self) -> &[KeyIdentity] {
        &self.devices
    }

    /// Whether this is an active device.
    pub fn is_device(&self, key: &KeyIdentity) -> bool {
        self.devices.contains(key)
    }

    /// Whether this key was revoked or rotated away.
    pub fn is_burned(&self, key: &KeyIdentity) -> bool {
        self.burned.contains(key)
    }

    /// Who added whom, those included that are devices no more.
    pub const fn lineage(&self) -> &Lineage {
        &self.lineage
    }

    /// What the path says of this subject.
    pub fn subject(&self, subject: &Identity) -> Option<&SubjectEntry> {
        self.subjects.get(subject)
    }

    /// Every subject that the path names, in no particular order.
    pub fn subjects(&self) -> impl Iterator<Item = (&Identity, &SubjectEntry)> {
        self.subjects.iter()
    }

    /// How many subjects are active.
    pub const fn active_subjects(&self) -> usize {
        self.active_subjects
    }

    /// The commitment in force.
    pub const fn next(&self) -> Option<Digest> {
        self.next
    }

    /// The manifest of shared files.
    pub const fn files(&self) -> Option<SharedFiles> {
        self.files
    }

    /// CHAIN-12: all of `keys`, active or not, and every active device that one of them added, unless `keep` names it.
    pub fn revoked_by(&self, keys: &[KeyIdentity], keep: &[KeyIdentity]) -> Vec<KeyIdentity> {
        let is_added = |device: &&KeyIdentity| {
            !keys.contains(device) && !keep.contains(device) && self.lineage.is_added_by(device, keys)
        };
        keys.iter().chain(self.devices.iter().filter(is_added)).cloned().collect()
    }

    /// The state after a `revoke_device`, which nobody has signed yet.
    pub fn without(&self, keys: &[KeyIdentity], keep: &[KeyIdentity]) -> State {
        let mut state = self.clone();
        state.revoke(self.revoked_by(keys, keep));
        state
    }

    /// The effect of a valid event (SPEC §5.2), and how to take it back.
    pub(super) fn apply(&mut self, event: &ChainEvent) -> Undo {
        let Event { op, .. } = event.payload();
        match op {
            Op::Add { subject, subject_id, proof } => {
                self.list(subject, Some(Listing { subject_id: subject_id.clone(), proof: *proof }))
            }
            Op::Revoke { subject } => self.list(subject, None),
            Op::AddDevice { key, .. } => {
                self.devices.push(key.clone());
                self.lineage.push_device(key.clone(), event.signer());
                Undo { device_added: true, lineage_added: true, ..Undo::default() }
            }
            Op::RevokeDevice { keys, keep } => self.revoke(self.revoked_by(keys, keep)),
            Op::SetNext { next } => Undo { next: Some(self.next.replace(*next)), ..Undo::default() },
            Op::Rotate { new_primary, next, .. } => self.rotate(new_primary, *next),
            Op::Settle { .. } => Undo::default(),
            Op::SetSharedFiles { manifest, size } => {
                let files = SharedFiles { manifest: *manifest, size: *size };
                Undo { files: Some(self.files.replace(files)), ..Undo::default() }
            }
        }
    }

    fn list(&mut self, subject: &Identity, listing: Option<Listing>) -> Undo {
        let before = self.subjects.get(subject).cloned();
        let undo = Undo { subject: Some((subject.clone(), before, self.active_subjects)), ..Undo::default() };
        let entry = self.subjects.entry(subject.clone()).or_default();
        self.active_subjects -= usize::from(entry.listing.is_some());
        self.active_subjects += usize::from(listing.is_some());
        entry.was_revoked |= listing.is_none();
        entry.listing = listing;
        undo
    }

    fn revoke(&mut self, revoked: Vec<KeyIdentity>) -> Undo {
        let all = std::mem::take(&mut self.devices).into_iter().enumerate();
        let (removed, kept): (Vec<_>, Vec<_>) = all.partition(|(_, device)| revoked.contains(device));
        self.devices = kept.into_iter().map(|(_, device)| device).collect();
        let burned = revoked.into_iter().filter(|key| self.burned.insert(key.clone())).collect();
        Undo { devices_removed: removed, burned, ..Undo::default() }
    }

    fn rotate(&mut self, new_primary: &KeyIdentity, next: Option<Digest>) -> Undo {
        let old = std::mem::replace(&mut self.primary, new_primary.clone());
        self.lineage.push_primary(new_primary.clone());
        let burned = Vec::from_iter(self.burned.insert(old.clone()).then(|| old.clone()));
        let next = Some(std::mem::replace(&mut self.next, next));
        Undo { primary: Some(old), lineage_added: true, burned, next, ..Undo::default() }
    }

    /// Takes the last event back.
    pub(super) fn undo(&mut self, undo: Undo) {
        let Undo { primary, device_added, devices_removed, lineage_added, burned, subject, next, files } = undo;
        if let Some(primary) = primary {
            self.primary = primary;
        }
        if device_added {
            self.devices.pop();
        }
        for (place, device) in devices_removed {
            self.devices.insert(place.min(self.devices.len()), device);
        }
        if lineage_added {
            self.lineage.pop();
        }
        for key in burned {
            self.burned.remove(&key);
        }
        if let Some((subject, before, active)) = subject {
            self.active_subjects = active;
            match before {
                Some(before) => self.subjects.insert(subject, before),
                None => self.subjects.remove(&subject),
            };
        }
        if let Some(next) = next {
            self.next = next;
        }
        if let Some(files) = files {
            self.files = files;
        }
    }
}
