//! `pen.take`: another key numbers from here on.

use super::*;
use crate::fold::policy;
use crate::model::rows::{PenRow, WitnessRow};
use crate::model::{ChainDigest, Epoch, Handle, PublicKey, RowKey, Slug};
use serde::{Deserialize, Serialize};

/// Where the pen is when it is taken. Policy decides by this word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TakeFrom {
    /// Its holder laid it down.
    Released,
    /// Somebody holds it, perhaps the taker with another key.
    Held,
}

impl TakeFrom {
    /// The word that policy prefixes are compared with.
    pub fn as_str(self) -> &'static str {
        match self {
            TakeFrom::Released => "released",
            TakeFrom::Held => "held",
        }
    }

    /// Where a pen is.
    pub fn of(pen: &PenRow) -> Self {
        match pen.released {
            true => TakeFrom::Released,
            false => TakeFrom::Held,
        }
    }
}

/// Payload of `pen.take`. It names the page it comes after, so it is good for one page only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PenTake {
    /// The chain digest of the page before.
    pub after: ChainDigest,
    /// The epoch it starts.
    pub epoch: Epoch,
    /// Where the pen is.
    pub from: TakeFrom,
    /// Which of the taker's machines takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<Slug>,
    /// The key that signs from this page on: the author's.
    pub key: PublicKey,
    /// Whose key it is.
    pub member: Handle,
}

impl PenTake {
    /// The row it makes.
    pub fn row(&self) -> PenRow {
        PenRow {
            epoch: self.epoch,
            instance: self.instance.clone(),
            key: self.key,
            member: self.member.clone(),
            released: false,
        }
    }

    /// Refuses a take that comes after another page: it is of no use any more, whoever approves it.
    pub(in crate::fold) fn require_after(&self, after: &ChainDigest) -> Result<(), Stop> {
        if self.after == *after {
            return Ok(());
        }
        let (own, found) = (self.after.short(), after.short());
        let what = format!("it comes after the chain {own}, found {found}");
        Stop::refuse(Code::PenMoved, what)
    }

    fn require_place(&self, pen: &PenRow, place: &Place) -> Result<(), Stop> {
        self.require_after(&place.after)?;
        let from = TakeFrom::of(pen);
        if self.from != from {
            let what = format!(
                "it takes a pen that is {}, found one that is {}",
                self.from.as_str(),
                from.as_str()
            );
            return Stop::refuse(Code::PenMoved, what);
        }
        if self.epoch != pen.epoch.next() {
            let what = format!(
                "expected the epoch {}, found {}",
                pen.epoch.next(),
                self.epoch
            );
            return Stop::refuse(Code::EpochWrong, what);
        }
        Ok(())
    }
}

