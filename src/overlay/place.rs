//! Applying a diff: where each hunk goes.

use super::text::{Hunk, Sign};
use super::{OverlayFault, Patch, bounded, lines};
use crate::model::{Code, limits};

/// What a diff made of its base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The result.
    pub bytes: Vec<u8>,
    /// Hunks that did not go where they say, in order.
    pub moved: Vec<Moved>,
}

/// A hunk whose lines were found at another place than it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// The hunk, counted from 1.
    pub hunk: usize,
    /// The line of the base that it names, counted from 1.
    pub stated: usize,
    /// The line where it applies.
    pub found: usize,
}

impl Patch<'_> {
    /// Applies every hunk or nothing. All of a hunk's old lines must be there: none is passed over and none taken
    /// for another. A hunk whose lines are not where it says goes to the nearest place where they are, and that
    /// is told.
    ///
    /// # Errors
    /// `patch-fails`, with the hunk that does not apply; `too-large`.
    pub fn apply(&self, base: &[u8]) -> Result<Applied, OverlayFault> {
        bounded("the base", base)?;
        let fails = |what: &str| Err(OverlayFault::new(Code::PatchFails, what));
        let (from_nothing, to_nothing) = self.parsed.nothing();
        if from_nothing && !base.is_empty() {
            return fails("the diff makes a new file, and there is one already");
        }
        let mut field = Field {
            base: lines(base).collect(),
            at: 0,
            left: limits::LAYER_SEARCH,
        };
        let (mut bytes, mut moved) = (Vec::with_capacity(base.len()), Vec::new());
        for (index, hunk) in self.parsed.hunks().enumerate() {
            let old: Vec<&[u8]> = hunk.side(false).collect();
            let stated = stated(&hunk, old.len());
            let place = field.place(&hunk, &old, stated).map_err(|code| {
                let (number, all) = (index + 1, self.hunks());
                let line = hunk.start;
                let what = match code {
                    Code::TooLarge => {
                        format!("looking for the place of hunk {number} takes too long")
                    }
                    _ => format!("hunk {number} of {all} (line {line}) does not apply"),
                };
                OverlayFault::at(number, code, what)
            })?;
            if place != stated {
                moved.push(Moved {
                    hunk: index + 1,
                    stated: stated + 1,
                    found: place + 1,
                });
            }
            let kept = field.base[field.at..place].iter().copied();
            kept.chain(hunk.side(true))
                .for_each(|line| bytes.extend_from_slice(line));
            field.at = place + old.len();
            let cut = bytes.last().is_some_and(|byte| *byte != b'\n');
            if cut && field.at < field.base.len() {
                let what = format!("hunk {} ends the file, and the base goes on", index + 1);
                return Err(OverlayFault::at(index + 1, Code::PatchFails, what));
            }
        }
        let rest = &field.base[field.at..];
        rest.iter().for_each(|line| bytes.extend_from_slice(line));
        if to_nothing && !bytes.is_empty() {
            return fails("the diff removes the file, and something of it would be left");
        }
        bounded("the result", &bytes)?;
        Ok(Applied { bytes, moved })
    }
}

/// The line of the base, counted from 0, at which a hunk says that it begins.
fn stated(hunk: &Hunk<'_>, old: usize) -> usize {
    match old {
        // An empty side names the line before it.
        0 => hunk.start,
        _ => hunk.start.saturating_sub(1),
    }
}

/// The base, and how far it is done with.
struct Field<'b> {
    base: Vec<&'b [u8]>,
    /// The first line that no hunk has used.
    at: usize,
    /// Bytes that may still be compared.
    left: u64,
}

impl Field<'_> {
    /// Where the hunk goes, by the rules of git: one that begins with line 1 begins the file, one without context
    /// after its changes ends it, any other goes to the nearest place, the later one of two. Without any context
    /// nothing tells one place from another, so it goes where it says or nowhere.
    fn place(&mut self, hunk: &Hunk<'_>, old: &[&[u8]], stated: usize) -> Result<usize, Code> {
        let (first, last) = match self.base.len().checked_sub(old.len()) {
            Some(last) if last >= self.at => (self.at, last),
            _ => return Err(Code::PatchFails),
        };
        let is_context = |line: Option<&(Sign, &[u8])>| line.is_some_and(|l| l.0 == Sign::Context);
        let leads = is_context(hunk.lines.first());
        let trails = is_context(hunk.lines.last());
        if !leads && !trails {
            return self.nearest(old, stated, first.max(stated), last.min(stated));
        }
        let (begins, ends) = (hunk.start <= 1, !trails);
        let first = if ends { last } else { first };
        let last = if begins { 0 } else { last };
        self.nearest(old, stated, first, last)
    }

    fn nearest(
        &mut self,
        old: &[&[u8]],
        stated: usize,
        first: usize,
        last: usize,
    ) -> Result<usize, Code> {
        if first > last {
            return Err(Code::PatchFails);
        }
        let middle = stated.clamp(first, last);
        for distance in 0..=(last - first) {
            let later = middle.checked_add(distance).filter(|at| *at <= last);
            let sooner = middle.checked_sub(distance);
            let sooner = sooner.filter(|at| *at >= first && distance > 0);
            for at in later.into_iter().chain(sooner) {
                if self.matches(old, at)? {
                    return Ok(at);
                }
            }
        }
        Err(Code::PatchFails)
    }

    fn matches(&mut self, old: &[&[u8]], at: usize) -> Result<bool, Code> {
        for (expected, found) in old.iter().zip(&self.base[at..]) {
            // What a comparison costs besides its bytes.
            const EACH: u64 = 16;
            let cost = EACH + expected.len() as u64;
            self.left = self.left.checked_sub(cost).ok_or(Code::TooLarge)?;
            if expected != found {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
