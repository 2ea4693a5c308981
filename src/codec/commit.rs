//! The grammar of a commit: `tree`, `parent`*, `author`, `committer`, then at most one signature
//! header, a blank line and the message. Nothing else, nothing twice, one spelling.

use super::exact::is_exact;
use crate::model::{Code, ObjectFormat, Oid, limits};
use std::fmt::{self, Write};

/// Why bytes are not a commit that Folio reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitFault {
    /// Stable code: `commit-grammar`, `commit-not-exact` or `too-large`.
    pub code: Code,
    /// What was expected and found.
    pub what: String,
}

impl fmt::Display for CommitFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.what)
    }
}

impl std::error::Error for CommitFault {}

impl CommitFault {
    /// A fault of grammar; `found` is cut and escaped, because it may hold anything.
    fn grammar(expected: &str, found: &[u8]) -> Self {
        let shown = found.get(..60).unwrap_or(found).escape_ascii();
        let code = Code::CommitGrammar;
        let what = format!("expected {expected}, found `{shown}`");
        Self { code, what }
    }

    fn too_large(expected: &str, found: usize) -> Self {
        let code = Code::TooLarge;
        let what = format!("expected {expected}, found {found}");
        Self { code, what }
    }
}

/// A time zone as git writes it: a sign and four digits, hours below 24 and minutes below 60. The
/// exact five bytes are kept, `-0000` included, because they are signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Zone([u8; 5]);

impl Zone {
    /// `+0000`.
    pub const UTC: Zone = Zone(*b"+0000");

    /// Reads the five bytes; `None` when they are no zone.
    pub fn new(text: &str) -> Option<Self> {
        let bytes: [u8; 5] = text.as_bytes().try_into().ok()?;
        let [sign, digits @ ..] = bytes;
        let shape = matches!(sign, b'+' | b'-') && digits.iter().all(u8::is_ascii_digit);
        // Digits compare as text does.
        let range = digits[..2] < b"24"[..] && digits[2] < b'6';
        (shape && range).then_some(Self(bytes))
    }

    /// The five bytes as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a zone is a sign and digits")
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who made a commit, and when they said they did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ident {
    /// UTF-8 without control characters, `<` or `>`; not empty, no space at the ends.
    pub name: String,
    /// The address: likewise, but it may be empty as git's may.
    pub email: String,
    /// Seconds since 1970, below [`limits::DATE_END`]; used for nothing.
    pub seconds: u64,
    /// The zone; used for nothing.
    pub zone: Zone,
}

impl Ident {
    fn write(&self, out: &mut impl Write) -> fmt::Result {
        for part in [&self.name, " <", &self.email, "> "] {
            out.write_str(part)?;
        }
        write!(out, "{} ", self.seconds)?;
        out.write_str(self.zone.as_str())
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

/// A commit in its parts. What [`Commit::parse`] returns encodes to the bytes it was read from;
/// one put together by hand is checked when it is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The tree; its format is the commit's.
    pub tree: Oid,
    /// The parents, in order, none twice.
    pub parents: Vec<Oid>,
    /// Who wrote it.
    pub author: Ident,
    /// Who committed it.
    pub committer: Ident,
    /// The armored signature, lines joined by `\n`; `None` when there is no signature header.
    pub armor: Option<String>,
    /// The message; UTF-8 that ends in a line feed and has no NUL.
    pub message: String,
}

impl Commit {
    /// Reads a commit object (without git's `commit <size>\0` in front).
    ///
    /// # Errors
    ///
    /// `too-large` over [`limits::COMMIT`] bytes or [`limits::PARENTS`] parents, `commit-grammar`
    /// for what is not in the grammar, `commit-not-exact` when the parts encode to other bytes.
    pub fn parse(bytes: &[u8], format: ObjectFormat) -> Result<Commit, CommitFault> {
        if bytes.len() as u64 > limits::COMMIT {
            let expected = format!("a commit of at most {} bytes", limits::COMMIT);
            return Err(CommitFault::too_large(&expected, bytes.len()));
        }
        let mut lines = Lines(bytes);
        let tree = oid(lines.field("tree")?, format)?;
        let parents = parents(&mut lines, format)?;
        let author = ident(lines.field("author")?)?;
        let committer = ident(lines.field("committer")?)?;
        let armor = armor(&mut lines, format)?;
        let Some(rest) = lines.0.strip_prefix(b"\n") else {
            let expected = "a blank line or the one signature header after the committer";
            return Err(CommitFault::grammar(expected, lines.0));
        };
        let commit = Commit {
            tree,
            parents,
            author,
            committer,
            armor,
            message: message(rest)?,
        };
        // Holds whatever the grammar above did not think of.
        if !is_exact(bytes, |out| commit.write(commit.armor.as_deref(), out)) {
            let code = Code::CommitNotExact;
            let what = "expected the one spelling of these parts, found another".into();
            return Err(CommitFault { code, what });
        }
        Ok(commit)
    }

