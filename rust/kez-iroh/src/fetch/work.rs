//! What is missing and who fetches it. A range is cut into segments as it is handed out; a source without work takes a part of what a
//! slower one still has before it.

use crate::limits::{GROUP, SEGMENT, SPLIT, STUCK};
use iroh::EndpointId;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Bytes `start..end` of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// Index in the job.
    pub file: usize,
    /// A multiple of `GROUP`.
    pub start: u64,
    /// A multiple of `GROUP`, or the file's size.
    pub end: u64,
}

/// A segment that a source is fetching. The end moves when another source takes the rest.
#[derive(Debug, Clone)]
pub struct Flight {
    /// Names it in `Work`.
    pub id: u64,
    /// Index in the job.
    pub file: usize,
    /// Where it starts.
    pub start: u64,
    /// Where it ends now.
    pub end: Arc<AtomicU64>,
    /// Verified up to here.
    pub taken: Arc<AtomicU64>,
    /// Written up to here.
    pub written: Arc<AtomicU64>,
    source: EndpointId,
    noted: Arc<AtomicU64>,
    /// How far it was when somebody looked, and when it was first seen there.
    seen: (u64, Instant),
}

impl Flight {
    fn rest(&self) -> u64 {
        self.end.load(Ordering::Acquire).saturating_sub(self.taken.load(Ordering::Acquire))
    }

    /// Whether it has not moved for a while.
    fn is_stuck(&mut self) -> bool {
        let taken = self.taken.load(Ordering::Acquire);
        if self.seen.0 != taken {
            self.seen = (taken, Instant::now());
        }
        self.seen.1.elapsed() > STUCK
    }
}

/// The state of a job's missing bytes.
#[derive(Debug, Default)]
pub struct Work {
    queue: VecDeque<Range>,
    flying: HashMap<u64, Flight>,
    /// Missing bytes of each file.
    left: Vec<u64>,
    /// Files that are not at their place.
    pub undelivered: usize,
    lacks: HashSet<(EndpointId, usize)>,
    unnoted: Vec<(usize, u64, u64)>,
    next: u64,
}

impl Work {
    /// Work for files of which `left[i]` bytes are missing, as `ranges` say.
    pub fn new(ranges: Vec<Range>, left: Vec<u64>, undelivered: usize) -> Self {
        Self { queue: ranges.into(), left, undelivered, ..Self::default() }
    }

    /// Something for `source` to fetch.
    pub fn take(&mut self, source: EndpointId) -> Option<Flight> {
        let at = self.queue.iter().position(|range| !self.lacks.contains(&(source, range.file)));
        let range = match at {
            Some(at) => {
                let range = self.queue.get_mut(at)?;
                let end = range.end.min(range.start + SEGMENT);
                let cut = Range { file: range.file, start: range.start, end };
                range.start = end;
                if range.start >= range.end {
                    self.queue.remove(at);
                }
                cut
            }
            None => self.steal(source)?,
        };
        Some(self.fly(source, range))
    }

    fn fly(&mut self, source: EndpointId, range: Range) -> Flight {
        self.next += 1;
        let at = || Arc::new(AtomicU64::new(range.start));
        let end = Arc::new(AtomicU64::new(range.end));
        let flight = Flight {
            id: self.next,
            file: range.file,
            start: range.start,
            end,
            taken: at(),
            written: at(),
            source,
            noted: at(),
            seen: (range.start, Instant::now()),
        };
        self.flying.insert(flight.id, flight.clone());
        flight
    }

    /// Half of what another source still has to fetch, or nearly all of it where that is little; all of it where that source brings
    /// nothing any more. So the last bytes do not wait for the slowest. A group that is on its way at this moment comes twice.
    fn steal(&mut self, source: EndpointId) -> Option<Range> {
        let lacks = &self.lacks;
        let others = self.flying.values_mut().filter(|flight| flight.source != source);
        let victim =
            others.filter(|flight| !lacks.contains(&(source, flight.file))).max_by_key(|flight| flight.rest())?;
        let (taken, end, rest) =
            (victim.taken.load(Ordering::Acquire), victim.end.load(Ordering::Acquire), victim.rest());
        let cut = match rest {
            _ if victim.is_stuck() => taken,
            rest if rest > SPLIT => taken + rest / 2,
            _ => taken + 2 * GROUP,
        };
        let cut = cut.div_ceil(GROUP) * GROUP;
        if cut >= end {
            return None;
        }
        victim.end.store(cut, Ordering::Release);
        Some(Range { file: victim.file, start: cut, end })
    }

