//! The end of a schedule: nobody lies or dies any more, everybody talks to home until nothing changes.

use crate::exchange::{follow, push};
use crate::world::{Broken, HOME, WIM, World};
use folio::crypto::Sign as _;
use folio::journal::reconcile::peer;
use folio::model::Code;

/// Rounds until it must be quiet.
const ROUNDS: usize = 12;

impl World {
    pub fn settle(&mut self) -> Result<(), Broken> {
        for _ in 0..ROUNDS {
            let before = self.outline();
            for at in 1..self.nodes.len() {
                self.sync(at)?;
            }
            self.number()?;
            if self.outline() == before {
                return Ok(());
            }
        }
        Err("it never gets quiet".into())
    }

    /// Everything that travels, at everybody's.
    fn outline(&self) -> Vec<folio::journal::reconcile::RefMap> {
        let nodes = self.nodes.iter();
        nodes
            .map(|node| peer::ours(node.store.inner()).unwrap())
            .collect()
    }

    fn say(&mut self, at: usize, what: &str) {
        let line = format!("(at last) {} {what}", self.nodes[at].name());
        self.trace.push(line);
    }

    /// Fetches from home, goes over to its chain where the two parted, and pushes.
    fn sync(&mut self, at: usize) -> Result<(), Broken> {
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
        let (node, home) = self.with_home(at);
        if let Err(fault) = push(node, home, true) {
            self.say(at, &format!("push: {}: {fault}", fault.code));
        }
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
        let witnesses = [WIM, self.wanda()];
        let holder = witnesses
            .into_iter()
            .find(has)
            .ok_or("nobody has the pen")?;
        let other = if holder == WIM { self.wanda() } else { WIM };
        let taker = match pen.released {
            true => other,
            false => match self.nodes[holder].accept(&|_| true) {
                Ok(_) => return self.publish(holder),
                Err(fault)
                    if matches!(
                        fault.code,
                        Code::RestoredBackup | Code::AlreadySigned | Code::ObjectMissing
                    ) =>
                {
                    self.say(holder, &format!("cannot number: {}: {fault}", fault.code));
                    other
                }
                Err(fault) => {
                    return Err(format!("the holder cannot number: {}: {fault}", fault.code));
                }
            },
        };
        let words = self
            .take_here(taker, true)
            .map_err(|fault| format!("a take fails: {}: {fault}", fault.code))?;
        self.say(taker, &format!("takes the pen: {words}"));
        self.publish(taker)
    }

    fn publish(&mut self, at: usize) -> Result<(), Broken> {
        self.look_at_home()?;
        if at == HOME { Ok(()) } else { self.sync(at) }
    }
}
