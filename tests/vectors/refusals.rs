//! Inputs that every reader of format 1 refuses, each with its code.

use super::golden;
use folio::codec::commit::Commit;
use folio::codec::message::Message;
use folio::crypto::{Namespace, keyfile, seal, sshsig};
use folio::fold::decision;
use folio::model::{Code, ObjectFormat};
use serde_json::{Value, json};

fn code_of(kind: &str, input: &str) -> Option<Code> {
    match kind {
        "decisions" => decision::parse_all(input.as_bytes())
            .err()
            .map(|f| f.code)
            .or_else(|| {
                let all = decision::parse_all(input.as_bytes()).unwrap();
                all.iter()
                    .find_map(|d| d.validate().err())
                    .map(|stop| stop.code())
            }),
        "commit" => match Commit::parse(input.as_bytes(), ObjectFormat::Sha1) {
            Ok(commit) => seal::open(&commit).err().map(|fault| fault.code),
            Err(fault) => Some(fault.code),
        },
        "message" => Message::parse(input).err().map(|fault| fault.code),
        "signature" => sshsig::dearmor(Namespace::Git, input)
            .err()
            .map(|fault| fault.code),
        "key" => keyfile::parse_public(input).err().map(|fault| fault.code),
        other => panic!("no reader for {other}"),
    }
}

const ZERO: &str = "0000000000000000000000000000000000000000";

