//! The trees of a shelf. All of them follow from its sheets, so that a reader who has a sheet knows which tree
//! lists its blocks without reading any.

use crate::model::{ObjectFormat, Oid};

const FILE: &[u8] = b"100644 ";
const DIR: &[u8] = b"40000 ";

/// The tree of a catalog: each sheet under its own id. `sheets` are strictly ascending.
pub fn catalog_tree(sheets: &[Oid]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for sheet in sheets {
        entry(&mut bytes, FILE, sheet.to_hex().as_bytes(), sheet);
    }
    bytes
}

/// The tree that lists the blocks of one sheet, each under its number there, in 8 hexadecimal digits.
pub fn blocks_tree(blocks: impl IntoIterator<Item = Oid>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, block) in blocks.into_iter().enumerate() {
        entry(&mut bytes, FILE, format!("{number:08x}").as_bytes(), &block);
    }
    bytes
}

/// The tree above those: each sheet's list of blocks under the sheet's id. Sheets are strictly ascending.
pub fn published_tree(lists: &[(Oid, Oid)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (sheet, list) in lists {
        entry(&mut bytes, DIR, sheet.to_hex().as_bytes(), list);
    }
    bytes
}

/// The sheets that a catalog's tree names; the fault is words.
pub fn parse_catalog_tree(bytes: &[u8], format: ObjectFormat) -> Result<Vec<Oid>, String> {
    let sheets = parse(bytes, FILE, format)?;
    match sheets.iter().find(|(name, id)| name != id) {
        None => Ok(sheets.into_iter().map(|(_, id)| id).collect()),
        Some((name, id)) => Err(format!("the sheet {id} stands under the name {name}")),
    }
}

/// Sheets and the trees of their blocks; the fault is words.
pub fn parse_published_tree(bytes: &[u8], format: ObjectFormat) -> Result<Vec<(Oid, Oid)>, String> {
    parse(bytes, DIR, format)
}

fn entry(bytes: &mut Vec<u8>, mode: &[u8], name: &[u8], id: &Oid) {
    for part in [mode, name, &[0], id.as_bytes()] {
        bytes.extend_from_slice(part);
    }
}

/// Entries of one mode whose names are ids of this format, strictly ascending and nothing else.
fn parse(mut rest: &[u8], mode: &[u8], format: ObjectFormat) -> Result<Vec<(Oid, Oid)>, String> {
    let mut entries: Vec<(Oid, Oid)> = Vec::new();
    while !rest.is_empty() {
        let number = entries.len() + 1;
        let (found, after) = take(rest, mode, format).ok_or_else(|| {
            let mode = String::from_utf8_lossy(mode);
            format!("entry {number}: expected mode {mode}and the id of a sheet as name")
        })?;
        if entries.last().is_some_and(|last| last.0 >= found.0) {
            return Err(format!("entry {number} is not in order"));
        }
        entries.push(found);
        rest = after;
    }
    Ok(entries)
}

fn take<'b>(bytes: &'b [u8], mode: &[u8], format: ObjectFormat) -> Option<((Oid, Oid), &'b [u8])> {
    let rest = bytes.strip_prefix(mode)?;
    let (name, rest) = rest.split_at_checked(2 * format.id_len())?;
    let name: Oid = std::str::from_utf8(name).ok()?.parse().ok()?;
    let (id, rest) = rest.strip_prefix(&[0])?.split_at_checked(format.id_len())?;
    Some(((name, Oid::from_bytes(id).ok()?), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA1: ObjectFormat = ObjectFormat::Sha1;

    fn id(byte: u8) -> Oid {
        Oid::from_bytes(&[byte; 20]).unwrap()
    }

    #[test]
    fn trees_are_read_as_they_are_written() {
        let sheets = [id(1), id(2)];
        let tree = catalog_tree(&sheets);
        assert_eq!(parse_catalog_tree(&tree, SHA1).unwrap(), sheets);
        let lists = [(id(1), id(9)), (id(2), id(9))];
        let tree = published_tree(&lists);
        assert_eq!(parse_published_tree(&tree, SHA1).unwrap(), lists);
        assert_eq!(parse_catalog_tree(b"", SHA1).unwrap(), []);
        assert!(blocks_tree([id(7)]).starts_with(b"100644 00000000\0\x07"));
    }

    #[test]
    fn trees_hold_ids_of_sheets_once_in_order_with_one_mode() {
        let tree = |mode: &str, name: &str, id: Oid| {
            let mut bytes = format!("{mode} {name}\0").into_bytes();
            bytes.extend_from_slice(id.as_bytes());
            bytes
        };
        let (one, two) = (id(1).to_hex(), id(2).to_hex());
        let good = |name: &str, byte| tree("100644", name, id(byte));
        let bad: &[Vec<u8>] = &[
            tree("100755", &one, id(1)),
            tree("120000", &one, id(1)),
            tree("160000", &one, id(1)),
            tree("40000", &one, id(1)),
            good("README", 1),
            good(&one[1..], 1),
            good(&id(0xab).to_hex().to_uppercase(), 0xab),
            good(&two, 1),
            [good(&two, 2), good(&one, 1)].concat(),
            [good(&one, 1), good(&one, 1)].concat(),
            good(&one, 1)[..30].to_vec(),
            good(&one, 1)[..60].to_vec(),
        ];
        for bytes in bad {
            let text = bytes.escape_ascii();
            assert!(parse_catalog_tree(bytes, SHA1).is_err(), "{text}");
        }
        assert!(parse_catalog_tree(&good(&one, 1), ObjectFormat::Sha256).is_err());
    }
}
