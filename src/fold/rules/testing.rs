//! What the tests of the rules share.

use super::{PenTake, TakeFrom};
use crate::crypto::Sign as _;
use crate::crypto::keyfile::KeyPair;
use crate::fold::apply::step;
use crate::fold::kind::Place;
use crate::fold::{Decision, MemoryView, Scene, Stop, View};
use crate::model::rows::{PenRow, WitnessRow};
use crate::model::{ChainDigest, Code, Epoch, Handle, Name, ProposalDigest, PublicKey, RowKey};

/// A checked name.
pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A state that grows decision by decision, without authority: rules only.
#[derive(Default)]
pub struct Bench {
    /// The state.
    pub view: MemoryView,
    /// Who proposes; nobody unless a test says so.
    pub author: Option<PublicKey>,
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
            author: self.author.unwrap_or(PublicKey([0; 32])),
            after: AFTER,
        };
        let done = step(&mut scene, decision, place);
        if done.is_err() {
            assert!(scene.edits().is_empty(), "what is refused changes nothing");
        }
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

/// The chain digest that everything on a bench comes after.
pub const AFTER: ChainDigest = ChainDigest([3; 32]);

/// The public key that a name makes.
pub fn key(name: &str) -> PublicKey {
    KeyPair::from_seed(*blake3::hash(name.as_bytes()).as_bytes()).public_key()
}

/// A bench with a pen: wanda holds it in epoch 1, wim is a witness too, bob a member.
pub struct Pen {
    /// The state.
    pub bench: Bench,
}

impl Pen {
    /// The state at the beginning.
    pub fn new() -> Self {
        let mut bench = Bench::default();
        for (who, role) in [("wanda", "witness"), ("wim", "member"), ("bob", "member")] {
            let line = format!(
                r#"{{"op":"member.add","email":"{who}@example.org","handle":"{who}","key":"{}","name":"{who}","roles":["{role}"]}}"#,
                key(who)
            );
            bench.run(&line).unwrap();
        }
        let mut scene = Scene::new(&bench.view);
        for who in ["wanda", "wim"] {
            let member = Handle::new(who).unwrap();
            scene.put(&WitnessRow { member });
        }
        scene.put(&PenRow {
            epoch: Epoch(1),
            instance: None,
            key: key("wanda"),
            member: Handle::new("wanda").unwrap(),
            released: false,
        });
        let edits = scene.finish().unwrap();
        bench.view.apply(edits);
        Self { bench }
    }

    /// A take by somebody as it should be, who is the author from here on.
    pub fn take(&mut self, who: &str) -> PenTake {
        self.bench.author = Some(key(who));
        let pen: PenRow = self.bench.scene().get(&RowKey::of("")).unwrap().unwrap();
        PenTake {
            after: AFTER,
            epoch: pen.epoch.next(),
            from: TakeFrom::of(&pen),
            instance: None,
            key: key(who),
            member: Handle::new(who).unwrap(),
        }
    }
}