impl Kind for PenTake {
    const OP: &'static str = "pen.take";
    const FAMILY: Family = Family::Pen;
    const ABOUT: &'static str = "Takes the pen: the key that signed the proposal numbers this page and the next ones, in the next epoch. It stands alone in its proposal, or after the taker's own `witness.appoint`, and names the page it comes after, so it can never be rebased. Only rows of the scope `pen.take` cover it, by where the pen is; without one, any appointed witness takes a released pen, and one that is held with an approval of the role `recovery`. A taker counts as holding the role `witness`.";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "after",
            shape: "chain digest",
            about: "the page it comes after",
        },
        Field {
            name: "epoch",
            shape: "number",
            about: "one more than the pen's epoch",
        },
        Field {
            name: "from",
            shape: "`released` or `held`",
            about: "where the pen is; what policy prefixes are compared with",
        },
        Field {
            name: "instance",
            shape: "slug, left out for none",
            about: "which of the taker's machines takes it",
        },
        Field {
            name: "key",
            shape: "`ssh-ed25519 AAAA...`",
            about: "the author's key, which signs from this page on",
        },
        Field {
            name: "member",
            shape: "handle",
            about: "whose key it is",
        },
    ];
    const CODES: &'static [Code] = &[
        Code::PenMoved,
        Code::EpochWrong,
        Code::NotAWitness,
        Code::NotAlone,
        Code::NotAllowed,
        Code::KeyMalformed,
    ];
    const PLACED: bool = true;

    fn example() -> Self {
        Self {
            after: ChainDigest([3; 32]),
            epoch: Epoch(2),
            from: TakeFrom::Held,
            instance: Some(Slug::new("laptop").expect("a valid slug")),
            key: PublicKey([9; 32]),
            member: Handle::new("wim").expect("a valid handle"),
        }
    }

    fn policy_keys(&self) -> Vec<Cow<'_, str>> {
        vec![self.from.as_str().into()]
    }

    fn apply(&self, scene: &mut Scene<'_>, place: Place) -> Result<(), Stop> {
        let Some(pen) = scene.get::<PenRow>(&RowKey::of(""))? else {
            return Stop::refuse(Code::PenMoved, "there is no pen to take");
        };
        self.require_place(&pen, &place)?;
        if self.key != place.author {
            let what = format!(
                "expected the pen taken with the key that signed the proposal, {}, found {}",
                place.author, self.key
            );
            return Stop::refuse(Code::NotAllowed, what);
        }
        let member = policy::member_of(scene, &self.key)?;
        if member.handle != self.member {
            let what = format!("the key {} is that of `{}`", self.key, member.handle);
            return Stop::refuse(Code::NotAllowed, what);
        }
        if !scene.has::<WitnessRow>(&RowKey::of(&self.member))? {
            let what = format!("`{}` is no appointed witness", self.member);
            return Stop::refuse(Code::NotAWitness, what);
        }
        scene.put(&self.row());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Pen;
    use super::*;
    use crate::fold::Decision;

    #[test]
    fn a_take_moves_the_pen_to_its_author() {
        let mut pen = Pen::new();
        let take = pen.take("wim");
        assert_eq!(pen.bench.exact(&Decision::PenTake(take.clone())), Ok(1));
        let row: PenRow = pen.bench.scene().get(&RowKey::of("")).unwrap().unwrap();
        assert_eq!(row, take.row());
        assert_eq!((row.epoch, row.released), (Epoch(2), false));
    }

    #[test]
    fn each_thing_it_names_must_be_so() {
        let mut pen = Pen::new();
        type Change = fn(&mut PenTake);
        let changes: [(Change, Code); 7] = [
            (|take| take.after = ChainDigest([8; 32]), Code::PenMoved),
            (|take| take.from = TakeFrom::Released, Code::PenMoved),
            (|take| take.epoch = Epoch(1), Code::EpochWrong),
            (|take| take.epoch = Epoch(3), Code::EpochWrong),
            (|take| take.key = PublicKey([1; 32]), Code::NotAllowed),
            (
                |take| take.member = Handle::new("wanda").unwrap(),
                Code::NotAllowed,
            ),
            (|take| take.epoch = Epoch(0), Code::EpochWrong),
        ];
        for (change, code) in changes {
            let mut take = pen.take("wim");
            change(&mut take);
            assert_eq!(pen.bench.exact(&Decision::PenTake(take)), Err(code));
        }
    }

    #[test]
    fn only_an_appointed_witness_takes() {
        let mut pen = Pen::new();
        let take = pen.take("bob");
        let refused = pen.bench.exact(&Decision::PenTake(take.clone()));
        assert_eq!(refused, Err(Code::NotAWitness));
        let appoint = r#"{"op":"witness.appoint","member":"bob"}"#;
        assert_eq!(pen.bench.run(appoint), Ok(1));
        pen.take("bob");
        assert_eq!(pen.bench.exact(&Decision::PenTake(take)), Ok(1));
    }

    #[test]
    fn a_key_that_was_rotated_takes_nothing() {
        let mut pen = Pen::new();
        let take = pen.take("wim");
        let key = super::super::testing::key("wim-new");
        let rotate = format!(r#"{{"op":"member.rotate","handle":"wim","key":"{key}"}}"#);
        pen.bench.run(&rotate).unwrap();
        assert_eq!(
            pen.bench.exact(&Decision::PenTake(take)),
            Err(Code::KeyRetired)
        );
    }
}
