//! Commit messages: the author's words and, as the last paragraph, one of five exact sets of
//! trailers. The set tells the kind of the commit.

use super::exact::is_exact;
use crate::model::{ChainDigest, Code, Epoch, Number, ProposalDigest, SpaceId, limits};
use std::fmt::{self, Write};
use std::str::FromStr;

/// Why a message was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageFault {
    /// Stable code: `trailers-malformed` or `text-invalid`.
    pub code: Code,
    /// What was expected and found.
    pub what: String,
}

impl fmt::Display for MessageFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.what)
    }
}

impl std::error::Error for MessageFault {}

impl MessageFault {
    fn trailers(what: impl Into<String>) -> Self {
        let (code, what) = (Code::TrailersMalformed, what.into());
        Self { code, what }
    }

    fn text(what: &str) -> Self {
        let (code, what) = (Code::TextInvalid, what.into());
        Self { code, what }
    }
}

/// A commit's message, by kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A proposal: free text, perhaps with a block.
    Proposal(ProposalMessage),
    /// A review.
    Review(ReviewMessage),
    /// A numbered page.
    Snapshot(SnapshotMessage),
    /// A witness's sign of life.
    Heartbeat(HeartbeatMessage),
    /// Where the bytes of artifacts are.
    Catalog(CatalogMessage),
}

/// The message of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalMessage {
    /// The proposer's words without our trailers. With a block: not empty, one line feed at the end,
    /// a subject first. Without one: anything whose last paragraph is not ours.
    pub text: String,
    /// The trailers, which `folio propose` adds and plain git leaves out.
    pub block: Option<ProposalBlock>,
}

/// What a proposal's trailers claim; it must be true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProposalBlock {
    /// The space.
    pub space: SpaceId,
    /// Number of the snapshot it stands on.
    pub base: Number,
    /// Its own digest.
    pub proposal: ProposalDigest,
}

/// The message of a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewMessage {
    /// The reviewer's words: not empty, one line feed at the end, a subject first.
    pub text: String,
    /// The space.
    pub space: SpaceId,
    /// What the reviewer says.
    pub verdict: Verdict,
    /// The proposal that is judged.
    pub proposal: ProposalDigest,
    /// Why, as a stable word.
    pub reason: Option<Reason>,
}

/// The message of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotMessage {
    /// The witness's words: not empty, one line feed at the end, a subject first.
    pub text: String,
    /// The space.
    pub space: SpaceId,
    /// Its number.
    pub number: Number,
    /// The pen's epoch.
    pub epoch: Epoch,
    /// The proposal it numbers.
    pub proposal: ProposalDigest,
    /// The chain digest with it.
    pub chain: ChainDigest,
}

/// The message of a heartbeat. It is a courtesy: nothing is decided by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeartbeatMessage {
    /// The witness's words: not empty, one line feed at the end, a subject first.
    pub text: String,
    /// The space.
    pub space: SpaceId,
    /// How many the witness left, this one included.
    pub beat: u64,
    /// The pen's epoch.
    pub epoch: Epoch,
    /// The chain digest of the newest snapshot that the witness has.
    pub chain: ChainDigest,
}

/// The message of the commits that name a shelf's sheets and blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogMessage {
    /// The writer's words: not empty, one line feed at the end, a subject first.
    pub text: String,
    /// The space.
    pub space: SpaceId,
    /// How many entries the sheets have together.
    pub artifacts: u64,
}

/// What a review says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The proposal may be numbered.
    Approve,
    /// It may not.
    Reject,
}

impl Verdict {
    /// The word in the trailer and in the review's digest.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Approve => "approve",
            Verdict::Reject => "reject",
        }
    }
}

