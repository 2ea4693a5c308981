use super::*;

fn read_in(bytes: &[u8], piece: usize) -> Result<Vec<Entry>, ManifestFault> {
    let (mut reader, mut entries) = (Reader::default(), Vec::new());
    for piece in bytes.chunks(piece) {
        reader.feed(piece, &mut |entry| -> Result<(), ManifestFault> {
            entries.push(entry);
            Ok(())
        })?;
    }
    let count = reader.finish()?;
    assert_eq!(count, entries.len() as u64);
    Ok(entries)
}

fn read(text: &str) -> Result<Vec<Entry>, ManifestFault> {
    let whole = read_in(text.as_bytes(), 1 << 20);
    assert_eq!(
        read_in(text.as_bytes(), 7),
        whole,
        "pieces make no difference"
    );
    whole
}

fn code_of(lines: &str) -> (Code, u64) {
    let fault = read(&format!("{HEADER}{lines}\n")).expect_err(lines);
    (fault.code, fault.line)
}

fn file(path: &str) -> String {
    let key = "ab".repeat(32);
    format!(r#"{{"artifact":"{key}","mode":"100644","path":"{path}","size":3}}"#)
}

#[test]
fn what_is_written_is_read_again() {
    let path = |text: &str| TreePath::new(text).unwrap();
    let file = |executable| What::File {
        key: ContentDigest([7; 32]),
        size: 1 << 36,
        executable,
    };
    let link = LinkTarget::new(&path("b/l"), "../a\"b").unwrap();
    let entries = [
        ("a\"b", file(false)),
        ("b/c", file(true)),
        ("b/l", What::Link(link)),
        ("\u{e9}/<\u{2028}\u{7fff}\u{10ffff}>", What::Directory),
    ];
    let entries = entries.map(|(at, what)| Entry {
        path: path(at),
        what,
    });
    let (mut writer, mut text) = (Writer::default(), HEADER.to_owned());
    for entry in &entries {
        text += &writer.line(entry).unwrap();
    }
    assert_eq!(read(&text).unwrap(), entries);
    for line in text.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(json::encode(&value), line, "RFC 8785");
    }
    assert_eq!(read(HEADER).unwrap(), []);
    let unsorted = writer.line(&entries[0]).unwrap_err();
    assert_eq!((unsorted.code, unsorted.line), (Code::ManifestMalformed, 6));
}

#[test]
fn one_spelling_only() {
    let good = file("a");
    let malformed = (Code::ManifestMalformed, 2);
    assert!(read(&format!("{HEADER}{good}\n")).is_ok());
    for bad in [
        "",
        "{}",
        "null",
        &good.replace("\"size\":3", "\"size\":3 "),
        &good.replace("\"size\":3", "\"size\":3.0"),
        &good.replace("\"size\":3", "\"size\":-1"),
        &good.replace("\"size\":3", "\"size\":68719476737"),
        &good.replace("\"size\":3", "\"size\":3,\"target\":null"),
        &good.replace("\"size\":3", "\"size\":3,\"target\":\"b\""),
        &good.replace(",\"size\":3", ""),
        &good.replace("ab", "AB"),
        &good.replace("100644", "100600"),
        &good.replace("100644", "160000"),
        &good.replace("\"a\"", "\"\\u0061\""),
        &good.replace('}', "}\r"),
        r#"{"mode":"120000","path":"a"}"#,
        r#"{"mode":"040000","path":"a","size":0}"#,
        r#"{"path":"a","mode":"040000"}"#,
    ] {
        assert_eq!(code_of(bad), malformed, "{bad}");
    }
    let long = format!("{good}{}", " ".repeat(limits::MANIFEST_LINE));
    assert_eq!(code_of(&long), malformed);
}

#[test]
fn the_first_line_and_the_last() {
    for bad in [
        "",
        "\n",
        "{\"folio\":\"manifest\",\"version\":2}\n",
        HEADER.trim_end(),
        &format!(" {HEADER}"),
        &format!("\u{feff}{HEADER}"),
    ] {
        assert_eq!(
            read(bad).unwrap_err().code,
            Code::ManifestMalformed,
            "{bad}"
        );
    }
    let torn = format!("{HEADER}{}", file("a"));
    assert_eq!(read(&torn).unwrap_err().line, 2);
    let not_text = [HEADER.as_bytes(), b"\xff\n"].concat();
    let fault = read_in(&not_text, 64).unwrap_err();
    assert_eq!((fault.code, fault.line), (Code::ManifestMalformed, 2));
}

#[test]
fn hostile_names_are_refused_by_code_and_line() {
    for path in [
        "..",
        "/a",
        "a/../b",
        ".git",
        ".GIT",
        "git~1",
        ".g\u{200c}it",
    ] {
        assert_eq!(code_of(&file(path)), (Code::PathUnsafe, 2), "{path}");
    }
    let link = r#"{"mode":"120000","path":"a","target":".."}"#;
    assert_eq!(code_of(link), (Code::PathUnsafe, 2));
    let two = |a: &str, b: &str| code_of(&format!("{}\n{}", file(a), file(b)));
    for (a, b) in [
        ("A", "a"),
        ("SS", "\u{df}"),
        ("e\u{301}", "\u{e9}"),
        ("a", "a/b"),
    ] {
        assert_eq!(two(a, b), (Code::PathCollision, 3), "{a} {b}");
    }
    for (a, b) in [("b", "a"), ("a", "a")] {
        assert_eq!(two(a, b), (Code::ManifestMalformed, 3), "{a} {b}");
    }
    // A link and what is written through it.
    let through = format!("{}\n{}", link.replace("..", "b"), file("a/x"));
    assert_eq!(code_of(&through), (Code::PathCollision, 3));
}

#[test]
fn too_many_bytes_are_refused_before_they_are_read() {
    assert_eq!(
        check_bytes(limits::MANIFEST_BYTES + 1).unwrap_err().code,
        Code::TooLarge
    );
    assert!(check_bytes(limits::MANIFEST_BYTES).is_ok());
}
