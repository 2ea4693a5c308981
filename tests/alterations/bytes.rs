//! [S1], [S2], [O1]: other bytes for one commit. Each is tried on a page and on a proposal under a page.

use crate::bench::{Bench, put};
use crate::blocks::{Block, plus_order};
use crate::common::Actor;
use folio::codec::commit::Commit;
use folio::model::Code::{self, *};

/// A commit's bytes in three parts, still unsigned: before the signature header, and the message.
pub struct Parts {
    head: String,
    message: String,
}

impl Parts {
    pub fn of(commit: &Commit) -> Self {
        let payload = String::from_utf8(commit.payload()).unwrap();
        let (head, message) = payload.split_once("\n\n").unwrap();
        Self {
            head: format!("{head}\n"),
            message: message.to_owned(),
        }
    }

    fn payload(&self) -> Vec<u8> {
        format!("{}\n{}", self.head, self.message).into_bytes()
    }

    fn block(&self, by: &Actor) -> Block {
        Block::by(by, b"git", b"", &self.payload())
    }

    fn with(&self, after_committer: &str) -> Vec<u8> {
        format!("{}{after_committer}\n{}", self.head, self.message).into_bytes()
    }

    /// Signed over exactly this head.
    pub fn signed(self, by: &Actor) -> Vec<u8> {
        let header = header("gpgsig", &self.block(by).armor(70));
        self.with(&header)
    }
}

fn header(name: &str, armor: &str) -> String {
    format!("{name} {}\n", armor.replace('\n', "\n "))
}

pub type Alter = fn(&Commit, &Actor) -> Vec<u8>;

/// One block in place of the right one.
pub fn signed_otherwise(commit: &Commit, by: &Actor, change: impl Fn(&mut Block)) -> Vec<u8> {
    let parts = Parts::of(commit);
    let mut block = parts.block(by);
    change(&mut block);
    parts.with(&header("gpgsig", &block.armor(70)))
}

fn respelt(commit: &Commit, by: &Actor, change: impl Fn(String) -> String) -> Vec<u8> {
    let parts = Parts::of(commit);
    parts.with(&change(header("gpgsig", &parts.block(by).armor(70))))
}

/// Honestly signed, over a head that is not in the grammar.
fn signed_head(commit: &Commit, by: &Actor, change: impl Fn(&str) -> String) -> Vec<u8> {
    let mut parts = Parts::of(commit);
    parts.head = change(&parts.head);
    parts.signed(by)
}

fn line<'h>(head: &'h str, key: &str) -> &'h str {
    head.split_inclusive('\n')
        .find(|line| line.starts_with(key))
        .unwrap()
}

fn doubled(head: &str, key: &str) -> String {
    let line = line(head, key);
    head.replacen(line, &format!("{line}{line}"), 1)
}