    /// The bytes that are signed: the commit without its signature header.
    pub fn payload(&self) -> Vec<u8> {
        self.to_bytes(None)
    }

    /// The bytes of the commit object.
    pub fn encode(&self) -> Vec<u8> {
        self.to_bytes(self.armor.as_deref())
    }

    fn to_bytes(&self, armor: Option<&str>) -> Vec<u8> {
        // Written for each check, hundreds of thousands of times in a run: in one piece of memory.
        let more = armor.map_or(0, |armor| armor.len() + 32);
        let mut out = String::with_capacity(512 + more + self.message.len());
        self.write(armor, &mut out)
            .expect("a string takes all that is written");
        out.into_bytes()
    }

    fn write(&self, armor: Option<&str>, out: &mut impl Write) -> fmt::Result {
        // Part by part: formatting takes several times as long as what it formats.
        let ids = self.parents.iter().map(|parent| ("parent ", parent));
        for (key, id) in std::iter::once(("tree ", &self.tree)).chain(ids) {
            out.write_str(key)?;
            id.write_hex(out)?;
            out.write_str("\n")?;
        }
        for (key, who) in [("author ", &self.author), ("committer ", &self.committer)] {
            out.write_str(key)?;
            who.write(out)?;
            out.write_str("\n")?;
        }
        if let Some(armor) = armor {
            out.write_str(self.tree.format().signature_header())?;
            for line in armor.split('\n') {
                // A continued header line starts with a space.
                for part in [" ", line, "\n"] {
                    out.write_str(part)?;
                }
            }
        }
        out.write_str("\n")?;
        out.write_str(&self.message)
    }
}

/// Takes header lines off the front.
struct Lines<'a>(&'a [u8]);

impl<'a> Lines<'a> {
    /// The rest of a line that starts with `start`, which is taken; `None` takes nothing.
    fn after(&mut self, start: &[u8]) -> Option<&'a [u8]> {
        let rest = self.0.strip_prefix(start)?;
        let end = memchr::memchr(b'\n', rest)?;
        self.0 = &rest[end + 1..];
        Some(&rest[..end])
    }

    fn field(&mut self, key: &str) -> Result<&'a [u8], CommitFault> {
        let found = self.0;
        // The key, a space, the rest of the line.
        let line = self.after(key.as_bytes());
        line.and_then(|line| line.strip_prefix(b" "))
            .ok_or_else(|| CommitFault::grammar(&format!("a `{key}` line"), found))
    }
}

fn oid(field: &[u8], format: ObjectFormat) -> Result<Oid, CommitFault> {
    let text = std::str::from_utf8(field).unwrap_or_default();
    match text.parse::<Oid>() {
        Ok(id) if id.format() == format => Ok(id),
        _ => {
            let expected = format!("a {} object id", format.as_str());
            Err(CommitFault::grammar(&expected, field))
        }
    }
}

fn parents(lines: &mut Lines<'_>, format: ObjectFormat) -> Result<Vec<Oid>, CommitFault> {
    let mut parents = Vec::new();
    while let Some(field) = lines.after(b"parent ") {
        let parent = oid(field, format)?;
        if parents.contains(&parent) {
            return Err(CommitFault::grammar("each parent once", field));
        }
        parents.push(parent);
        if parents.len() > limits::PARENTS {
            let expected = format!("at most {} parents", limits::PARENTS);
            return Err(CommitFault::too_large(&expected, parents.len()));
        }
    }
    Ok(parents)
}

