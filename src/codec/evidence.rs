//! Evidence files: one canonical JSON object on one line, with git objects in base64. What they prove is
//! for `journal::evidence` to say; here is only their form.

use super::json;
use crate::model::text::is_plain;
use crate::model::{Code, Number, ObjectFormat, Oid, limits};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The version of the file's form.
const VERSION: u64 = 1;

/// Something that happened, with the git objects that show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The hash that names the objects.
    pub format: ObjectFormat,
    /// What the file says it shows. It is believed as far as the objects show it.
    pub claim: Claim,
    /// Objects, strictly ascending by kind and bytes. Their ids are not kept: they follow from the bytes.
    pub objects: Vec<(Part, Vec<u8>)>,
}

/// What an evidence file says it shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Claim {
    /// Two signed pages with one number: the file holds those two commits.
    TwoPages {
        /// The number of both.
        number: u64,
    },
    /// A signed page that the rules refuse: the file holds what the check of it reads.
    InvalidPage {
        /// The code of the rule.
        code: String,
        /// The number that the page says it has.
        number: u64,
        /// Its commit, in hexadecimal.
        page: String,
    },
    /// Somebody showed an older page after they had shown a newer one: the file holds both commits.
    WentBack {
        /// The number of the newer page.
        number: u64,
        /// The reporter's own words: who showed what, and when.
        words: String,
    },
    /// Somebody shows an older page while others show a newer one: the file holds both commits.
    Frozen {
        /// The number of the newer page.
        number: u64,
        /// The reporter's own words: who showed what, and when.
        words: String,
    },
}

impl Claim {
    /// The word for its kind, as the file's name begins.
    pub fn kind(&self) -> &'static str {
        match self {
            Claim::TwoPages { .. } => "two-pages",
            Claim::InvalidPage { .. } => "invalid-page",
            Claim::WentBack { .. } => "went-back",
            Claim::Frozen { .. } => "frozen",
        }
    }

    /// The number it is about.
    pub fn number(&self) -> Number {
        match self {
            Claim::TwoPages { number }
            | Claim::InvalidPage { number, .. }
            | Claim::WentBack { number, .. }
            | Claim::Frozen { number, .. } => Number(*number),
        }
    }
}

/// The kinds of objects in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// File contents.
    Blob,
    /// A commit.
    Commit,
    /// A directory.
    Tree,
}

/// Why bytes are not an evidence file; always `evidence-malformed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceFault {
    /// Stable code.
    pub code: Code,
    /// What was expected and found.
    pub what: String,
}

impl EvidenceFault {
    fn new(what: impl Into<String>) -> Self {
        Self {
            code: Code::EvidenceMalformed,
            what: what.into(),
        }
    }
}

impl fmt::Display for EvidenceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.what)
    }
}

impl std::error::Error for EvidenceFault {}

/// The file as JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    claim: Claim,
    evidence: u64,
    object_format: ObjectFormat,
    objects: Vec<WireObject>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireObject {
    data: String,
    kind: Part,
}

impl Evidence {
    /// The bytes of the file.
    pub fn encode(&self) -> Vec<u8> {
        let objects = self.objects.iter().map(|(kind, bytes)| WireObject {
            data: BASE64.encode(bytes),
            kind: *kind,
        });
        let wire = Wire {
            claim: self.claim.clone(),
            evidence: VERSION,
            object_format: self.format,
            objects: objects.collect(),
        };
        (json::encode(&wire) + "\n").into_bytes()
    }

    /// Reads a file. Nothing in it is believed yet.
    ///
    /// # Errors
    ///
    /// `evidence-malformed` for what is too large, not canonical, or not in order.
    pub fn parse(bytes: &[u8]) -> Result<Self, EvidenceFault> {
        if bytes.len() > limits::EVIDENCE_BYTES {
            let (most, found) = (limits::EVIDENCE_BYTES, bytes.len());
            let what = format!("expected a file of at most {most} bytes, found {found}");
            return Err(EvidenceFault::new(what));
        }
        let line = std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| text.strip_suffix('\n'));
        let line =
            line.ok_or_else(|| EvidenceFault::new("expected one line of UTF-8 and a line feed"))?;
        let wire: Wire = json::parse(line, limits::EVIDENCE_BYTES)
            .map_err(|fault| EvidenceFault::new(fault.what))?;
        Self::of(wire)
    }

    fn of(wire: Wire) -> Result<Self, EvidenceFault> {
        if wire.evidence != VERSION {
            let what = format!(
                "expected version {VERSION} of evidence, found {}",
                wire.evidence
            );
            return Err(EvidenceFault::new(what));
        }
        check_claim(&wire.claim, wire.object_format)?;
        if wire.objects.len() > limits::EVIDENCE_OBJECTS {
            let (most, found) = (limits::EVIDENCE_OBJECTS, wire.objects.len());
            let what = format!("expected at most {most} objects, found {found}");
            return Err(EvidenceFault::new(what));
        }
        let mut objects: Vec<(Part, Vec<u8>)> = Vec::with_capacity(wire.objects.len());
        for object in wire.objects {
            let bytes = BASE64.decode(object.data.as_bytes());
            let bytes = bytes.map_err(|fault| EvidenceFault::new(format!("base64: {fault}")))?;
            // A decoder may take padding in the middle, which is another spelling.
            if BASE64.encode(&bytes) != object.data {
                return Err(EvidenceFault::new("expected base64 in its one spelling"));
            }
            let next = (object.kind, bytes);
            if objects.last().is_some_and(|last| *last >= next) {
                let what = "expected the objects sorted by kind and bytes, each once";
                return Err(EvidenceFault::new(what));
            }
            objects.push(next);
        }
        Ok(Self {
            format: wire.object_format,
            claim: wire.claim,
            objects,
        })
    }
}