/// A stable word of 1 to 40 of `a-z` and `-`. A [`Code`] of a newer version is one too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// Checks the word.
    pub fn new(word: &str) -> Option<Self> {
        let plain = word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        ((1..=40).contains(&word.len()) && plain).then(|| Self(word.to_owned()))
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Code> for Reason {
    fn from(code: Code) -> Self {
        Self(code.as_str().to_owned())
    }
}

impl ProposalMessage {
    /// The first line that is not blank, without white space around it; empty if there is none.
    pub fn subject(&self) -> &str {
        let lines = self.text.lines().map(str::trim);
        lines
            .into_iter()
            .find(|line| !line.is_empty())
            .unwrap_or("")
    }
}

impl Message {
    /// Reads a message. One whose last paragraph does not start like our trailers is a proposal of
    /// free text.
    ///
    /// # Errors
    ///
    /// `trailers-malformed` when the last paragraph starts with `Folio:`, in any case and spacing,
    /// and the message is not exactly what one of the five kinds encodes to.
    pub fn parse(message: &str) -> Result<Message, MessageFault> {
        if !ends_in_trailers(message) {
            let text = message.to_owned();
            return Ok(Message::Proposal(ProposalMessage { text, block: None }));
        }
        // The text keeps its own line feed; the second one is the blank line before the trailers.
        let Some((subject, block)) = message.rsplit_once("\n\n") else {
            return Err(MessageFault::trailers(
                "expected words before the trailers, found none",
            ));
        };
        let text = format!("{subject}\n");
        check_text(&text)?;
        let parsed = Trailers(block).message(text)?;
        if !is_exact(message.as_bytes(), |out| parsed.write(out)) {
            return Err(MessageFault::trailers(
                "expected the exact trailers of one kind, found another spelling of them",
            ));
        }
        Ok(parsed)
    }

    /// The message's bytes as they stand in the commit.
    pub fn encode(&self) -> String {
        let mut out = String::with_capacity(512);
        self.write(&mut out)
            .expect("a string takes all that is written");
        out
    }

    fn write(&self, out: &mut impl Write) -> fmt::Result {
        let (text, space) = match self {
            Message::Proposal(ProposalMessage { text, block: None }) => {
                return out.write_str(text);
            }
            Message::Proposal(ProposalMessage {
                text,
                block: Some(block),
            }) => (text, block.space),
            Message::Review(message) => (&message.text, message.space),
            Message::Snapshot(message) => (&message.text, message.space),
            Message::Heartbeat(message) => (&message.text, message.space),
            Message::Catalog(message) => (&message.text, message.space),
        };
        write!(out, "{text}\nFolio: 1\nSpace: {space}\n")?;
        self.write_trailers(out)
    }

    /// The trailers after the space.
    fn write_trailers(&self, out: &mut impl Write) -> fmt::Result {
        match self {
            Message::Proposal(ProposalMessage { block, .. }) => {
                let Some(block) = block else {
                    return Ok(());
                };
                write!(out, "Base: {}\nProposal: {}\n", block.base, block.proposal)
            }
            Message::Review(message) => {
                let (verdict, proposal) = (message.verdict.as_str(), message.proposal);
                write!(out, "Review: {verdict}\nProposal: {proposal}\n")?;
                match &message.reason {
                    Some(reason) => writeln!(out, "Reason: {}", reason.0),
                    None => Ok(()),
                }
            }
            Message::Snapshot(message) => {
                let (number, epoch) = (message.number, message.epoch);
                let (proposal, chain) = (message.proposal, message.chain);
                write!(
                    out,
                    "Snapshot: {number}\nEpoch: {epoch}\nProposal: {proposal}\nChain: {chain}\n"
                )
            }
            Message::Heartbeat(message) => {
                let (beat, epoch, chain) = (message.beat, message.epoch, message.chain);
                write!(out, "Heartbeat: {beat}\nEpoch: {epoch}\nChain: {chain}\n")
            }
            Message::Catalog(message) => writeln!(out, "Artifacts: {}", message.artifacts),
        }
    }
}

/// Whether the last paragraph starts like our trailers. Generous on purpose: whatever a person or
/// another tool would take for them must be them exactly.
fn ends_in_trailers(message: &str) -> bool {
    let lines = || {
        message
            .split('\n')
            .rev()
            .skip_while(|line| line.trim().is_empty())
    };
    let first = lines().take_while(|line| !line.trim().is_empty()).last();
    let key = first
        .and_then(|line| line.split_once(':'))
        .map(|(key, _)| key.trim());
    key.is_some_and(|key| key.eq_ignore_ascii_case("Folio"))
}

/// Words that may stand before trailers.
fn check_text(text: &str) -> Result<(), MessageFault> {
    if text
        .lines()
        .next()
        .is_none_or(|line| line.trim().is_empty())
    {
        return Err(MessageFault::trailers(
            "expected a subject line first, found a blank one",
        ));
    }
    if text.ends_with("\n\n") || !text.ends_with('\n') {
        return Err(MessageFault::trailers(
            "expected one blank line before the trailers",
        ));
    }
    if ends_in_trailers(text) {
        return Err(MessageFault::trailers(
            "expected one block of trailers, found two",
        ));
    }
    Ok(())
}

/// Takes `Key: value` lines off the front.
struct Trailers<'a>(&'a str);

