//! What an evidence file proves: said without the space, and without trust in whoever sent it.

use super::chain::{self, Judged};
use super::pages;
use super::recording::Recording;
use super::signed::Signed;
use crate::codec::evidence::{Claim, Evidence, Part};
use crate::journal::fault::Fault;
use crate::model::{Number, Oid, PublicKey, SpaceId};
use crate::store::{Kind, Objects};

/// What kind of thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// One key signed two different pages for one number and epoch.
    Equivocation,
    /// A key signed a page that the rules refuse.
    Invalid,
    /// Two pages with one number, by two keys or in two epochs: accuses nobody by itself.
    Conflict,
    /// A newer page exists than the one that was shown: accuses no key.
    Withheld,
    /// The file proves nothing.
    Nothing,
    /// The file does not hold what deciding it needs.
    Inconclusive,
}

impl Verdict {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Equivocation => "equivocation",
            Verdict::Invalid => "invalid",
            Verdict::Conflict => "conflict",
            Verdict::Withheld => "withheld",
            Verdict::Nothing => "nothing",
            Verdict::Inconclusive => "inconclusive",
        }
    }
}

/// What a check came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing was found.
    pub verdict: Verdict,
    /// The space it is about.
    pub space: Option<SpaceId>,
    /// The number it is about.
    pub number: Option<Number>,
    /// The key that did what it must not.
    pub accused: Option<PublicKey>,
    /// The keys that signed the pages.
    pub signers: Vec<PublicKey>,
    /// What is proved, or why nothing is. Text of others in it is not escaped.
    pub words: String,
    /// What the reporter says besides. Nothing in the file shows it.
    pub hearsay: Option<String>,
}

impl Finding {
    /// Whether it proves something.
    pub fn proves(&self) -> bool {
        !matches!(self.verdict, Verdict::Nothing | Verdict::Inconclusive)
    }

    pub(super) fn shown(
        verdict: Verdict,
        space: SpaceId,
        number: Number,
        words: impl Into<String>,
    ) -> Self {
        Self {
            verdict,
            space: Some(space),
            number: Some(number),
            accused: None,
            signers: Vec::new(),
            words: words.into(),
            hearsay: None,
        }
    }

    fn unproved(verdict: Verdict, words: impl Into<String>) -> Self {
        Self {
            verdict,
            space: None,
            number: None,
            accused: None,
            signers: Vec::new(),
            words: words.into(),
            hearsay: None,
        }
    }

    pub(super) fn nothing(words: impl Into<String>) -> Self {
        Self::unproved(Verdict::Nothing, words)
    }

    pub(super) fn signed_by(mut self, keys: &[PublicKey]) -> Self {
        self.signers = keys.to_vec();
        self
    }

    pub(super) fn accuses(mut self, key: PublicKey) -> Self {
        self.accused = Some(key);
        self
    }
}

/// Checks what a file shows. The objects are put into `empty`, a store in memory of the file's object
/// format; their ids are computed from their bytes.
///
/// # Errors
/// What keeps the store from taking them; about the file everything is a finding.
pub fn check<S: Objects>(evidence: &Evidence, empty: &S) -> Result<Finding, Fault> {
    let objects: Vec<(Oid, Kind, Vec<u8>)> = evidence
        .objects
        .iter()
        .map(|(part, bytes)| {
            let kind = kind(*part);
            (empty.id_of(kind, bytes), kind, bytes.clone())
        })
        .collect();
    empty.write_all(&objects)?;
    let store = Recording::new(empty);
    let mut finding = match &evidence.claim {
        Claim::InvalidPage { code, page, .. } => invalid(&store, page, code),
        Claim::TwoPages { .. } => of_two(&store, &objects, pages::two),
        Claim::WentBack { words, .. } | Claim::Frozen { words, .. } => {
            let mut finding = of_two(&store, &objects, pages::withheld);
            finding.hearsay = Some(words.clone()).filter(|words| !words.is_empty());
            finding
        }
    };
    if finding.proves() && finding.number != Some(evidence.claim.number()) {
        finding = Finding::nothing("the file is named after another number than its pages have");
    }
    Ok(finding)
}

fn kind(part: Part) -> Kind {
    match part {
        Part::Blob => Kind::Blob,
        Part::Commit => Kind::Commit,
        Part::Tree => Kind::Tree,
    }
}

fn of_two<S: Objects>(
    store: &S,
    objects: &[(Oid, Kind, Vec<u8>)],
    show: impl Fn(&Signed, &Signed) -> Finding,
) -> Finding {
    let [(one, Kind::Commit, _), (other, Kind::Commit, _)] = objects else {
        return Finding::nothing("expected exactly two commits in the file");
    };
    match (Signed::read(store, one), Signed::read(store, other)) {
        (Ok(one), Ok(other)) => show(&one, &other),
        (Err(fault), _) | (_, Err(fault)) => unsigned(&fault),
    }
}

/// Anybody can write such a commit, or spell a signed one differently.
fn unsigned(fault: &Fault) -> Finding {
    Finding::nothing(format!(
        "not a page that anybody signed as it stands: {fault}"
    ))
}

fn invalid<S: Objects>(store: &Recording<'_, S>, page: &str, code: &str) -> Finding {
    let Ok(id) = page.parse::<Oid>() else {
        return Finding::nothing("the file names no page");
    };
    let signed = match Signed::read(store, &id) {
        Ok(signed) => signed,
        Err(_) if store.missed() => {
            let what = "the page it names is not in the file";
            return Finding::unproved(Verdict::Inconclusive, what);
        }
        Err(fault) => return unsigned(&fault),
    };
    match chain::judge(store, id, &signed) {
        Judged::Accepted => Finding::nothing("the rules accept the page on the one below it"),
        Judged::Unknown(why) => Finding::unproved(
            Verdict::Inconclusive,
            format!("what is in the file does not decide it: {why}"),
        ),
        Judged::Refused(fault) if fault.code.as_str() != code => Finding::nothing(format!(
            "the file says `{code}`, but by the rules that this program knows it is `{}`",
            fault.code
        )),
        Judged::Refused(fault) => accuse(&signed, &fault),
    }
}

fn accuse(page: &Signed, fault: &Fault) -> Finding {
    let (key, number) = (page.signer, page.number());
    let on = match page.previous() {
        Some(previous) => format!("on top of {previous}"),
        None => "as the first page".to_owned(),
    };
    let (code, what) = (fault.code, &fault.what);
    let words =
        format!("key {key} signed common@{number} {on}, which the rules refuse: {code}: {what}");
    Finding::shown(Verdict::Invalid, page.message.space, number, words)
        .signed_by(&[key])
        .accuses(key)
}