fn check_claim(claim: &Claim, format: ObjectFormat) -> Result<(), EvidenceFault> {
    if claim.number() < Number(1) || claim.number() >= Number(limits::INTEGER) {
        let what = format!(
            "expected the number of a snapshot, found {}",
            claim.number()
        );
        return Err(EvidenceFault::new(what));
    }
    match claim {
        Claim::TwoPages { .. } => Ok(()),
        Claim::InvalidPage { code, page, .. } => {
            if !page.parse::<Oid>().is_ok_and(|id| id.format() == format) {
                let what = format!("expected a {} object id as `page`", format.as_str());
                return Err(EvidenceFault::new(what));
            }
            let plain = |b: u8| b.is_ascii_lowercase() || b == b'-';
            if code.is_empty() || code.len() > 40 || !code.bytes().all(plain) {
                return Err(EvidenceFault::new("expected the word of a code as `code`"));
            }
            Ok(())
        }
        Claim::WentBack { words, .. } | Claim::Frozen { words, .. } => {
            if words.len() > limits::EVIDENCE_WORDS || !words.chars().all(is_plain) {
                let most = limits::EVIDENCE_WORDS;
                let what = format!("expected one line of plain text of at most {most} bytes");
                return Err(EvidenceFault::new(what));
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Evidence {
        Evidence {
            format: ObjectFormat::Sha1,
            claim: Claim::WentBack {
                number: 3,
                words: "origin, on Monday".into(),
            },
            objects: vec![
                (Part::Commit, b"a".to_vec()),
                (Part::Commit, b"b".to_vec()),
                (Part::Tree, Vec::new()),
            ],
        }
    }

    fn refused(evidence: &Evidence) {
        assert!(Evidence::parse(&evidence.encode()).is_err(), "{evidence:?}");
    }

    #[test]
    fn every_kind_is_written_and_read() {
        let claims = [
            Claim::TwoPages { number: 1 },
            Claim::InvalidPage {
                code: "tree-mismatch".into(),
                number: 2,
                page: "12".repeat(20),
            },
            sample().claim,
            Claim::Frozen {
                number: 9,
                words: String::new(),
            },
        ];
        for claim in claims {
            let evidence = Evidence { claim, ..sample() };
            assert_eq!(Evidence::parse(&evidence.encode()), Ok(evidence.clone()));
            let text = String::from_utf8(evidence.encode()).unwrap();
            let word = format!("\"kind\":\"{}\"", evidence.claim.kind());
            assert!(text.contains(&word), "{text}");
        }
    }

    #[test]
    fn one_spelling_and_one_order() {
        let good = String::from_utf8(sample().encode()).unwrap();
        for (from, to) in [
            ("\"evidence\":1", "\"evidence\":2"),
            ("\"evidence\":1", "\"evidence\":1,\"extra\":1"),
            ("\"number\":3", "\"number\":3,\"page\":\"\""),
            ("\"number\":3", "\"number\":0"),
            ("\"number\":3", "\"number\":3.0"),
            ("sha1", "md5"),
            ("went-back", "went-away"),
            ("YQ==", "YR=="),
            ("YQ==", "YQ"),
            ("YQ==", "Yg=="),
            ("YQ==", "Yw=="),
            ("origin", "ori\\ngin"),
            ("{", " {"),
            ("\n", ""),
            ("\n", "\n\n"),
        ] {
            assert!(good.contains(from), "{from}");
            let bad = good.replacen(from, to, 1);
            let said = Evidence::parse(bad.as_bytes());
            assert!(said.is_err(), "{from} -> {to}: {said:?}");
        }
    }

    #[test]
    fn padding_stands_at_the_end_only() {
        let longer = Evidence {
            objects: vec![(Part::Blob, b"abcdef".to_vec())],
            ..sample()
        };
        let good = String::from_utf8(longer.encode()).unwrap();
        assert!(good.contains("YWJjZGVm"));
        for bad in ["YWI=ZGVm", "YQ==ZGVm", "YWJjZGU=ZGVm"] {
            let bad = good.replace("YWJjZGVm", bad);
            assert!(Evidence::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_too_much_is_refused() {
        let long = "x".repeat(limits::EVIDENCE_WORDS + 1);
        refused(&Evidence {
            claim: Claim::Frozen {
                number: 2,
                words: long,
            },
            ..sample()
        });
        let many = (0..=limits::EVIDENCE_OBJECTS as u32).map(|n| n.to_be_bytes().to_vec());
        refused(&Evidence {
            objects: many.map(|bytes| (Part::Blob, bytes)).collect(),
            ..sample()
        });
        refused(&Evidence {
            objects: vec![(Part::Blob, vec![0; limits::EVIDENCE_BYTES])],
            ..sample()
        });
    }
}
