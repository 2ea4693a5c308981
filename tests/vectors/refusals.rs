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

/// What the family `pen` and the quorums of policy refuse without a state.
fn written_for_the_pen() -> Value {
    let policy = |scope: &str, approvals: &str, more: &str| {
        format!(
            "{{\"approvals\":[{approvals}],{more}\"scope\":\"{scope}\",\"self_approval\":false,\"tier\":\"witness\"}}\n"
        )
    };
    let delay = |scope: &str| {
        policy(
            scope,
            "",
            "\"lock_delay\":1,\"op\":\"policy.set\",\"prefix\":\"\",\"roles\":[],",
        )
    };
    let plain = "\"op\":\"policy.set\",\"prefix\":\"\",\"roles\":[],";
    let safe = |n: u64| format!("{plain}\"safe\":{n},");
    let hex = "0".repeat(64);
    let take = |epoch: &str, from: &str, more: &str| {
        format!(
            "{{\"after\":\"{hex}\",\"epoch\":{epoch},\"from\":\"{from}\",{more}\"key\":\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c\",\"member\":\"wim\",\"op\":\"pen.take\"}}\n"
        )
    };
    let beat = |lines: &str| format!("Here\n\nFolio: 1\nSpace: {hex}\n{lines}");
    let one = "{\"count\":1,\"role\":\"r\"}";
    let rows: Vec<(&str, &str, String, &str)> = vec![
        (
            "a delay for names",
            "decisions",
            delay("names"),
            "policy-unsafe",
        ),
        (
            "a delay for the family",
            "decisions",
            delay("pen"),
            "policy-unsafe",
        ),
        (
            "a row about releasing",
            "decisions",
            policy("pen.release", "", plain),
            "policy-unsafe",
        ),
        (
            "a safe quorum of nobody",
            "decisions",
            policy("pin", "", &safe(0)),
            "quorum-unsafe",
        ),
        (
            "65 liars",
            "decisions",
            policy("pin", one, &safe(65)),
            "quorum-unsafe",
        ),
        (
            "no safe quorum as null",
            "decisions",
            policy("pin", one, &format!("{plain}\"safe\":null,")),
            "json-not-canonical",
        ),
        (
            "a take of a pen that is lost",
            "decisions",
            take("2", "lost", ""),
            "json-malformed",
        ),
        (
            "an epoch in a fraction",
            "decisions",
            take("2.5", "held", ""),
            "json-malformed",
        ),
        (
            "an epoch as text",
            "decisions",
            take("\"2\"", "held", ""),
            "json-malformed",
        ),
        (
            "an instance that is no slug",
            "decisions",
            take("2", "held", "\"instance\":\"My Laptop\","),
            "handle-invalid",
        ),
        (
            "no instance as null",
            "decisions",
            take("2", "held", "\"instance\":null,"),
            "json-not-canonical",
        ),
        (
            "a heartbeat without a chain",
            "message",
            beat("Heartbeat: 1\nEpoch: 1\n"),
            "trailers-malformed",
        ),
        (
            "a heartbeat that is a page too",
            "message",
            beat(&format!(
                "Heartbeat: 1\nEpoch: 1\nProposal: {hex}\nChain: {hex}\n"
            )),
            "trailers-malformed",
        ),
        (
            "a heartbeat of 2^53",
            "message",
            beat(&format!(
                "Heartbeat: 9007199254740992\nEpoch: 1\nChain: {hex}\n"
            )),
            "trailers-malformed",
        ),
    ];
    let row = |(name, kind, input, code): (&str, &str, String, &str)| json!({"name": name, "kind": kind, "input": input, "code": code});
    rows.into_iter().map(row).collect()
}

#[test]
fn refusals_of_the_pen() {
    let found = golden("refusals-pen.json", written_for_the_pen);
    for vector in found.as_array().unwrap() {
        let text = |field: &str| vector[field].as_str().unwrap();
        let code = code_of(text("kind"), text("input")).map(Code::as_str);
        assert_eq!(code, Some(text("code")), "{}", text("name"));
    }
}

fn written_for_artifacts() -> Value {
    let key = "0".repeat(64);
    let publish = |media: &str, size: &str, source: &str| {
        format!(
            "{{\"artifact\":\"{key}\",\"media\":\"{media}\",\"op\":\"artifact.publish\",\"size\":{size}{source}}}\n"
        )
    };
    let of = |media: &str| publish(media, "1", "");
    let from = |number: &str| {
        let source = format!(",\"source\":{{\"domain\":\"{key}\",\"snapshot\":{number}}}");
        publish("text/plain", "1", &source)
    };
    let tombstone = |reason: &str| {
        format!(
            "{{\"artifact\":\"{key}\",\"op\":\"artifact.tombstone\",\"reason\":\"{reason}\"}}\n"
        )
    };
    let long = format!("a/{}", "b".repeat(126));
    let rows: Vec<(&str, String, &str)> = vec![
        ("no subtype", of("text"), "text-invalid"),
        ("an empty type", of("/plain"), "text-invalid"),
        ("upper case", of("Text/plain"), "text-invalid"),
        ("a parameter", of("text/plain;a=b"), "text-invalid"),
        ("a long media type", of(&long), "text-invalid"),
        (
            "a type left out",
            of("text/plain").replace("\"media\":\"text/plain\",", ""),
            "json-not-canonical",
        ),
        (
            "a size that is negative",
            publish("a/b", "-1", ""),
            "json-malformed",
        ),
        (
            "a size that is no integer",
            publish("a/b", "1.0", ""),
            "json-malformed",
        ),
        (
            "a byte too many",
            publish("a/b", "68719476737", ""),
            "too-large",
        ),
        (
            "no source",
            publish("a/b", "1", ",\"source\":null"),
            "json-not-canonical",
        ),
        ("a snapshot before the first", from("0"), "json-malformed"),
        ("a snapshot of 2^53", from("9007199254740992"), "too-large"),
        (
            "a short key",
            of("a/b").replace(&key, &key[1..]),
            "json-malformed",
        ),
        ("no reason", tombstone(""), "text-invalid"),
        ("a reason of two lines", tombstone("a\\nb"), "text-invalid"),
        (
            "a long reason",
            tombstone(&"a".repeat(4097)),
            "text-invalid",
        ),
    ];
    let row = |(name, input, code): &(&str, String, &str)| json!({"name": name, "kind": "decisions", "input": input, "code": code});
    Value::Array(rows.iter().map(row).collect())
}

#[test]
fn refusals_of_artifacts() {
    let found = golden("refusals-artifacts.json", written_for_artifacts);
    for vector in found.as_array().unwrap() {
        let text = |field: &str| vector[field].as_str().unwrap();
        let code = code_of(text("kind"), text("input")).map(Code::as_str);
        assert_eq!(code, Some(text("code")), "{}", text("name"));
    }
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
