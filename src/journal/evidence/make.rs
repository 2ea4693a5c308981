//! Making evidence of what was seen in a store. What does not stand up to its own check is not made.

use super::chain::{self, Judged};
use super::recording::Recording;
use super::signed::Signed;
use crate::codec::evidence::{Claim, Evidence};
use crate::crypto::digest;
use crate::journal::fault::Fault;
use crate::model::text::is_plain;
use crate::model::{Code, Oid, limits};
use crate::store::Objects;
use std::fmt::Write as _;

impl Evidence {
    /// Two signed pages with one number. `None` where they are one page in two spellings, or not both
    /// signed pages of one space and number: then they show nothing.
    ///
    /// # Errors
    /// What keeps a commit from being read.
    pub fn two_pages<S: Objects>(store: &S, a: Oid, b: Oid) -> Result<Option<Self>, Fault> {
        let Some((store, one, other)) = both(store, &a, &b)? else {
            return Ok(None);
        };
        let same = one.message.space == other.message.space && one.number() == other.number();
        if !same || one.commit.payload() == other.commit.payload() {
            return Ok(None);
        }
        let number = one.number().0;
        finish(store, Claim::TwoPages { number }).map(Some)
    }

    /// A signed page that the rules refuse on the page that it stands on, with all that shows it. `None`
    /// where its own signature is not good (then nobody is to blame), where the rules accept it (then the
    /// fault lies below), or where not everything is here that judging it needs.
    ///
    /// # Errors
    /// `too-large` where that is more than one file holds; what keeps objects from being read.
    pub fn invalid_page<S: Objects>(store: &S, page: Oid) -> Result<Option<Self>, Fault> {
        let store = Recording::new(store);
        let signed = match Signed::read(&store, &page) {
            Ok(signed) => signed,
            Err(fault) if fault.is_environment() => return Err(fault),
            Err(_) => return Ok(None),
        };
        let judged = chain::judge(&store, page, &signed);
        if store.is_full() {
            return Err(too_large());
        }
        let Judged::Refused(fault) = judged else {
            return Ok(None);
        };
        let claim = Claim::InvalidPage {
            code: fault.code.to_string(),
            number: signed.number().0,
            page: page.to_hex(),
        };
        finish(store, claim).map(Some)
    }

    /// A remote showed `older` after it had shown `newer`. The words are the reporter's own: which remote,
    /// and when. `None` where the two are not signed pages of one space, the one above the other.
    ///
    /// # Errors
    /// What keeps a commit from being read.
    pub fn went_back<S: Objects>(
        store: &S,
        newer: Oid,
        older: Oid,
        words: &str,
    ) -> Result<Option<Self>, Fault> {
        let claim = |number, words| Claim::WentBack { number, words };
        withheld(store, newer, older, words, claim)
    }

    /// A remote shows `older` while another one, or a heartbeat, shows `newer`. As [`Evidence::went_back`]
    /// otherwise.
    ///
    /// # Errors
    /// What keeps a commit from being read.
    pub fn frozen<S: Objects>(
        store: &S,
        newer: Oid,
        older: Oid,
        words: &str,
    ) -> Result<Option<Self>, Fault> {
        let claim = |number, words| Claim::Frozen { number, words };
        withheld(store, newer, older, words, claim)
    }

    /// The name that a file of it has: kind, number and the beginning of the BLAKE3 hash of its bytes.
    pub fn file_name(&self) -> String {
        self.name_with(12)
    }

    /// The same name with more of the hash.
    pub fn long_file_name(&self) -> String {
        self.name_with(64)
    }

    fn name_with(&self, digits: usize) -> String {
        let digest = digest::file(&self.encode());
        let (kind, number) = (self.claim.kind(), self.claim.number());
        format!("{kind}-{number}-{}.json", &digest[..digits])
    }
}

fn withheld<S: Objects>(
    store: &S,
    newer: Oid,
    older: Oid,
    words: &str,
    claim: impl Fn(u64, String) -> Claim,
) -> Result<Option<Evidence>, Fault> {
    let Some((store, newer, older)) = both(store, &newer, &older)? else {
        return Ok(None);
    };
    if newer.message.space != older.message.space || newer.number() <= older.number() {
        return Ok(None);
    }
    finish(store, claim(newer.number().0, plain(words))).map(Some)
}

type Both<'s, S> = (Recording<'s, S>, Signed, Signed);

/// Two signed pages; `None` where one is not.
fn both<'s, S: Objects>(store: &'s S, a: &Oid, b: &Oid) -> Result<Option<Both<'s, S>>, Fault> {
    let store = Recording::new(store);
    let read = Signed::read(&store, a).and_then(|a| Ok((a, Signed::read(&store, b)?)));
    match read {
        Ok((a, b)) => Ok(Some((store, a, b))),
        Err(fault) if fault.is_environment() || fault.is_damage() => Err(fault),
        Err(_) => Ok(None),
    }
}

fn finish<S: Objects>(store: Recording<'_, S>, claim: Claim) -> Result<Evidence, Fault> {
    let format = store.format();
    let evidence = Evidence {
        format,
        claim,
        objects: store.into_objects(),
    };
    // Base64 is larger than the bytes: what is written must be read again.
    match evidence.encode().len() <= limits::EVIDENCE_BYTES {
        true => Ok(evidence),
        false => Err(too_large()),
    }
}

fn too_large() -> Fault {
    let what = format!(
        "expected at most {} bytes and {} objects of evidence, found more",
        limits::EVIDENCE_BYTES,
        limits::EVIDENCE_OBJECTS
    );
    Fault::new(Code::TooLarge, what)
}

/// Words on one line within the limit: what a terminal would obey is spelt out.
fn plain(words: &str) -> String {
    let mut plain = String::new();
    for c in words.chars() {
        let mut next = String::new();
        match is_plain(c) {
            true => next.push(c),
            // Writing into a string cannot fail.
            false => drop(write!(next, "\\u{{{:x}}}", c as u32)),
        }
        if plain.len() + next.len() > limits::EVIDENCE_WORDS {
            break;
        }
        plain.push_str(&next);
    }
    plain
}