impl<'a> Trailers<'a> {
    fn take(&mut self, key: &str) -> Option<&'a str> {
        let rest = self.0.strip_prefix(key)?.strip_prefix(": ")?;
        let (value, rest) = rest.split_once('\n')?;
        self.0 = rest;
        Some(value)
    }

    fn field<T: FromStr>(&mut self, key: &str) -> Result<T, MessageFault> {
        let value = self.take(key).and_then(|value| value.parse().ok());
        value.ok_or_else(|| MessageFault::trailers(format!("expected a line `{key}: ...` here")))
    }

    /// An integer in range; leading zeros and signs do not encode again.
    fn number(&mut self, key: &str) -> Result<u64, MessageFault> {
        match self.field(key)? {
            number if number < limits::INTEGER => Ok(number),
            _ => Err(MessageFault::trailers(format!(
                "expected `{key}` below 2^53"
            ))),
        }
    }

    fn message(mut self, text: String) -> Result<Message, MessageFault> {
        if self.field::<u64>("Folio")? != limits::FORMAT_VERSION {
            return Err(MessageFault::trailers(
                "expected `Folio: 1`, found another version",
            ));
        }
        let space = self.field("Space")?;
        let message = if self.0.starts_with("Review:") {
            Message::Review(self.review(text, space)?)
        } else if self.0.starts_with("Artifacts:") {
            Message::Catalog(CatalogMessage {
                text,
                space,
                artifacts: self.number("Artifacts")?,
            })
        } else if self.0.starts_with("Heartbeat:") {
            Message::Heartbeat(HeartbeatMessage {
                text,
                space,
                beat: self.number("Heartbeat")?,
                epoch: Epoch(self.number("Epoch")?),
                chain: self.field("Chain")?,
            })
        } else if self.0.starts_with("Snapshot:") {
            Message::Snapshot(SnapshotMessage {
                text,
                space,
                number: Number(self.number("Snapshot")?),
                epoch: Epoch(self.number("Epoch")?),
                proposal: self.field("Proposal")?,
                chain: self.field("Chain")?,
            })
        } else {
            let block = ProposalBlock {
                space,
                base: Number(self.number("Base")?),
                proposal: self.field("Proposal")?,
            };
            let block = Some(block);
            Message::Proposal(ProposalMessage { text, block })
        };
        if !self.0.is_empty() {
            return Err(MessageFault::trailers(
                "expected nothing after the last trailer",
            ));
        }
        Ok(message)
    }

    fn review(&mut self, text: String, space: SpaceId) -> Result<ReviewMessage, MessageFault> {
        let verdict = match self.take("Review") {
            Some("approve") => Verdict::Approve,
            Some("reject") => Verdict::Reject,
            _ => {
                return Err(MessageFault::trailers(
                    "expected `Review: approve` or `reject`",
                ));
            }
        };
        let proposal = self.field("Proposal")?;
        let reason = match self.take("Reason") {
            None => None,
            Some(word) => Some(Reason::new(word).ok_or_else(|| {
                MessageFault::trailers("expected a reason of 1 to 40 of a-z and `-`")
            })?),
        };
        Ok(ReviewMessage {
            text,
            space,
            verdict,
            proposal,
            reason,
        })
    }
}

