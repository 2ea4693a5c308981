//! What the tests of the rules share.

use crate::fold::apply::step;
use crate::fold::kind::Place;
use crate::fold::{Decision, MemoryView, Scene, Stop, View};
use crate::model::{Code, Name, ProposalDigest};

/// A checked name.
pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A state that grows decision by decision, without authority: rules only.
#[derive(Default)]
pub struct Bench {
    /// The state.
    pub view: MemoryView,
    count: u32,
}

impl Bench {
    /// Fills in `was` and applies; how many rows changed.
    pub fn run(&mut self, line: &str) -> Result<usize, Code> {
        let mut decision = Decision::parse_lenient(line).map_err(|fault| fault.code)?;
        let scene = Scene::new(&self.view);
        decision
            .refresh(&scene, false)
            .map_err(|stop| stop.code())?;
        self.exact(&decision)
    }

    /// Applies exactly this decision.
    pub fn exact(&mut self, decision: &Decision) -> Result<usize, Code> {
        let mut scene = Scene::new(&self.view);
        let place = Place {
            proposal: ProposalDigest(*blake3::hash(&self.count.to_le_bytes()).as_bytes()),
            index: 0,
        };
        let done = step(&mut scene, decision, place);
        let edits = done
            .and_then(|_| scene.finish())
            .map_err(|stop: Stop| stop.code())?;
        self.count += 1;
        let changed = edits.len();
        self.view.apply(edits);
        Ok(changed)
    }

    /// A scene on the state.
    pub fn scene(&self) -> Scene<'_> {
        Scene::new(&self.view as &dyn View)
    }

    /// The representative of what a name resolves to.
    pub fn resolve(&self, text: &str) -> String {
        let resolved = crate::fold::graph::resolve(&self.scene(), &name(text)).unwrap();
        resolved.representative.to_string()
    }
}
