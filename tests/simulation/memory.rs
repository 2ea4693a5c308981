//! What a witness signed, as one machine keeps it: in the repository, which a backup puts back, and a small copy
//! of the height outside of it, which stays. Each write can be the last thing that a process does.

use folio::journal::memory::{
    Batch, Hand, Mark, Recalled, ShortMemory, SignerMemory, Turn, higher,
};
use folio::store::{Later, Script, Steps as _, StoreFault, Unnamed, unnamed};
use std::collections::BTreeMap;
use std::sync::Mutex;

#[derive(Debug, Default)]
pub struct MachineMemory {
    inside: ShortMemory,
    outside: Mutex<BTreeMap<Hand, Mark>>,
    script: Script,
    /// The bytes of every page that left the process, whatever is put back.
    pub signed: Mutex<Vec<Vec<u8>>>,
    /// Forgets everything: for the test that this simulation can fail.
    pub forgets: bool,
}

impl MachineMemory {
    pub fn new(script: Script, forgets: bool) -> Self {
        Self {
            script,
            forgets,
            ..Self::default()
        }
    }

    /// What a backup of the repository holds of it.
    pub fn backup(&self) -> ShortMemory {
        self.inside.clone()
    }

    /// Puts that back.
    pub fn restore(&mut self, inside: ShortMemory) {
        self.inside = inside;
    }

    fn raise_outside(&self, hand: &Hand, mark: &Mark) -> Result<(), StoreFault> {
        self.script.step("memory-outside")?;
        let mut outside = self.outside.lock().unwrap();
        let known = outside.get(hand).copied();
        outside.extend(higher(known, Some(*mark)).map(|mark| (*hand, mark)));
        Ok(())
    }
}

impl SignerMemory for MachineMemory {
    fn turn(&self, hand: &Hand) -> Result<Turn, StoreFault> {
        self.inside.turn(hand)
    }

    fn recall(&self, hand: &Hand) -> Result<Recalled, StoreFault> {
        if self.forgets {
            return Ok(Recalled::default());
        }
        let mut recalled = self.inside.recall(hand)?;
        let outside = self.outside.lock().unwrap().get(hand).copied();
        recalled.highest = higher(recalled.highest, outside);
        Ok(recalled)
    }

    fn batch(&self, hand: &Hand, last: &Mark) -> Result<Batch, StoreFault> {
        self.inside.batch(hand, last)
    }

    fn remember<'a>(
        &'a self,
        hand: &'a Hand,
        batch: &'a Batch,
    ) -> Result<Box<dyn Unnamed + 'a>, StoreFault> {
        self.script.step("memory-write")?;
        Ok(Box::new(Later(move || {
            self.script.step("memory-rename")?;
            unnamed::settle(vec![self.inside.remember(hand, batch)?])?;
            self.signed
                .lock()
                .unwrap()
                .extend(batch.commits.iter().map(|commit| commit.to_vec()));
            self.script.step("memory-written")?;
            self.raise_outside(hand, &batch.last)
        })))
    }

    fn raise(&self, hand: &Hand, mark: &Mark) -> Result<(), StoreFault> {
        self.script.step("memory-raise")?;
        self.inside.raise(hand, mark)?;
        self.raise_outside(hand, mark)
    }

    fn lose(&self, hand: &Hand, last: &Mark) -> Result<(), StoreFault> {
        self.script.step("memory-lose")?;
        self.inside.lose(hand, last)
    }
}
