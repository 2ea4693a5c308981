//! Table rows <-> canonical lines, and bucket files of them.

use super::flat;
use super::json::{self, JsonFault};
use crate::model::rows::TableRow;
use crate::model::{Row, RowKey, Table, limits};
use crate::with_row_type;
use std::ops::Range;

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

/// Where subject and detail stand in the line of a row, found without parsing all of it: `None` where they are not
/// plain text there, or where the line is too odd to say. Of a line that [`key_of`] takes, they are its key.
pub fn sketch(table: Table, line: &str) -> Option<[Range<usize>; 2]> {
    let wanted = table.key_fields();
    let mut found = wanted.map(|field| field.is_empty().then_some(0..0));
    let mut fields = flat::fields(line);
    while found.contains(&None) {
        let field = fields.next()?;
        let name = &line[field.name];
        if let Some(which) = wanted.iter().position(|wanted| *wanted == name) {
            found[which] = Some(field.text?);
        }
    }
    let [subject, detail] = found;
    Some([subject?, detail?])
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

    /// One row of every table.
    const EVERY_TABLE: &[(Table, &str)] = &[
        (Table::Aliases, r#"{"alias":"a","target":"b"}"#),
        (Table::AliasesByTarget, r#"{"alias":"a","target":"b"}"#),
        (
            Table::Artifacts,
            r#"{"artifact":"af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262","size":0}"#,
        ),
        (Table::Distinct, r#"{"a":"x","b":"y"}"#),
        (Table::Edges, r#"{"a":"x","b":"Київ"}"#),
        (Table::Emails, r#"{"email":"a@example.org","member":"a"}"#),
        (Table::Forks, r#"{"name":"n","of":"o","resolved":"r"}"#),
        (
            Table::ForksByOrigin,
            r#"{"name":"n","of":"o","resolved":"r"}"#,
        ),
        (Table::Merges, r#"{"from":"f","into":"i"}"#),
        (Table::MergesByTarget, r#"{"from":"f","into":"i"}"#),
        (
            Table::Overlays,
            r#"{"after":null,"base":"1","id":"0101010101010101010101010101010101010101010101010101010101010101","patch":"af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262","target":"t"}"#,
        ),
        (Table::Pins, r#"{"name":"n"}"#),
        (Table::Roles, r#"{"member":"m","role":"r"}"#),
        (Table::Witnesses, r#"{"member":"m"}"#),
    ];

    fn sketched(table: Table, line: &str) -> Option<RowKey> {
        let [subject, detail] = sketch(table, line)?;
        Some(RowKey::pair(&line[subject], &line[detail]))
    }

    #[test]
    fn a_sketch_finds_the_key_that_parsing_finds() {
        for (table, line) in EVERY_TABLE {
            let key = key_of(*table, line).expect(line);
            assert_eq!(sketched(*table, line), Some(key), "{table}");
        }
    }

    #[test]
    fn a_sketch_says_nothing_of_what_is_not_plain() {
        for odd in [
            "",
            "{",
            "{}",
            r#"{"alias"#,
            r#"{"alias":"a"#,
            r#"{"alias":"a\"b","target":"c"}"#,
            r#"{"alias":"\u0061","target":"c"}"#,
            r#"{"alias":1,"target":"c"}"#,
            r#"{ "alias":"a","target":"c"}"#,
            r#"{"x":["alias"],"alias":"a","target":"c"}"#,
            "{\"alias\":\"a\u{1}\",\"target\":\"c\"}",
            r#"["alias","a"]"#,
        ] {
            assert_eq!(sketched(Table::Aliases, odd), None, "{odd}");
        }
        // What is odd elsewhere does no harm: names in it are not taken for fields.
        let line = r#"{"a":"\",\"b\":\"no\"","b":"yes"}"#;
        assert_eq!(sketched(Table::Merges, line), None);
        assert_eq!(sketched(Table::Edges, line), None);
        let line = r#"{"alias":"a","target":"\"alias\":\"b\""}"#;
        assert_eq!(sketched(Table::Aliases, line), Some(RowKey::of("a")));
        assert_eq!(sketched(Table::AliasesByTarget, line), None);
    }
}
