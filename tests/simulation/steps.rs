//! One step of a schedule.

use crate::check;
use crate::exchange::{self, Shown, fetch, push};
use crate::node::Made;
use crate::thief;
use crate::world::*;
use folio::codec::message::Verdict;
use folio::journal::reconcile::course::Course;
use folio::journal::{Fault, refs};
use folio::store::Refs as _;

/// Something that a person tries, and what came of it in a word or two.
type Tried = Result<String, Fault>;

impl World {
    /// Takes one step and looks whether all is well afterwards.
    pub fn step(&mut self) -> Result<(), Broken> {
        let kind = self.rng.below(100);
        let at = self.who(kind);
        let dies = self.rng.once_in(6).then(|| 1 + self.rng.below(9) as u64);
        if let Some(n) = dies {
            self.nodes[at].store.script().fail_at(n);
        }
        let (what, tried) = self.act(kind, at)?;
        let died = self.nodes[at].store.script().is_dead();
        self.nodes[at].store.script().revive();
        let came = match tried {
            Ok(words) => words,
            Err(fault) => fault.code.to_string(),
        };
        let died = if died { " [died]" } else { "" };
        self.trace
            .push(format!("{} {what}: {came}{died}", self.nodes[at].name()));
        self.count(what);
        if !died.is_empty() {
            self.count("a process dies");
        }
        self.look_at_home()?;
        check::keep_their_chains(self)
    }

    /// Who takes a step of that kind.
    fn who(&mut self, kind: usize) -> usize {
        let anybody = 1 + self.rng.below(self.nodes.len() - 1);
        let witness = [WIM, self.wanda()][self.rng.below(2)];
        match kind {
            0..20 if self.rng.once_in(8) => anybody,
            0..20 => [ALICE, BOB][self.rng.below(2)],
            20..28 if self.rng.once_in(4) => anybody,
            20..28 => [RICK, RITA][self.rng.below(2)],
            28..42 | 80..88 => witness,
            _ if witness != HOME && self.rng.once_in(3) => witness,
            _ => anybody,
        }
    }

    fn act(&mut self, kind: usize, at: usize) -> Result<(&'static str, Tried), Broken> {
        Ok(match kind {
            0..20 => ("propose", self.propose(at)),
            20..28 => ("review", self.review(at)),
            28..42 => ("accept", self.accept(at)),
            42..55 => ("fetch home", self.take_in(at, HOME)?),
            55..66 => ("push", self.push(at)),
            66..71 => ("stick", {
                let from = self.rng.below(self.nodes.len());
                if from == at {
                    ("stick", Ok("to itself".into())).1
                } else {
                    self.take_in(at, from)?
                }
            }),
            71..80 => ("fetch mirror", self.mirror(at)?),
            80..84 => ("take", self.take(at)?),
            84..86 => ("release", self.made(at, |node| node.propose_release())),
            86..88 => ("rotate", self.made(at, |node| node.propose_rotation())),
            88..91 => ("back up", {
                self.nodes[at].back_up();
                Ok(String::new())
            }),
            91..93 => ("restore", self.restore(at)),
            93..95 => ("clock", {
                let by = self.rng.below(2_000_000) as u64;
                let node = &mut self.nodes[at];
                node.clock = (node.clock + 1_000_000).saturating_sub(by);
                Ok(String::new())
            }),
            95 => ("steal", {
                thief::steal(self);
                Ok(String::new())
            }),
            96..98 => (
                "equivocate",
                Ok(thief::equivocate(self).unwrap_or("nothing").into()),
            ),
            98 => ("forge", Ok(thief::forge(self).into())),
            _ => ("refresh slow mirror", {
                self.mirrors.refresh_slow(&self.nodes[HOME]);
                Ok(String::new())
            }),
        })
    }

    fn made(
        &mut self,
        at: usize,
        make: impl FnOnce(&mut crate::node::Node) -> Result<Made, Fault>,
    ) -> Tried {
        let made = make(&mut self.nodes[at]);
        if at == HOME {
            // What it replaced was there, and it may be numbered before the next look.
            self.look_at_home().expect("a proposal moves no page");
        }
        let made = made?;
        let words = format!("{} {}", &made.1[refs::PROPOSALS.len()..], made.0.short());
        self.made.push(made);
        Ok(words)
    }

    fn propose(&mut self, at: usize) -> Tried {
        let mut rng = self.rng.clone();
        self.rng.next();
        self.made(at, |node| node.propose_names(&mut rng))
    }

    fn review(&mut self, at: usize) -> Tried {
        let queue = self.nodes[at].store.list(refs::PROPOSALS)?;
        if queue.is_empty() {
            return Ok("nothing".into());
        }
        let (name, id) = self.rng.pick(&queue).clone();
        let verdict = if self.rng.once_in(4) {
            Verdict::Reject
        } else {
            Verdict::Approve
        };
        self.nodes[at].review(id, verdict, None)?;
        Ok(format!(
            "{} {}",
            verdict.as_str(),
            &name[refs::PROPOSALS.len()..]
        ))
    }

