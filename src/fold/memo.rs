//! Rows that nearly every page is judged by and few change, parsed once: who is a member, with which key, under which
//! policy, and who holds the pen.
//!
//! What was parsed is kept under the id of the whole table that it stands in. A table with any other row has another id, so
//! nothing has to be forgotten in time: where the id is another one, what is known is of no use, and goes.

use crate::model::{Oid, RowKey, Table};
use std::any::Any;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// Answers kept of one table, before all of them are forgotten.
const MOST: usize = 4096;

/// What was asked of a table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Asked {
    /// The row with that key.
    Row(RowKey),
    /// The rows of that subject, which the key names.
    Rows(RowKey),
}

/// What was parsed, by table.
#[derive(Debug, Default)]
pub struct Memo(RefCell<BTreeMap<Table, Known>>);

/// What was parsed of one table.
#[derive(Debug)]
struct Known {
    table: Oid,
    answers: HashMap<Asked, Rc<dyn Any>>,
}

/// Whether a table is worth it: of another one, the next page has another version.
pub(super) fn is_steady(table: Table) -> bool {
    use Table::{Keys, Members, Pen, Policy, Roles, Space};
    matches!(table, Keys | Members | Pen | Policy | Roles | Space)
}

impl Memo {
    /// The answer that the table with that id gives, found by `find` where it is not known. Faults are not kept.
    pub(super) fn answer<T: Clone + 'static, E>(
        &self,
        (table, id): (Table, Oid),
        asked: Asked,
        find: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let known = |all: &BTreeMap<Table, Known>| {
            let known = all.get(&table).filter(|known| known.table == id)?;
            known.answers.get(&asked)?.downcast_ref::<T>().cloned()
        };
        if let Some(answer) = known(&self.0.borrow()) {
            return Ok(answer);
        }
        let answer = find()?;
        let mut all = self.0.borrow_mut();
        let empty = || Known {
            table: id,
            answers: HashMap::new(),
        };
        let known = all.entry(table).or_insert_with(empty);
        if known.table != id || known.answers.len() >= MOST {
            *known = empty();
        }
        known.answers.insert(asked, Rc::new(answer.clone()));
        Ok(answer)
    }
}
