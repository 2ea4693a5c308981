//! Decisions tried one after the other on a state: what each would change, and which are refused. A
//! refused one is left out and the others are judged without it.

use crate::fold::apply::step;
use crate::fold::kind::Place;
use crate::fold::policy::require_authority;
use crate::fold::{Decision, Refusal, Scene, Stop, View};
use crate::model::rows::MemberRow;
use crate::model::{ChainDigest, Code, ProposalDigest, PublicKey, RowEdits};
use crate::state::RowChange;

/// What became of one decision.
#[derive(Debug)]
pub enum Verdict {
    /// It would change these rows, sorted.
    Changes(Vec<RowChange>),
    /// It is true already.
    Already,
    /// It is refused.
    Refused(Refusal),
}

/// A state, and the decisions that hold on it so far.
pub struct Trial<'v> {
    view: &'v dyn View,
    scene: Scene<'v>,
    author: Option<MemberRow>,
    after: ChainDigest,
    /// What the decisions so far have made, to tell what the next one finds.
    rows: RowEdits,
    /// The decisions that hold and change something, as they were judged.
    pub kept: Vec<Decision>,
}

impl<'v> Trial<'v> {
    /// Starts on a state and the chain that leads to it. The author, where known, is judged too.
    pub fn new(view: &'v dyn View, after: ChainDigest, author: Option<MemberRow>) -> Self {
        Self {
            view,
            scene: Scene::new(view),
            author,
            after,
            rows: RowEdits::new(),
            kept: Vec::new(),
        }
    }

    /// Judges the next decision; with `refresh` what it replaces and relies on is filled in again.
    pub fn judge(&mut self, mut decision: Decision, refresh: bool) -> anyhow::Result<Verdict> {
        let judged = match refresh {
            true => decision.refresh(&self.scene, true),
            false => Ok(()),
        };
        let judged = judged
            .and_then(|()| self.authorise(&decision))
            .and_then(|()| {
                let place = self.place(self.kept.len());
                step(&mut self.scene, &decision, place)
            });
        match judged {
            Ok(touched) if touched.is_empty() => Ok(Verdict::Already),
            Ok(mut touched) => {
                touched.sort();
                touched.dedup();
                let mut changes = Vec::with_capacity(touched.len());
                for (table, key) in touched {
                    changes.push(self.change(table, key)?);
                }
                changes.retain(|change| change.before != change.after);
                self.kept.push(decision);
                Ok(Verdict::Changes(changes))
            }
            Err(Stop::Refused(refusal)) => {
                self.restore()?;
                Ok(Verdict::Refused(refusal))
            }
            Err(broken) => Err(broken.into()),
        }
    }

    fn authorise(&self, decision: &Decision) -> Result<(), Stop> {
        let Some(author) = &self.author else {
            return Ok(());
        };
        // Authority is judged in the state before the page.
        match require_authority(&Scene::new(self.view), author, decision, &[]) {
            // Approvals come later, as reviews of the proposal.
            Err(stop) if stop.code() == Code::ApprovalsMissing => Ok(()),
            other => other,
        }
    }

    fn change(
        &mut self,
        table: crate::model::Table,
        key: crate::model::RowKey,
    ) -> Result<RowChange, Stop> {
        let place = (table, key);
        let before = match self.rows.get(place.0, &place.1) {
            Some(row) => row.clone(),
            None => self.view.row(place.0, &place.1)?,
        };
        let after = self.scene.raw(place.0, &place.1)?;
        self.rows.insert(place.clone(), after.clone());
        let (table, key) = place;
        Ok(RowChange {
            table,
            key,
            before,
            after,
        })
    }

    /// A rule may have written something before it refused: the scene is made again without that.
    fn restore(&mut self) -> Result<(), Stop> {
        if self.scene.take_touched().is_empty() {
            return Ok(());
        }
        self.scene = Scene::new(self.view);
        for (index, decision) in self.kept.iter().enumerate() {
            let place = self.place(index);
            step(&mut self.scene, decision, place)?;
        }
        Ok(())
    }

    /// A place in a proposal that does not exist yet.
    fn place(&self, index: usize) -> Place {
        let author = self.author.as_ref();
        Place {
            proposal: ProposalDigest([0; 32]),
            index: index as u64,
            author: author.map_or(PublicKey([0; 32]), |author| author.key),
            after: self.after,
        }
    }
}
