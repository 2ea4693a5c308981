//! The description of what a sender put on a stick, or of what it has.

use crate::cli::error::Problem;
use crate::journal::history::History;
use crate::journal::reconcile::{RefMap, travels};
use crate::model::{Code, Number, Oid, SpaceId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

/// Bytes in one description.
const LONGEST: u64 = 64 * 1024 * 1024;
/// Older pages in one description that are looked at.
const PAGES: usize = 64;
/// The version of its fields.
const FORMAT: u64 = 1;

/// What a sender put on a stick, or has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version.
    pub format: u64,
    /// The space.
    pub space: String,
    /// The repository that wrote it: 16 hexadecimal digits.
    pub sender: String,
    /// Grows by one with each description that the sender writes.
    pub serial: u64,
    /// The file with the objects; none where there was nothing new, and none beside what a sender has.
    pub bundle: Option<Bundle>,
    /// The sender's refs, by full name.
    pub refs: BTreeMap<String, String>,
    /// Its newest page and older ones, ever farther apart: whoever lacks the newest finds one that both have.
    pub pages: Vec<String>,
}

/// A file with objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// Its name beside the description.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// BLAKE3 of it, in hexadecimal.
    pub blake3: String,
    /// Whether it builds on nothing.
    pub whole: bool,
}

/// Whether a word names a sender.
pub fn is_sender(word: &str) -> bool {
    word.len() == 16
        && word
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn torn(path: &Path, why: &str) -> anyhow::Error {
    let what = format!("`{}`: {why}", path.display());
    Problem::new(Code::StickTorn, what).into()
}

impl Manifest {
    /// Describes refs.
    pub fn new(
        space: &SpaceId,
        sender: &str,
        serial: u64,
        refs: &RefMap,
        history: &History<'_>,
    ) -> anyhow::Result<Self> {
        let newest = history.len().0;
        let back = std::iter::successors(Some(1_u64), |back| back.checked_mul(2));
        let back = std::iter::once(0).chain(back.take_while(|back| *back < newest));
        let numbers = back.map(|back| newest - back).chain([1]);
        let mut pages = Vec::new();
        for number in numbers.take(PAGES) {
            pages.push(history.commit_of(Number(number))?.to_hex());
        }
        let refs = refs.iter().map(|(name, id)| (name.clone(), id.to_hex()));
        Ok(Self {
            format: FORMAT,
            space: space.to_hex(),
            sender: sender.to_owned(),
            serial,
            bundle: None,
            refs: refs.collect(),
            pages,
        })
    }

    /// Reads a description that a file's name says is that sender's.
    ///
    /// # Errors
    /// `stick-torn` for anything but a whole one.
    pub fn read(path: &Path, sender: &str) -> anyhow::Result<Self> {
        if super::plain_size(path)?.is_none() {
            return Err(torn(path, "no ordinary file"));
        }
        let mut text = Vec::new();
        let file = std::fs::File::open(path)?;
        file.take(LONGEST + 1).read_to_end(&mut text)?;
        if text.len() as u64 > LONGEST {
            return Err(torn(path, "larger than any description"));
        }
        let read: Self = serde_json::from_slice(&text)
            .map_err(|error| torn(path, &format!("not a whole description: {error}")))?;
        if read.format != FORMAT || read.sender != sender {
            return Err(torn(
                path,
                "of another version or sender than its name says",
            ));
        }
        if let Some(bundle) = &read.bundle
            && !is_plain_file(&bundle.file)
        {
            return Err(torn(path, "names a bundle that is not beside it"));
        }
        Ok(read)
    }

    /// As it is written.
    pub fn encode(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec(self).expect("text and numbers are JSON");
        text.push(b'\n');
        text
    }

    /// The refs that travel, by full name.
    pub fn refs(&self) -> RefMap {
        let parsed = |(name, id): (&String, &String)| {
            let id: Oid = id.parse().ok()?;
            travels(name).then(|| (name.clone(), id))
        };
        self.refs.iter().filter_map(parsed).collect()
    }

    /// The pages that the sender says it has, the newest first.
    pub fn pages(&self) -> impl Iterator<Item = Oid> {
        let pages = self.pages.iter().take(PAGES);
        pages.filter_map(|id| id.parse().ok())
    }
}

/// One name, and nothing that leads elsewhere.
fn is_plain_file(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    !name.starts_with('.') && !name.is_empty() && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundles_lie_beside_their_descriptions() {
        assert!(is_plain_file("0123456789abcdef-7.bundle"));
        for bad in ["", "..", "../x.bundle", "/x", ".hidden", "a/b"] {
            assert!(!is_plain_file(bad), "{bad}");
        }
    }
}
