//! Rows that nearly every page is judged by and few change, parsed once: who is a member, with which key, under which
//! policy, and who holds the pen.
//!
//! What was parsed is kept under the version of the whole table that it stands in. A table with any other row has another
//! version, so nothing has to be forgotten in time: where the version is another one, what is known is of no use, and goes.

use crate::model::{Oid, RowKey, Table};
use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Answers kept of one table, before all of them are forgotten.
const MOST: usize = 4096;

/// Tells a table from what it is with any other rows, among all those that one memo knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// The id of its file or directory.
    Object(Oid),
    /// How often it changed.
    Change(u64),
}

/// What was asked of a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
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
    version: Version,
    answers: BTreeMap<Asked, Rc<dyn Any>>,
}

/// Whether a table is worth it: of another one, the next page has another version.
pub(super) fn is_steady(table: Table) -> bool {
    use Table::{Keys, Members, Pen, Policy, Roles, Space};
    matches!(table, Keys | Members | Pen | Policy | Roles | Space)
}

impl Memo {
    /// The answer that the table of that version gives, found by `find` where it is not known. Faults are not kept.
    pub(super) fn answer<T: Clone + 'static, E>(
        &self,
        (table, version): (Table, Version),
        asked: Asked,
        find: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let known = |all: &BTreeMap<Table, Known>| {
            let known = all.get(&table).filter(|known| known.version == version)?;
            known.answers.get(&asked)?.downcast_ref::<T>().cloned()
        };
        if let Some(answer) = known(&self.0.borrow()) {
            return Ok(answer);
        }
        let answer = find()?;
        let mut all = self.0.borrow_mut();
        let empty = || Known {
            version,
            answers: BTreeMap::new(),
        };
        let known = all.entry(table).or_insert_with(empty);
        if known.version != version || known.answers.len() >= MOST {
            *known = empty();
        }
        known.answers.insert(asked, Rc::new(answer.clone()));
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> Version {
        Version::Object(Oid::from_bytes(&[byte; 20]).unwrap())
    }

    #[test]
    fn an_answer_holds_for_one_table_and_question_only() {
        let memo = Memo::default();
        let key = RowKey::of("a");
        let ask = |table, id, asked: &Asked, found: u32| {
            let found = || Ok::<_, ()>(found);
            memo.answer((table, id), asked.clone(), found)
        };
        let (row, rows) = (Asked::Row(key.clone()), Asked::Rows(key));
        assert_eq!(ask(Table::Keys, id(1), &row, 1), Ok(1));
        assert_eq!(ask(Table::Keys, id(1), &row, 2), Ok(1));
        assert_eq!(ask(Table::Keys, id(1), &rows, 3), Ok(3));
        assert_eq!(
            ask(Table::Keys, id(1), &Asked::Row(RowKey::of("b")), 4),
            Ok(4)
        );
        assert_eq!(ask(Table::Members, id(1), &row, 5), Ok(5));
        // Another version of the table, and the first one once more.
        assert_eq!(ask(Table::Keys, id(2), &row, 6), Ok(6));
        assert_eq!(ask(Table::Keys, id(1), &row, 7), Ok(7));
        // Of another type it is no answer, and a fault is none either.
        let text = memo.answer((Table::Keys, id(1)), row.clone(), || Err::<String, _>(8));
        assert_eq!(text, Err(8));
        assert_eq!(ask(Table::Keys, id(1), &row, 9), Ok(7));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let memo = Memo::default();
        for n in 0..2 * MOST {
            let asked = Asked::Row(RowKey::of(n.to_string()));
            memo.answer((Table::Keys, id(1)), asked, || Ok::<_, ()>(n))
                .unwrap();
        }
        assert!(memo.0.borrow()[&Table::Keys].answers.len() <= MOST);
    }
}
