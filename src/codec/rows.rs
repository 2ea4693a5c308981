//! Table rows <-> canonical lines, and bucket files of them.

use super::json::{self, JsonFault};
use crate::model::rows::TableRow;
use crate::model::{Row, RowKey, Table, limits};
use crate::with_row_type;

/// Encodes a typed row.
pub fn encode<R: TableRow>(row: &R) -> Row {
    Row::from_canonical(&json::encode(row))
}

/// Reads a row whose line was checked when it was taken from its bucket.
pub fn decode<R: TableRow>(row: &Row) -> Result<R, JsonFault> {
    json::parse_lenient(row.as_str(), limits::ROW_LINE)
}

/// Checks one line of a table and says where it belongs.
pub fn key_of(table: Table, line: &str) -> Result<RowKey, JsonFault> {
    fn key<R: TableRow>(line: &str) -> Result<RowKey, JsonFault> {
        Ok(json::parse::<R>(line, limits::ROW_LINE)?.key())
    }
    with_row_type!(table, key(line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rows::{AliasRow, AliasTargetRow};
    use crate::model::{Code, Name};

    #[test]
    fn forward_and_reverse_rows_have_the_same_bytes_and_other_keys() {
        let (alias, target) = (Name::new("a").unwrap(), Name::new("b").unwrap());
        let forward = encode(&AliasRow {
            alias: alias.clone(),
            target: target.clone(),
        });
        let reverse = encode(&AliasTargetRow { alias, target });
        assert_eq!(forward, reverse);
        let of = |table| key_of(table, forward.as_str()).unwrap();
        assert_eq!(of(Table::Aliases), RowKey::of("a"));
        assert_eq!(of(Table::AliasesByTarget), RowKey::pair("b", "a"));
        let other = key_of(Table::Pins, forward.as_str()).unwrap_err();
        assert_eq!(other.code, Code::JsonMalformed);
    }
}