/// Whether a name or an address holds what would end it, or control characters.
fn is_odd(text: &str) -> bool {
    let plain = |b: &u8| matches!(b, b' '..=b'~') && !matches!(b, b'<' | b'>');
    let odd = |c: char| c.is_control() || c == '<' || c == '>';
    !text.as_bytes().iter().all(plain) && text.contains(odd)
}

fn ident(field: &[u8]) -> Result<Ident, CommitFault> {
    let read = || {
        let text = std::str::from_utf8(field).ok()?;
        // Neither a name nor an address has one of these in it, so the first of each is the end.
        let (name, rest) = text.split_once('<')?;
        let (email, when) = rest.split_once('>')?;
        let name = name.strip_suffix(' ')?;
        let (seconds, zone) = when.strip_prefix(' ')?.split_once(' ')?;
        let ends = |text: &str| text.starts_with(' ') || text.ends_with(' ');
        let bad = name.is_empty() || [name, email].iter().any(|t| is_odd(t) || ends(t));
        let plain = seconds.bytes().all(|b| b.is_ascii_digit());
        let padded = seconds.len() > 1 && seconds.starts_with('0');
        let seconds: u64 = seconds.parse().ok()?;
        let good = !bad && plain && !padded && seconds < limits::DATE_END;
        good.then_some(Ident {
            name: name.to_owned(),
            email: email.to_owned(),
            seconds,
            zone: Zone::new(zone)?,
        })
    };
    read().ok_or_else(|| CommitFault::grammar("`Name <address> seconds +0000`", field))
}

fn armor(lines: &mut Lines<'_>, format: ObjectFormat) -> Result<Option<String>, CommitFault> {
    let found = lines.0;
    let header = found.strip_prefix(format.signature_header().as_bytes());
    let mut after = Lines(header.unwrap_or_default());
    // The space is a part of it: the other format's header begins with this one's.
    let Some(first) = after.after(b" ") else {
        return Ok(None);
    };
    *lines = after;
    // An ed25519 signature fits; more is no matter.
    let mut armor = Vec::with_capacity(320);
    armor.extend_from_slice(first);
    while let Some(more) = lines.after(b" ") {
        armor.push(b'\n');
        armor.extend_from_slice(more);
    }
    let printable = |b: &u8| matches!(b, b'\n' | b' '..=b'~');
    match String::from_utf8(armor) {
        Ok(armor) if armor.as_bytes().iter().all(printable) => Ok(Some(armor)),
        _ => Err(CommitFault::grammar("an ASCII signature", found)),
    }
}