/// Normalises what a user typed: no white space at the ends of lines, no blank lines at the ends of
/// the text, one line feed last. The result can stand before trailers.
///
/// # Errors
///
/// `text-invalid` when nothing is left or it holds a NUL, `trailers-malformed` when its last
/// paragraph starts like our trailers.
pub fn clean_text(user_input: &str) -> Result<String, MessageFault> {
    if user_input.contains('\0') {
        return Err(MessageFault::text(
            "expected a message without NUL characters",
        ));
    }
    let lines: Vec<&str> = user_input.split('\n').map(str::trim_end).collect();
    let Some(first) = lines.iter().position(|line| !line.is_empty()) else {
        return Err(MessageFault::text("expected a message, found an empty one"));
    };
    let last = lines
        .iter()
        .rposition(|line| !line.is_empty())
        .unwrap_or(first);
    let text = format!("{}\n", lines[first..=last].join("\n"));
    if ends_in_trailers(&text) {
        return Err(MessageFault::trailers(
            "expected words, found a last paragraph that starts with `Folio:`, which Folio writes itself",
        ));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn block(kind: &str) -> String {
        let rest = match kind {
            "proposal" => format!("Base: 7\nProposal: {A}\n"),
            "heartbeat" => format!("Heartbeat: 9\nEpoch: 2\nChain: {A}\n"),
            "review" => format!("Review: reject\nProposal: {A}\nReason: stale\n"),
            _ => format!("Snapshot: 3\nEpoch: 1\nProposal: {A}\nChain: {A}\n"),
        };
        format!("Folio: 1\nSpace: {A}\n{rest}")
    }

    fn exact(text: &str) -> Message {
        let message = Message::parse(text).expect(text);
        assert_eq!(message.encode(), text);
        message
    }

    #[test]
    fn each_kind_is_told_by_its_trailers() {
        let text = "subject\n\nbody\n\nmore\n";
        let Message::Proposal(p) = exact(&format!("{text}\n{}", block("proposal"))) else {
            panic!("a proposal");
        };
        assert_eq!((p.text.as_str(), p.subject()), (text, "subject"));
        assert_eq!(p.block.unwrap().base, Number(7));
        let Message::Review(r) = exact(&format!("no\n\n{}", block("review"))) else {
            panic!("a review");
        };
        assert_eq!(
            (r.verdict, r.reason),
            (Verdict::Reject, Some(Code::Stale.into()))
        );
        let plain = block("review").replace("Reason: stale\n", "");
        assert!(matches!(
            exact(&format!("no\n\n{plain}")),
            Message::Review(_)
        ));
        let Message::Heartbeat(h) = exact(&format!("Here\n\n{}", block("heartbeat"))) else {
            panic!("a heartbeat");
        };
        assert_eq!((h.beat, h.epoch), (9, Epoch(2)));
        let Message::Snapshot(s) = exact(&format!("common@3\n\n{}", block("snapshot"))) else {
            panic!("a snapshot");
        };
        assert_eq!((s.number, s.epoch), (Number(3), Epoch(1)));
    }

    #[test]
    fn free_text_is_a_proposal_and_keeps_its_bytes() {
        for text in [
            "",
            "\n",
            "subject\n",
            "\n\n subject\n\n\n",
            "s\n\nSigned-off-by: A <a@b>\n",
            "s\n\nFolio: 1\n\nand more words\n",
            "s\n\nabout Folio: it is a journal\n",
            "s\r\n\r\nbody\r\n",
        ] {
            assert!(
                matches!(exact(text), Message::Proposal(p) if p.block.is_none()),
                "{text:?}"
            );
        }
        let odd = ProposalMessage {
            text: "\n  \n s \nb\n".into(),
            block: None,
        };
        assert_eq!(odd.subject(), "s");
    }

    #[test]
    fn trailers_have_one_spelling() {
        let good = format!("s\n\n{}", block("snapshot"));
        let after = |from: &str, to: &str| good.replacen(from, to, 1);
        let mut bad = vec![
            block("snapshot"),
            format!("\n{}", block("snapshot")),
            format!("\n\n{}", block("snapshot")),
            format!(" \n\n{}", block("snapshot")),
            format!("s\n\n\n{}", block("snapshot")),
            format!("s\n \n{}", block("snapshot")),
            format!("s\n\n{}\n{}", block("snapshot"), block("snapshot")),
            format!("s\n\n{}\n{}", block("proposal"), block("review")),
            format!("{good}\n"),
            format!("{good}\n\n"),
            good.trim_end().to_owned(),
            format!("{good}Reason: stale\n"),
            format!("{good}Signed-off-by: A <a@b>\n"),
            good.replace('\n', "\r\n"),
            "s\n\nFolio: 1\n".into(),
            "s\n\nFolio:\n".into(),
            "folio: a journal\n".into(),
        ];
        for (from, to) in [
            ("Folio: 1", "folio: 1"),
            ("Folio: 1", "FOLIO: 1"),
            ("Folio: 1", "Folio : 1"),
            ("Folio: 1", " Folio: 1"),
            ("Folio: 1", "Folio:1"),
            ("Folio: 1", "Folio: 2"),
            ("Folio: 1", "Folio: 01"),
            ("Folio: 1", "Folio: 1\nFolio: 1"),
            ("Snapshot: 3", "Snapshot: 03"),
            ("Snapshot: 3", "Snapshot: +3"),
            ("Snapshot: 3", "Snapshot: 3 "),
            ("Snapshot: 3", "Snapshot:  3"),
            ("Snapshot: 3", "Snapshot: 9007199254740992"),
            ("Snapshot: 3", "Snapshot: 99999999999999999999"),
            ("Snapshot: 3", "snapshot: 3"),
            ("Snapshot: 3\nEpoch: 1", "Epoch: 1\nSnapshot: 3"),
            ("Epoch: 1\n", ""),
            ("Space: a", "Space: A"),
            ("Space: a", "Space: "),
            ("Chain: a", "Chain: aa"),
        ] {
            assert_ne!(after(from, to), good, "{from} is there");
            bad.push(after(from, to));
        }
        for reason in ["", "A", "a b", "x1", &"a".repeat(41)] {
            bad.push(format!("s\n\n{}", block("review").replace("stale", reason)));
        }
        bad.push(format!(
            "s\n\n{}",
            block("review").replace("reject", "maybe")
        ));
        for text in bad {
            let fault = Message::parse(&text).expect_err(&text);
            assert_eq!(fault.code, Code::TrailersMalformed, "{text:?}");
        }
    }

    #[test]
    fn typed_text_is_cleaned() {
        let clean = |text: &str| clean_text(text).map_err(|fault| fault.code);
        assert_eq!(clean("a"), Ok("a\n".into()));
        assert_eq!(
            clean("\r\n \n  a \t\r\n\n\nb\n\n"),
            Ok("  a\n\n\nb\n".into())
        );
        for empty in ["", "\n", " \r\n\t\n", "\0"] {
            assert_eq!(clean(empty), Err(Code::TextInvalid), "{empty:?}");
        }
        for ours in ["Folio: 1", "a\n\nfolio: x\nb", "a\n \nFolio : 1\n \n"] {
            assert_eq!(clean(ours), Err(Code::TrailersMalformed), "{ours:?}");
        }
    }

    fn digest() -> impl Strategy<Value = [u8; 32]> {
        any::<[u8; 32]>()
    }

    proptest! {
        #[test]
        fn whatever_parses_encodes_to_itself(text in "(s|\n| |:|Folio: 1|Space: |Base: 1|\r|Ж){0,20}") {
            if let Ok(message) = Message::parse(&text) {
                prop_assert_eq!(message.encode(), text);
            }
        }

        #[test]
        fn mutated_trailers_are_exact_or_refused(
            kind in prop::sample::select(vec!["proposal", "review", "snapshot"]),
            at in 0usize..400, c in any::<char>(), how in 0u8..4,
        ) {
            let mut chars: Vec<char> = format!("s\n\nb\n\n{}", block(kind)).chars().collect();
            let at = at % chars.len();
            match how {
                0 => chars[at] = c,
                1 => chars.insert(at, c),
                2 => { chars.remove(at); }
                _ => chars.insert(at, '\n'),
            }
            let text: String = chars.into_iter().collect();
            if let Ok(message) = Message::parse(&text) {
                prop_assert_eq!(message.encode(), text);
            }
        }

        #[test]
        fn clean_text_carries_a_block(text in any::<String>(), space in digest(), id in digest(), n in 0..limits::INTEGER) {
            if let Ok(text) = clean_text(&text) {
                prop_assert_eq!(clean_text(&text), Ok(text.clone()));
                let block = ProposalBlock { space: SpaceId(space), base: Number(n), proposal: ProposalDigest(id) };
                for block in [Some(block), None] {
                    let message = Message::Proposal(ProposalMessage { text: text.clone(), block });
                    prop_assert_eq!(Message::parse(&message.encode()), Ok(message));
                }
            }
        }
    }
}