    /// Ends a flight: what it wrote is there, the rest is missing again. True if its file is complete now.
    pub fn land(&mut self, flight: &Flight) -> bool {
        self.flying.remove(&flight.id);
        let end = flight.end.load(Ordering::Acquire);
        let written = flight.written.load(Ordering::Acquire).min(end);
        self.note(flight, written);
        if written < end {
            self.queue.push_front(Range { file: flight.file, start: written, end });
        }
        let Some(left) = self.left.get_mut(flight.file) else { return false };
        let before = *left;
        *left = left.saturating_sub(written - flight.start);
        before > 0 && *left == 0
    }

    fn note(&mut self, flight: &Flight, written: u64) {
        let noted = flight.noted.swap(written, Ordering::AcqRel);
        if noted < written {
            self.unnoted.push((flight.file, noted, written));
        }
    }

    /// Bytes that were written and are not in the journal.
    pub fn drain_unnoted(&mut self) -> Vec<(usize, u64, u64)> {
        for flight in self.flying.values().cloned().collect::<Vec<_>>() {
            let written = flight.written.load(Ordering::Acquire).min(flight.end.load(Ordering::Acquire));
            self.note(&flight, written);
        }
        std::mem::take(&mut self.unnoted)
    }

    /// This source does not have that file, or not any more.
    pub fn lacks(&mut self, source: EndpointId, file: usize) {
        self.lacks.insert((source, file));
    }

    /// A source that comes again is asked again.
    pub fn forgive(&mut self, source: &EndpointId) {
        self.lacks.retain(|(lacking, _)| lacking != source);
    }

    /// Whether nothing goes on and none of `sources` can bring any of what is missing.
    pub fn is_hopeless(&self, sources: &[EndpointId]) -> bool {
        let can = |range: &Range| sources.iter().any(|source| !self.lacks.contains(&(*source, range.file)));
        self.flying.is_empty() && !self.queue.is_empty() && !self.queue.iter().any(can)
    }
}

#[cfg(test)]
mod tests {
    use super::{Range, Work};
    use crate::limits::{GROUP, SEGMENT};
    use iroh::{EndpointId, SecretKey};
    use std::sync::atomic::Ordering;

    fn source(seed: u8) -> EndpointId {
        SecretKey::from_bytes(&[seed; 32]).public()
    }

    fn whole(size: u64) -> Work {
        Work::new(vec![Range { file: 0, start: 0, end: size }], vec![size], 1)
    }

    #[test]
    fn take_cuts_segments_and_land_gives_back_what_is_missing() -> Result<(), &'static str> {
        let mut work = whole(SEGMENT + 5);
        let first = work.take(source(1)).ok_or("first")?;
        let second = work.take(source(1)).ok_or("second")?;
        assert_eq!((second.start, second.end.load(Ordering::Relaxed)), (SEGMENT, SEGMENT + 5));
        assert!(work.take(source(1)).is_none());
        first.written.store(GROUP, Ordering::Relaxed);
        assert!(!work.land(&first));
        let again = work.take(source(1)).ok_or("again")?;
        assert_eq!(again.start, GROUP);
        again.written.store(SEGMENT, Ordering::Relaxed);
        second.written.store(SEGMENT + 5, Ordering::Relaxed);
        assert!(!work.land(&again));
        assert!(work.land(&second));
        assert_eq!(work.drain_unnoted(), [(0, 0, GROUP), (0, GROUP, SEGMENT), (0, SEGMENT, SEGMENT + 5)]);
        Ok(())
    }

    #[test]
    fn take_gives_an_idle_source_what_a_slow_one_has_before_it() -> Result<(), &'static str> {
        let mut work = whole(SEGMENT);
        let slow = work.take(source(1)).ok_or("slow")?;
        let fast = work.take(source(2)).ok_or("fast")?;
        assert_eq!(fast.start, SEGMENT / 2);
        assert_eq!(slow.end.load(Ordering::Relaxed), SEGMENT / 2);
        assert!(work.take(source(1)).is_some());
        Ok(())
    }

    #[test]
    fn is_hopeless_when_no_source_has_what_is_missing() {
        let mut work = whole(10);
        assert!(work.is_hopeless(&[]));
        assert!(!work.is_hopeless(&[source(1)]));
        work.lacks(source(1), 0);
        assert!(work.is_hopeless(&[source(1)]) && work.take(source(1)).is_none());
        work.forgive(&source(1));
        assert!(work.take(source(1)).is_some());
    }
}