    fn accept(&mut self, at: usize) -> Tried {
        let (some, salt) = (self.rng.once_in(3), self.rng.next() as usize);
        let chosen = |name: &str| {
            !some
                || !(name.len() + name.bytes().map(usize::from).sum::<usize>() + salt)
                    .is_multiple_of(3)
        };
        let report = self.nodes[at].accept(&chosen)?;
        let words: Vec<String> = report
            .numbered
            .iter()
            .map(|page| page.number.to_string())
            .collect();
        let refused: Vec<&str> = report
            .refused
            .iter()
            .map(|(_, fault)| fault.code.as_str())
            .collect();
        Ok(format!(
            "{} numbered {words:?}, refused {refused:?}",
            self.nodes[at].name()
        ))
    }

    fn push(&mut self, at: usize) -> Tried {
        let answer = !self.rng.once_in(5);
        if self.rng.once_in(8) {
            self.nodes[HOME]
                .store
                .script()
                .fail_at(1 + self.rng.below(5) as u64);
        }
        let gate = !self.setting.no_gate;
        let (node, home) = self.with_home(at);
        let pushed = match gate {
            true => push(node, home, answer),
            false => exchange::push_unguarded(node, home),
        };
        self.nodes[HOME].store.script().revive();
        pushed?;
        Ok(if answer {
            "".into()
        } else {
            "answer lost".into()
        })
    }

    fn mirror(&mut self, at: usize) -> Result<Tried, Broken> {
        let home = &self.nodes[HOME];
        let shown = match self.rng.below(4) {
            0 => self.mirrors.slow(home),
            1 => self.mirrors.lossy(home, &mut self.rng),
            _ => self.mirrors.lying(home, &mut self.rng),
        };
        self.fetch(at, &shown)
    }

    pub fn take_in(&mut self, at: usize, from: usize) -> Result<Tried, Broken> {
        let shown = self.shown_by(from);
        self.fetch(at, &shown)
    }

    pub fn fetch(&mut self, at: usize, shown: &Shown) -> Result<Tried, Broken> {
        let before = self.nodes[at].main();
        let received = match fetch(&mut self.nodes[at], shown) {
            Ok(received) => received,
            Err(fault) => return Ok(Err(fault)),
        };
        if let (true, Some(Course::Fork(fork))) = (self.setting.gullible, &received.course)
            && let Err(fault) = exchange::go_over(&mut self.nodes[at], &fork.theirs)
        {
            return Ok(Err(fault));
        }
        let words = check::receipt(self, at, before, shown, &received)?;
        // Now and then somebody asks around, hears that home is right, and says so.
        let parted = words.starts_with("Stop") && shown.is_home;
        if parted && self.rng.once_in(3) && !self.nodes[at].store.script().is_dead() {
            let home = self.home().tip();
            return Ok(exchange::follow(&mut self.nodes[at], &home)
                .map(|()| "home, by a person's choice".into()));
        }
        Ok(Ok(format!("{} {words}", shown.key)))
    }

    /// A take, approved on a stick by rick where that is needed, and numbered at once.
    fn take(&mut self, at: usize) -> Result<Tried, Broken> {
        if at != HOME
            && !self.rng.once_in(3)
            && let Err(fault) = self.take_in(at, HOME)?
        {
            return Ok(Err(fault));
        }
        let approve = !self.rng.once_in(4);
        Ok(self.take_here(at, approve))
    }

    pub fn take_here(&mut self, at: usize, approve: bool) -> Tried {
        let proposed = self.made(at, |node| node.propose_take())?;
        let id = self.made.last().unwrap().2;
        if approve {
            let rick = [RICK, RITA][self.rng.below(2)];
            let shown = self.shown_by(at);
            let _ = fetch(&mut self.nodes[rick], &shown);
            let objects = self.nodes[at].store.inner().clone();
            self.nodes[rick].store.inner().take_objects(&objects);
            let _ = self.nodes[rick].review(id, Verdict::Approve, None);
            let shown = self.shown_by(rick);
            fetch(&mut self.nodes[at], &shown)?;
        }
        let report = self.nodes[at].accept_with(None, &|name| name.ends_with("/take"))?;
        let refused: Vec<&str> = report
            .refused
            .iter()
            .map(|(_, fault)| fault.code.as_str())
            .collect();
        if !report.numbered.is_empty() {
            self.count("a take is numbered");
        }
        Ok(format!(
            "{proposed} numbered {}, refused {refused:?}",
            report.numbered.len()
        ))
    }

    fn restore(&mut self, at: usize) -> Tried {
        let memory_too = self.rng.once_in(2);
        let done = self.nodes[at].restore(memory_too);
        self.mains[at] = self.nodes[at].main();
        Ok(match (done, memory_too) {
            (false, _) => "no backup",
            (true, true) => "store and memory",
            (true, false) => "store only",
        }
        .into())
    }
}
