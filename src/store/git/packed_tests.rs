use super::*;
use proptest::prelude::*;

/// Names of which one begins as another one does, or has all of it somewhere in it, the last one as git allows it.
const NAMES: [&str; 7] = [
    "refs/heads/a",
    "refs/heads/a/b",
    "refs/heads/ab",
    "refs/heads/b",
    "refs/tags/a",
    "refs/tags/refs/heads/a",
    "refs/tags/\u{e4}",
];

/// A file as git writes it, or nearly so: a name may come twice, lines may be empty, broken or end as elsewhere.
fn file() -> impl Strategy<Value = Vec<u8>> {
    let id = |n: u8| format!("{n:02x}").repeat(20);
    let line = (0..14usize, 0..NAMES.len(), any::<u8>()).prop_map(move |(kind, name, n)| {
        let (id, name) = (id(n), NAMES[name]);
        match kind {
            0 => HEADER.to_vec(),
            1 => b"\n".to_vec(),
            2 => format!("{name}\n").into_bytes(),
            3 => format!("{id} {name}\r\n").into_bytes(),
            4 => format!("{id} x {name}\n").into_bytes(),
            5 => [id.as_bytes(), b" refs/heads/a\xff\n"].concat(),
            6 | 7 => format!("^{id}\n").into_bytes(),
            _ => format!("{id} {name}\n").into_bytes(),
        }
    });
    let lines = prop::collection::vec(line, 0..30);
    (lines, any::<bool>()).prop_map(|(lines, whole)| {
        let mut bytes = lines.concat();
        if !whole {
            bytes.pop();
        }
        bytes
    })
}

/// As [`Packed::without`], one line after the other.
fn slowly_without(bytes: &[u8], names: &BTreeSet<&str>) -> Vec<u8> {
    let mut goes = false;
    let stay = bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| {
        if !line.starts_with(b"^") {
            let found = parse_line(line.strip_suffix(b"\n").unwrap_or(line));
            goes = found.is_some_and(|(name, _)| names.contains(name));
        }
        !goes
    });
    stay.flatten().copied().collect()
}

proptest! {
    #[test]
    fn what_is_looked_for_is_what_a_look_at_each_line_finds(bytes in file(), at in 0..NAMES.len(), cut in 5usize..14) {
        let packed = Packed { bytes };
        let all: Vec<(&str, Oid)> = packed.refs().collect();
        let name = NAMES[at];
        let first = all.iter().find(|(found, _)| *found == name).map(|(_, id)| *id);
        prop_assert_eq!(packed.find(name), first);
        let prefix = name.get(..cut).unwrap_or(name);
        let below: Vec<_> = all.into_iter().filter(|(found, _)| found.starts_with(prefix)).collect();
        prop_assert_eq!(packed.below(prefix).collect::<Vec<_>>(), below);
    }

    #[test]
    fn a_few_go_as_many_do(bytes in file(), chosen in prop::collection::vec(0..NAMES.len(), 0..5)) {
        let packed = Packed { bytes };
        let mut names: BTreeSet<&str> = chosen.into_iter().map(|at| NAMES[at]).collect();
        let expected = slowly_without(&packed.bytes, &names);
        prop_assert_eq!(packed.without(&names), expected.clone());
        let more: Vec<String> = (0..=FEW).map(|n| format!("refs/heads/more/{n}")).collect();
        names.extend(more.iter().map(String::as_str));
        prop_assert_eq!(packed.without(&names), expected);
    }
}
