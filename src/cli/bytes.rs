//! The bytes that proposals publish: asked for before a proposal is numbered, and shown with it.

use super::context::Context;
use super::ui::{Style, Ui};
use crate::artifact::ready::{self, Bytes, Ready};
use crate::artifact::{ArtifactFault, Shelves};
use crate::journal::Fault;
use crate::journal::queue::Candidate;
use crate::model::ProposalDigest;
use serde::Serialize;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Where the bytes of one artifact are that a proposal publishes.
#[derive(Debug, Serialize)]
pub struct BytesView {
    /// The artifact's key.
    pub artifact: String,
    /// How many bytes it has, as the decision says.
    pub size: u64,
    /// `here`, `offered` or `missing`.
    pub bytes: &'static str,
}

/// Looks for the bytes of proposals; each answer is remembered, for a queue is judged more than once.
pub struct Desk {
    shelves: Shelves,
    answers: RefCell<BTreeMap<ProposalDigest, Result<(), Fault>>>,
}

impl Desk {
    /// For a space's repository.
    pub fn open(context: &Context) -> anyhow::Result<Self> {
        Ok(Self {
            shelves: Shelves::open(&context.store)?,
            answers: RefCell::default(),
        })
    }

    /// Whether every artifact that a proposal publishes is here or offered, and is what the decision says.
    pub fn require(&self, candidate: &Candidate) -> Result<(), Fault> {
        let digest = candidate.proposal.digest();
        if let Some(answer) = self.answers.borrow().get(&digest) {
            return answer.clone();
        }
        let answer = self.look(candidate);
        self.answers.borrow_mut().insert(digest, answer.clone());
        answer
    }

    fn look(&self, candidate: &Candidate) -> Result<(), Fault> {
        let mut publishes = ready::published_by(&candidate.proposal).peekable();
        if publishes.peek().is_none() {
            return Ok(());
        }
        let ready = self.ready(candidate)?;
        publishes.try_for_each(|publish| ready.require(publish))
    }

    fn ready(&self, candidate: &Candidate) -> Result<Ready<'_>, Fault> {
        let branch = &candidate.branch;
        let ready = Ready::new(&self.shelves, &branch.author, &branch.slug);
        ready.map_err(|fault: ArtifactFault| Fault::new(fault.code, fault.what))
    }

    /// Where the bytes of a proposal are, artifact by artifact.
    pub fn views(&self, candidate: &Candidate) -> anyhow::Result<Vec<BytesView>> {
        let mut publishes = ready::published_by(&candidate.proposal).peekable();
        if publishes.peek().is_none() {
            return Ok(Vec::new());
        }
        let ready = self.ready(candidate)?;
        let views = publishes.map(|publish| {
            Ok(BytesView {
                artifact: publish.artifact.to_hex(),
                size: publish.size,
                bytes: ready.bytes(&publish.artifact)?.as_str(),
            })
        });
        views.collect()
    }
}

impl BytesView {
    /// One line for a terminal.
    pub fn line(&self, ui: &Ui) -> String {
        let style = match self.bytes == Bytes::Missing.as_str() {
            true => Style::Bad,
            false => Style::Dim,
        };
        let word = ui.paint(style, self.bytes);
        format!("{} ({} bytes): {word}", self.artifact, self.size)
    }
}

/// How many artifacts are where, in one line.
pub fn summary(views: &[BytesView]) -> String {
    let words = [Bytes::Here, Bytes::Offered, Bytes::Missing].map(Bytes::as_str);
    let counts = words.iter().filter_map(|word| {
        let count = views.iter().filter(|view| view.bytes == *word).count();
        (count > 0).then(|| format!("{count} {word}"))
    });
    format!("bytes: {}", counts.collect::<Vec<_>>().join(", "))
}