fn message(bytes: &[u8]) -> Result<String, CommitFault> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.ends_with('\n') && !text.contains('\0') => Ok(text.to_owned()),
        _ => {
            let end = bytes.len().saturating_sub(60);
            let expected = "a message in UTF-8 without NUL that ends in a line feed";
            Err(CommitFault::grammar(expected, &bytes[end..]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TREE: &str = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n";
    const PARENT: &str = "parent 1111111111111111111111111111111111111111\n";
    const OTHER: &str = "parent 2222222222222222222222222222222222222222\n";
    const AUTHOR: &str = "author Alice Ä. <a@example.org> 1700000000 +0130\n";
    const COMMITTER: &str = "committer Bob <b@example.org> 0 -0000\n";
    const SIG: &str = "gpgsig -----BEGIN SSH SIGNATURE-----\n U1NI\n -----END SSH SIGNATURE-----\n";
    const MESSAGE: &str = "\nsubject\n\nbody\n";

    fn parse(text: impl AsRef<[u8]>) -> Result<Commit, CommitFault> {
        Commit::parse(text.as_ref(), ObjectFormat::Sha1)
    }

    fn good() -> String {
        [TREE, PARENT, OTHER, AUTHOR, COMMITTER, SIG, MESSAGE].concat()
    }

    #[test]
    fn parts_and_payload() {
        let commit = parse(good()).unwrap();
        assert_eq!(commit.parents.len(), 2);
        assert_eq!(commit.author.name, "Alice Ä.");
        assert_eq!(commit.author.zone.as_str(), "+0130");
        assert_eq!(commit.committer.seconds, 0);
        assert_eq!(commit.message, "subject\n\nbody\n");
        let armor = "-----BEGIN SSH SIGNATURE-----\nU1NI\n-----END SSH SIGNATURE-----";
        assert_eq!(commit.armor.as_deref(), Some(armor));
        let unsigned = [TREE, PARENT, OTHER, AUTHOR, COMMITTER, MESSAGE].concat();
        assert_eq!(commit.payload(), unsigned.as_bytes());
        assert_eq!(parse(unsigned).unwrap().armor, None);
        assert!(parse([TREE, AUTHOR, COMMITTER, MESSAGE].concat()).is_ok());
    }

    #[test]
    fn misplaced_and_foreign_headers_are_refused() {
        let other_sig = SIG.replacen("gpgsig", "gpgsig-sha256", 1);
        let extra = "gpgsigx junk\n";
        for (why, parts) in [
            ("no tree", vec![PARENT, AUTHOR, COMMITTER, MESSAGE]),
            ("second tree", vec![TREE, TREE, AUTHOR, COMMITTER, MESSAGE]),
            (
                "same parent",
                vec![TREE, PARENT, PARENT, AUTHOR, COMMITTER, MESSAGE],
            ),
            (
                "late parent",
                vec![TREE, AUTHOR, PARENT, COMMITTER, MESSAGE],
            ),
            ("no author", vec![TREE, COMMITTER, MESSAGE]),
            (
                "second author",
                vec![TREE, AUTHOR, AUTHOR, COMMITTER, MESSAGE],
            ),
            (
                "second committer",
                vec![TREE, AUTHOR, COMMITTER, COMMITTER, MESSAGE],
            ),
            ("swapped", vec![TREE, COMMITTER, AUTHOR, MESSAGE]),
            (
                "encoding",
                vec![TREE, AUTHOR, COMMITTER, "encoding UTF-8\n", SIG, MESSAGE],
            ),
            (
                "late encoding",
                vec![TREE, AUTHOR, COMMITTER, SIG, "encoding UTF-8\n", MESSAGE],
            ),
            (
                "mergetag",
                vec![
                    TREE,
                    AUTHOR,
                    COMMITTER,
                    "mergetag object\n x\n",
                    SIG,
                    MESSAGE,
                ],
            ),
            ("unknown", vec![TREE, AUTHOR, COMMITTER, "x y\n", MESSAGE]),
            (
                "gpgsigx after",
                vec![TREE, AUTHOR, COMMITTER, SIG, extra, MESSAGE],
            ),
            (
                "gpgsigx before",
                vec![TREE, AUTHOR, COMMITTER, extra, SIG, MESSAGE],
            ),
            (
                "gpgsigx first",
                vec![extra, TREE, AUTHOR, COMMITTER, SIG, MESSAGE],
            ),
            (
                "two signatures",
                vec![TREE, AUTHOR, COMMITTER, SIG, SIG, MESSAGE],
            ),
            (
                "sha256 in sha1",
                vec![TREE, AUTHOR, COMMITTER, &other_sig, MESSAGE],
            ),
            (
                "both",
                vec![TREE, AUTHOR, COMMITTER, SIG, &other_sig, MESSAGE],
            ),
            (
                "early signature",
                vec![TREE, AUTHOR, SIG, COMMITTER, MESSAGE],
            ),
            (
                "first signature",
                vec![SIG, TREE, AUTHOR, COMMITTER, MESSAGE],
            ),
            (
                "continued ident",
                vec![TREE, AUTHOR, COMMITTER, " x\n", MESSAGE],
            ),
            ("no blank line", vec![TREE, AUTHOR, COMMITTER, SIG]),
            ("no message", vec![TREE, AUTHOR, COMMITTER, SIG, "\n"]),
            ("no last LF", vec![TREE, AUTHOR, COMMITTER, SIG, "\nx"]),
            ("NUL", vec![TREE, AUTHOR, COMMITTER, SIG, "\nx\0\n"]),
            (
                "CRLF",
                vec![TREE, "author A <a@b> 1 +0000\r\n", COMMITTER, MESSAGE],
            ),
        ] {
            let fault = parse(parts.concat()).expect_err(why);
            assert_eq!(fault.code, Code::CommitGrammar, "{why}: {fault}");
        }
        let mut latin = good().into_bytes();
        latin.splice(latin.len() - 1.., *b"\xe9\n");
        assert_eq!(parse(latin).unwrap_err().code, Code::CommitGrammar);
        let wrong = Commit::parse(good().as_bytes(), ObjectFormat::Sha256).unwrap_err();
        assert_eq!(wrong.code, Code::CommitGrammar);
    }

    #[test]
    fn idents_have_one_spelling() {
        let with = |ident: &str| {
            let author = format!("author {ident}\n");
            parse([TREE, &author, COMMITTER, MESSAGE].concat())
        };
        for good in [
            "A <> 1 +0000",
            "A \"B\" C. <a b> 8589934591 -2359",
            "Київ <a@b> 0 +1400",
        ] {
            assert!(with(good).is_ok(), "{good}");
        }
        for bad in [
            " <a@b> 1 +0000",
            "<a@b> 1 +0000",
            "A<a@b> 1 +0000",
            "A<x <a@b> 1 +0000",
            "A <a@b>1 +0000",
            "A <a@b>x> 1 +0000",
            "A  <a@b> 1 +0000",
            "A <a@b>  1 +0000",
            "A <a@b> 01 +0000",
            "A <a@b> +1 +0000",
            "A <a@b> -1 +0000",
            "A <a@b>  +0000",
            "A <a@b> 8589934592 +0000",
            "A <a@b> 99999999999999999999 +0000",
            "A <a@b> 1 +2400",
            "A <a@b> 1 +9900",
            "A <a@b> 1 +0060",
            "A <a@b> 1 +000",
            "A <a@b> 1 +00000",
            "A <a@b> 1 0000",
            "A <a@b> 1 +0000 ",
            "A <a@b> 1",
            "A <a<b> 1 +0000",
            "A> <a@b> 1 +0000",
            "A <a@b>> 1 +0000",
            "A\t <a@b> 1 +0000",
            "A\u{1b}[2J <a@b> 1 +0000",
            "A\u{85} <a@b> 1 +0000",
            "A <a@b >> 1 +0000",
        ] {
            let fault = with(bad).expect_err(bad);
            assert_eq!(fault.code, Code::CommitGrammar, "{bad}");
        }
    }

    #[test]
    fn sizes_are_bounded_and_found_text_is_escaped() {
        let many: String = (0..=limits::PARENTS)
            .map(|n| format!("parent {n:040x}\n"))
            .collect();
        let fault = parse([TREE, &many, AUTHOR, COMMITTER, MESSAGE].concat()).unwrap_err();
        assert_eq!(fault.code, Code::TooLarge);
        let long = "x".repeat(usize::try_from(limits::COMMIT).unwrap());
        let fault = parse([TREE, AUTHOR, COMMITTER, "\n", &long, "\n"].concat()).unwrap_err();
        assert_eq!(fault.code, Code::TooLarge);
        let fault = parse("\u{1b}[2J").unwrap_err();
        assert!(!fault.what.contains('\u{1b}'), "{fault}");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(commit) = parse(&bytes) {
                prop_assert_eq!(commit.encode(), bytes);
            }
        }

        #[test]
        fn mutated_commits_are_exact_or_refused(at in 0usize..500, byte in any::<u8>(), how in 0u8..4) {
            let mut bytes = good().into_bytes();
            let at = at % bytes.len();
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => { bytes.remove(at); }
                _ => bytes.insert(at, b'\n'),
            }
            if let Ok(commit) = parse(&bytes) {
                prop_assert_eq!(commit.encode(), bytes);
            }
        }

        #[test]
        fn shuffled_lines_are_exact_or_refused(order in prop::collection::vec(0usize..10, 1..12)) {
            let lines = [TREE, PARENT, OTHER, AUTHOR, COMMITTER, SIG, MESSAGE, "\n", " \n", "gpgsig \n"];
            let text: String = order.iter().map(|at| lines[*at]).collect();
            if let Ok(commit) = parse(&text) {
                prop_assert_eq!(commit.encode(), text.into_bytes());
            }
        }
    }
}
