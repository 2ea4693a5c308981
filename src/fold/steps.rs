//! Decisions judged and made one after the other on one state, the later ones on what the earlier ones made of it.

use super::apply::{Outcome, step};
use super::decision::Decision;
use super::kind::Place;
use super::refusal::Stop;
use super::scene::Scene;
use super::view::View;
use crate::model::{RowKey, Table};

/// Some decisions that were made on a state. Those that were drafted need not be made anew when they are proposed.
pub struct Steps<'v> {
    scene: Scene<'v>,
    touched: Vec<Vec<(Table, RowKey)>>,
    /// Whether one of them asked where it stands.
    placed: bool,
}

impl<'v> Steps<'v> {
    /// None yet.
    pub fn new(view: &'v dyn View) -> Self {
        Self {
            scene: Scene::new(view),
            touched: Vec::new(),
            placed: false,
        }
    }

    /// The state with them applied.
    pub fn scene(&self) -> &Scene<'v> {
        &self.scene
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.touched.len()
    }

    /// Makes one more.
    pub fn add(&mut self, decision: &Decision, place: Place) -> Result<(), Stop> {
        let touched = step(&mut self.scene, decision, place)?;
        self.keep(decision, touched);
        Ok(())
    }

    /// Makes one more, unless it finds everything as it wants it: whether it did something.
    pub fn offer(&mut self, decision: &Decision, place: Place) -> Result<bool, Stop> {
        let touched = step(&mut self.scene, decision, place)?;
        let changes = !touched.is_empty();
        if changes {
            self.keep(decision, touched);
        }
        Ok(changes)
    }

    fn keep(&mut self, decision: &Decision, touched: Vec<(Table, RowKey)>) {
        self.placed |= decision.placed();
        self.touched.push(touched);
    }

    /// The same, as far as they hold wherever the decisions stand: all of them or none.
    pub(super) fn wherever(self) -> Self {
        match self.placed {
            true => Self::new(self.scene.base()),
            false => self,
        }
    }

    /// The keys that each of them wrote.
    pub(super) fn touched(&self) -> &[Vec<(Table, RowKey)>] {
        &self.touched
    }

    /// What they come to.
    pub(super) fn finish(self) -> Result<Outcome, Stop> {
        Ok(Outcome {
            edits: self.scene.finish()?,
            touched: self.touched,
        })
    }
}