pub const ALTERATIONS: &[(&str, Alter, Code)] = &[
    (
        "no signature",
        |c, _| Parts::of(c).with(""),
        SignatureMissing,
    ),
    (
        "an extra header that git strips",
        |c, by| respelt(c, by, |h| format!("gpgsigned by me\n{h}")),
        CommitGrammar,
    ),
    (
        "an extra header that git strips, behind",
        |c, by| respelt(c, by, |h| format!("{h}gpgsig-extra x\n")),
        CommitGrammar,
    ),
    (
        "two signature blocks",
        |c, by| respelt(c, by, |h| h.repeat(2)),
        CommitGrammar,
    ),
    (
        "a block of the other format",
        |c, by| respelt(c, by, |h| h.replacen("gpgsig ", "gpgsig-sha256 ", 1)),
        CommitGrammar,
    ),
    (
        "a second block of the other format",
        |c, by| {
            respelt(c, by, |h| {
                format!("{h}{}", h.replacen("gpgsig ", "gpgsig-sha256 ", 1))
            })
        },
        CommitGrammar,
    ),
    (
        "the block before the author",
        |c, by| {
            let parts = Parts::of(c);
            let block = header("gpgsig", &parts.block(by).armor(70));
            let author = line(&parts.head, "author ").to_owned();
            let head = parts.head.replacen(&author, &format!("{block}{author}"), 1);
            Parts { head, ..parts }.with("")
        },
        CommitGrammar,
    ),
    (
        "text after the footer",
        |c, by| {
            respelt(c, by, |h| {
                h.replace(
                    "END SSH SIGNATURE-----\n",
                    "END SSH SIGNATURE-----\n and more\n",
                )
            })
        },
        SignatureMalformed,
    ),
    (
        "an empty line after the footer",
        |c, by| respelt(c, by, |h| format!("{h} \n")),
        SignatureMalformed,
    ),
    (
        "text before the header",
        |c, by| respelt(c, by, |h| h.replacen("gpgsig -", "gpgsig x\n -", 1)),
        SignatureMalformed,
    ),
    (
        "base64 wrapped at 76",
        |c, by| {
            let parts = Parts::of(c);
            parts.with(&header("gpgsig", &parts.block(by).armor(76)))
        },
        SignatureMalformed,
    ),
    (
        "base64 on one line",
        |c, by| {
            let parts = Parts::of(c);
            parts.with(&header("gpgsig", &parts.block(by).armor(4096)))
        },
        SignatureMalformed,
    ),
    (
        "a reserved field, signed",
        |c, by| {
            let parts = Parts::of(c);
            let block = Block::by(by, b"git", b"x", &parts.payload());
            parts.with(&header("gpgsig", &block.armor(70)))
        },
        SignatureMalformed,
    ),
    (
        "a reserved field, unsigned",
        |c, by| signed_otherwise(c, by, |b| b.reserved = b"x"),
        SignatureMalformed,
    ),
    (
        "version 0",
        |c, by| signed_otherwise(c, by, |b| b.version = 0),
        SignatureMalformed,
    ),
    (
        "version 2",
        |c, by| signed_otherwise(c, by, |b| b.version = 2),
        SignatureMalformed,
    ),
    (
        "hash sha256",
        |c, by| signed_otherwise(c, by, |b| b.hash = b"sha256"),
        SignatureMalformed,
    ),
    (
        "S plus the order",
        |c, by| signed_otherwise(c, by, |b| b.signature = plus_order(b.signature)),
        SignatureWrong,
    ),
    (
        "one bit of R",
        |c, by| signed_otherwise(c, by, |b| b.signature[0] ^= 1),
        SignatureWrong,
    ),
    (
        "a small-order key",
        |c, by| {
            signed_otherwise(c, by, |b| {
                // The neutral point as key and as R, with S = 0: the plain equation holds for every message.
                b.key = [0; 32];
                b.key[0] = 1;
                b.signature = [0; 64];
                b.signature[0] = 1;
            })
        },
        KeyWeak,
    ),
    (
        "somebody else's key over the same signature",
        |c, by| {
            signed_otherwise(c, by, |b| {
                b.key = folio::crypto::Sign::public_key(&Actor::new("mallory").key).0
            })
        },
        SignatureWrong,
    ),
    (
        "namespace file",
        |c, by| {
            let parts = Parts::of(c);
            let block = Block::by(by, b"file", b"", &parts.payload());
            parts.with(&header("gpgsig", &block.armor(70)))
        },
        SignatureMalformed,
    ),
    (
        "namespace git over a signature for files",
        |c, by| {
            let parts = Parts::of(c);
            let block = Block {
                namespace: b"git",
                ..Block::by(by, b"file", b"", &parts.payload())
            };
            parts.with(&header("gpgsig", &block.armor(70)))
        },
        SignatureWrong,
    ),
    (
        "a word of the message",
        |c, by| {
            let parts = Parts::of(c);
            let block = header("gpgsig", &parts.block(by).armor(70));
            Parts {
                message: format!("X{}", parts.message),
                head: parts.head,
            }
            .with(&block)
        },
        SignatureWrong,
    ),
    (
        "two committers",
        |c, by| signed_head(c, by, |h| doubled(h, "committer ")),
        CommitGrammar,
    ),
    (
        "two authors",
        |c, by| signed_head(c, by, |h| doubled(h, "author ")),
        CommitGrammar,
    ),
    (
        "one parent twice",
        |c, by| signed_head(c, by, |h| doubled(h, "parent ")),
        CommitGrammar,
    ),
    (
        "two trees",
        |c, by| signed_head(c, by, |h| doubled(h, "tree ")),
        CommitGrammar,
    ),
    (
        "an encoding",
        |c, by| signed_head(c, by, |h| format!("{h}encoding ISO-8859-1\n")),
        CommitGrammar,
    ),
    (
        "an unknown header",
        |c, by| signed_head(c, by, |h| format!("{h}x-note hello\n")),
        CommitGrammar,
    ),
    (
        "a merge tag",
        |c, by| signed_head(c, by, |h| format!("{h}mergetag object 0\n type commit\n")),
        CommitGrammar,
    ),
    (
        "a date in the far future",
        |c, by| signed_head(c, by, |h| h.replace(" 1767225600 ", " 8589934592 ")),
        CommitGrammar,
    ),
    (
        "a date with a leading zero",
        |c, by| signed_head(c, by, |h| h.replace(" 1767225600 ", " 01767225600 ")),
        CommitGrammar,
    ),
    (
        "an upper-case id",
        |c, by| {
            signed_head(c, by, |h| {
                h.replacen(
                    line(h, "tree "),
                    &format!("tree {}\n", line(h, "tree ")[5..].trim_end().to_uppercase()),
                    1,
                )
            })
        },
        CommitGrammar,
    ),
    (
        "carriage returns",
        |c, by| signed_head(c, by, |h| h.replace('\n', "\r\n")),
        CommitGrammar,
    ),
];

#[test]
fn a_page_in_other_bytes_is_refused() {
    let bench = Bench::new();
    let page = bench.commit(bench.good().sealed(&bench, bench.wanda()));
    let honest = put(
        bench.path(),
        "commit",
        &Parts::of(&page).signed(bench.wanda()),
    );
    assert_eq!(
        bench.read_main(honest),
        Ok(()),
        "the forger's own pages are good until altered"
    );
    for (name, alter, code) in ALTERATIONS {
        let altered = put(bench.path(), "commit", &alter(&page, bench.wanda()));
        assert_eq!(bench.read_main(altered), Err(*code), "{name}");
    }
}

#[test]
fn a_proposal_in_other_bytes_is_refused_by_the_witness_and_below_a_page() {
    let bench = Bench::new();
    let (like, tree) = (bench.proposal(bench.next), bench.next_tree());
    let commit = like.commit().clone();
    for (name, alter, code) in ALTERATIONS {
        let altered = put(bench.path(), "commit", &alter(&commit, bench.bob()));
        assert_eq!(bench.read_branch(altered), Err(*code), "{name}");
        let page = bench
            .page_over(altered, &like, tree, &[])
            .sealed(&bench, bench.wanda());
        assert_eq!(bench.read_main(page), Err(*code), "{name}, numbered");
    }
}