fn written_once() -> Value {
    let tree = format!("tree {ZERO}\n");
    let who = "A <a@example.org> 1 +0000\n";
    let (author, committer) = (format!("author {who}"), format!("committer {who}"));
    let commit = |head: &str, message: &str| format!("{head}\n{message}");
    let good = format!("{tree}{author}{committer}");
    let hex = "0".repeat(64);
    let block = |lines: &str| format!("Words\n\nFolio: 1\nSpace: {hex}\n{lines}");
    let alias =
        |text: &str| format!("{{\"alias\":\"{text}\",\"op\":\"alias.set\",\"target\":\"b\"}}\n");
    let rows: Vec<(&str, &str, String, &str)> = vec![
        ("no decision", "decisions", String::new(), "empty"),
        (
            "no line feed",
            "decisions",
            alias("a").trim_end().into(),
            "json-not-canonical",
        ),
        (
            "an empty line",
            "decisions",
            alias("a") + "\n",
            "json-not-canonical",
        ),
        (
            "a byte order mark",
            "decisions",
            format!("\u{feff}{}", alias("a")),
            "json-malformed",
        ),
        (
            "trailing data",
            "decisions",
            alias("a").replace('\n', " {}\n"),
            "json-malformed",
        ),
        (
            "a carriage return",
            "decisions",
            alias("a").replace('\n', "\r\n"),
            "json-not-canonical",
        ),
        (
            "unsorted keys",
            "decisions",
            "{\"op\":\"pin\",\"name\":\"a\"}\n".into(),
            "json-not-canonical",
        ),
        (
            "a space",
            "decisions",
            "{\"name\": \"a\",\"op\":\"pin\"}\n".into(),
            "json-not-canonical",
        ),
        (
            "a duplicate key",
            "decisions",
            "{\"name\":\"a\",\"name\":\"b\",\"op\":\"pin\"}\n".into(),
            "json-malformed",
        ),
        (
            "a duplicate op",
            "decisions",
            "{\"name\":\"a\",\"op\":\"pin\",\"op\":\"unpin\"}\n".into(),
            "json-malformed",
        ),
        (
            "an unknown field",
            "decisions",
            "{\"name\":\"a\",\"op\":\"pin\",\"x\":1}\n".into(),
            "json-malformed",
        ),
        (
            "an unknown operation",
            "decisions",
            "{\"op\":\"alias.fly\"}\n".into(),
            "operation-unknown",
        ),
        (
            "an escape that is not needed",
            "decisions",
            alias("\\u0061"),
            "json-not-canonical",
        ),
        (
            "a lone surrogate",
            "decisions",
            alias("\\ud800"),
            "json-malformed",
        ),
        (
            "a null for nothing",
            "decisions",
            "{\"name\":\"a\",\"op\":\"unpin\",\"was\":null}\n".into(),
            "json-not-canonical",
        ),
        (
            "an upper-case digest",
            "decisions",
            format!(
                "{{\"name\":\"a\",\"op\":\"unpin\",\"was\":\"{}\"}}\n",
                "A".repeat(64)
            ),
            "json-malformed",
        ),
        ("a list", "decisions", "[]\n".into(), "json-malformed"),
        ("an empty name", "decisions", alias(""), "name-invalid"),
        (
            "a name that is not NFC",
            "decisions",
            alias("e\u{301}"),
            "name-invalid",
        ),
        (
            "a bidi control",
            "decisions",
            alias("a\u{202e}b"),
            "name-invalid",
        ),
        (
            "a zero-width joiner",
            "decisions",
            alias("a\u{200d}b"),
            "name-invalid",
        ),
        (
            "an escape character",
            "decisions",
            alias("a\\u001bb"),
            "name-invalid",
        ),
        (
            "an unassigned code point",
            "decisions",
            alias("a\u{378}"),
            "name-invalid",
        ),
        (
            "a name of 513 bytes",
            "decisions",
            alias(&"a".repeat(513)),
            "name-invalid",
        ),
        (
            "an alias of itself",
            "decisions",
            alias("b"),
            "self-reference",
        ),
        (
            "a line of 16 KiB and more",
            "decisions",
            alias(&"a".repeat(16 * 1024)),
            "too-large",
        ),
        (
            "a handle in upper case",
            "decisions",
            "{\"handle\":\"Bob\",\"op\":\"member.remove\"}\n".into(),
            "handle-invalid",
        ),
        (
            "a commit without signature",
            "commit",
            commit(&good, "x\n"),
            "signature-missing",
        ),
        (
            "no tree",
            "commit",
            commit(&format!("{author}{committer}"), "x\n"),
            "commit-grammar",
        ),
        (
            "two committers",
            "commit",
            commit(&format!("{good}{committer}"), "x\n"),
            "commit-grammar",
        ),
        (
            "committer before author",
            "commit",
            commit(&format!("{tree}{committer}{author}"), "x\n"),
            "commit-grammar",
        ),
        (
            "one parent twice",
            "commit",
            commit(
                &format!(
                    "{tree}{}{author}{committer}",
                    format!("parent {ZERO}\n").repeat(2)
                ),
                "x\n",
            ),
            "commit-grammar",
        ),
        (
            "an encoding",
            "commit",
            commit(&format!("{good}encoding UTF-8\n"), "x\n"),
            "commit-grammar",
        ),
        (
            "the other format's signature",
            "commit",
            commit(&format!("{good}gpgsig-sha256 x\n"), "x\n"),
            "commit-grammar",
        ),
        (
            "a sha256 id",
            "commit",
            commit(&good.replace(ZERO, &hex), "x\n"),
            "commit-grammar",
        ),
        (
            "no line feed at the end",
            "commit",
            commit(&good, "x"),
            "commit-grammar",
        ),
        (
            "a NUL in the message",
            "commit",
            commit(&good, "x\0\n"),
            "commit-grammar",
        ),
        (
            "a zone of 25 hours",
            "commit",
            commit(&good.replace("+0000", "+2500"), "x\n"),
            "commit-grammar",
        ),
        (
            "a date past 2^33",
            "commit",
            commit(&good.replace("> 1 ", "> 8589934592 "), "x\n"),
            "commit-grammar",
        ),
        (
            "a signature that is none",
            "commit",
            commit(&format!("{good}gpgsig x\n"), "x\n"),
            "signature-malformed",
        ),
        (
            "half a block",
            "message",
            block("Base: 1\n"),
            "trailers-malformed",
        ),
        (
            "a leading zero",
            "message",
            block(&format!("Base: 01\nProposal: {hex}\n")),
            "trailers-malformed",
        ),
        (
            "a foreign trailer",
            "message",
            block(&format!("Base: 1\nProposal: {hex}\nX: y\n")),
            "trailers-malformed",
        ),
        (
            "another version",
            "message",
            block(&format!("Base: 1\nProposal: {hex}\n")).replace("Folio: 1", "Folio: 2"),
            "trailers-malformed",
        ),
        (
            "trailers in lower case",
            "message",
            block(&format!("Base: 1\nProposal: {hex}\n")).replace("Folio: 1", "folio: 1"),
            "trailers-malformed",
        ),
        (
            "a number of 2^53",
            "message",
            block(&format!("Base: 9007199254740992\nProposal: {hex}\n")),
            "trailers-malformed",
        ),
        (
            "no words",
            "message",
            format!("Folio: 1\nSpace: {hex}\n"),
            "trailers-malformed",
        ),
        (
            "an empty signature",
            "signature",
            String::new(),
            "signature-malformed",
        ),
        (
            "a PGP signature",
            "signature",
            "-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----".into(),
            "signature-malformed",
        ),
        (
            "a small-order key",
            "key",
            format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAE{}", "A".repeat(41)),
            "key-weak",
        ),
        (
            "an RSA key",
            "key",
            "ssh-rsa AAAA".into(),
            "key-unsupported",
        ),
        ("no key", "key", "hello".into(), "key-malformed"),
    ];
    let row = |(name, kind, input, code): (&str, &str, String, &str)| json!({"name": name, "kind": kind, "input": input, "code": code});
    rows.into_iter().map(row).collect()
}

#[test]
fn refusals() {
    let found = golden("refusals.json", written_once);
    let all = found.as_array().unwrap();
    assert!(all.len() >= 25);
    for vector in all {
        let text = |field: &str| vector[field].as_str().unwrap();
        let code = code_of(text("kind"), text("input")).map(Code::as_str);
        assert_eq!(code, Some(text("code")), "{}", text("name"));
    }
}
