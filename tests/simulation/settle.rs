//! The end of a schedule: nobody lies or dies any more, everybody talks to home until nothing changes.

use crate::exchange::{follow, push};
use crate::world::{ALICE, Broken, HOME, WIM, World};
use folio::crypto::Sign as _;
use folio::journal::reconcile::{RefMap, peer};
use folio::journal::{Fault, refs};
use folio::model::Code;

/// Rounds until it must be quiet.
const ROUNDS: usize = 12;

impl World {
    pub fn settle(&mut self) -> Result<(), Broken> {
        let mut calm = false;
        for _ in 0..ROUNDS {
            let before = self.outline(HOME);
            for at in 1..self.nodes.len() {
                // Whoever only listens does so once it is calm.
                if calm || self.has_news(at) {
                    self.sync(at)?;
                }
            }
            self.number()?;
            let quiet = self.outline(HOME) == before;
            if quiet && calm {
                return Ok(());
            }
            calm = quiet;
        }
        Err("it never gets quiet".into())
    }

    /// Whether somebody has what was never seen at home.
    fn has_news(&self, at: usize) -> bool {
        let known = |one: (String, folio::model::Oid)| match one.0 == refs::MAIN {
            true => self.home_chain.contains(&one.1),
            false => self.home_branches.contains(&one),
        };
        !self.outline(at).into_iter().all(known)
    }

    /// Everything at somebody's that travels.
    fn outline(&self, at: usize) -> RefMap {
        peer::ours(self.nodes[at].store.inner()).unwrap()
    }

    fn say(&mut self, at: usize, what: &str) {
        let line = format!("(at last) {} {what}", self.nodes[at].name());
        self.trace.push(line);
    }

    /// Fetches from home, goes over to its chain where the two parted, and pushes.
    fn sync(&mut self, at: usize) -> Result<(), Broken> {
        // Where both sides are as they were the last time, nothing can come of asking again.
        let now = Some((self.outline(at), self.outline(HOME)));
        if self.asked[at] == now {
            return Ok(());
        }
        if let Err(fault) = self.take_in(at, HOME)? {
            return Err(format!(
                "{} cannot fetch from home: {}: {fault}",
                self.nodes[at].name(),
                fault.code
            ));
        }
        let home = self.home().tip();
        let parted = {
            let pages = &self.home_chain;
            let tip = self.nodes[at].tip();
            let same = |number: u64, id| pages.get(number as usize - 1) == Some(id);
            let is_below = same(tip.number().0, &tip.id);
            let is_above = tip.number() > home.number() && self.descends(at, home.id);
            !is_below && !is_above
        };
        if parted {
            follow(&mut self.nodes[at], &home).map_err(|fault| {
                format!(
                    "{} cannot go over to home's chain: {}: {fault}",
                    self.nodes[at].name(),
                    fault.code
                )
            })?;
            self.say(at, "goes over to home's chain, as a person says");
            self.count("a person chooses home's chain");
        }
        if at == WIM || at == self.wanda() || self.has_news(at) {
            let (node, home) = self.with_home(at);
            if let Err(fault) = push(node, home, true) {
                self.say(at, &format!("push: {}: {fault}", fault.code));
            }
        }
        self.asked[at] = Some((self.outline(at), self.outline(HOME)));
        self.look_at_home()
    }

    fn descends(&self, at: usize, from: folio::model::Oid) -> bool {
        let store = self.nodes[at].store.inner();
        let mut page = self.nodes[at].tip();
        while page.id != from {
            match page.previous() {
                Some(previous) => page = folio::journal::Page::read(store, previous).unwrap(),
                None => return false,
            }
        }
        true
    }

    /// Whoever holds the pen numbers; where they cannot, the other witness takes it over.
    fn number(&mut self) -> Result<(), Broken> {
        let pen = self.home().pen().map_err(|fault| fault.to_string())?;
        let has = |at: &usize| {
            let mut keys = self.nodes[*at].person.keys.iter();
            keys.any(|key| key.public_key() == pen.key)
        };
        let witnesses = [WIM, self.wanda(), ALICE];
        let holder = witnesses
            .into_iter()
            .find(has)
            .ok_or("nobody has the pen")?;
        for at in witnesses {
            if at != HOME {
                self.sync(at)?;
            }
        }
        if !pen.released {
            match self.nodes[holder].accept(&|_| true) {
                Ok(_) => return self.publish(holder),
                Err(fault) if is_of_memory(&fault) => {
                    self.say(holder, &format!("cannot number: {}: {fault}", fault.code));
                }
                Err(fault) => {
                    return Err(format!("the holder cannot number: {}: {fault}", fault.code));
                }
            }
        }
        // Who took the pen more often away from home than home saw cannot begin one of those epochs again. If that
        // is so of every witness, alice appoints herself.
        let others = witnesses[..2].iter().filter(|at| **at != holder);
        let takers: Vec<usize> = others.copied().chain([holder, ALICE]).collect();
        for taker in takers {
            match self.take_here(taker, true) {
                Ok(words) => {
                    self.say(taker, &format!("takes the pen: {words}"));
                    return self.publish(taker);
                }
                Err(fault) if is_of_memory(&fault) => {
                    self.say(
                        taker,
                        &format!("cannot take the pen: {}: {fault}", fault.code),
                    );
                }
                Err(fault) => return Err(format!("a take fails: {}: {fault}", fault.code)),
            }
        }
        Err("nobody can take the pen".into())
    }

    fn publish(&mut self, at: usize) -> Result<(), Broken> {
        self.look_at_home()?;
        if at == HOME { Ok(()) } else { self.sync(at) }
    }
}

/// Whether it is the signer's memory that forbids it.
fn is_of_memory(fault: &Fault) -> bool {
    matches!(
        fault.code,
        Code::RestoredBackup | Code::AlreadySigned | Code::ObjectMissing
    )
}
