//! Reviews from the command line: who may, what counts, what is shown, and what becomes of them.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/tools.rs"]
mod tools;

#[path = "common/cli.rs"]
mod cli;

use cli::{Fixture, Ran, finish, pair};
use folio::crypto::Sign as _;
use serde_json::Value;

/// Two reviewers must approve aliases below `geo/`; wanda is one of them, and carol and dave.
const GUARDED: &str = r#"{"op":"policy.set","approvals":[{"count":2,"role":"reviewer"}],"prefix":"geo/","roles":["member"],"scope":"alias.set","self_approval":false,"tier":"quorum"}"#;

fn set(alias: &str, target: &str) -> String {
    format!("{{\"op\":\"alias.set\",\"alias\":\"{alias}\",\"target\":\"{target}\"}}\n")
}

fn member(name: &str, roles: &str) -> String {
    let key = pair(name).public_key();
    format!(
        "{{\"op\":\"member.add\",\"email\":\"{name}@example.org\",\"handle\":\"{name}\",\"key\":\"{key}\",\"name\":\"{name}\",\"roles\":[{roles}]}}\n"
    )
}

/// A space with carol, dave and erin as reviewers; erin is a member too. common@2.
fn guarded() -> Fixture {
    let fixture = Fixture::bare();
    for name in ["carol", "dave", "erin"] {
        fixture.write(&format!("{name}.key"), &pair(name).to_openssh(name));
    }
    let lines = format!(
        "{}{}{}{GUARDED}\n",
        member("carol", "\"reviewer\""),
        member("dave", "\"reviewer\""),
        member("erin", "\"member\",\"reviewer\""),
    );
    fixture.propose("alice", "reviewers", &lines);
    fixture.accept_all();
    fixture
}

/// The answer of `folio review`.
fn review(fixture: &Fixture, id: &str) -> Value {
    fixture.run("bob", &["--json", "review", id]).json()
}

/// Each review of a proposal: who, verdict, worth.
fn marks(fixture: &Fixture, id: &str) -> Vec<(String, String, String)> {
    let shown = review(fixture, id);
    let mut marks: Vec<_> = shown["reviews"]
        .as_array()
        .unwrap()
        .iter()
        .map(|review| {
            let text = |name: &str| review[name].as_str().unwrap_or_default().to_owned();
            (text("reviewer"), text("verdict"), text("worth"))
        })
        .collect();
    marks.sort();
    marks
}

fn mark(who: &str, verdict: &str, worth: &str) -> (String, String, String) {
    (who.into(), verdict.into(), worth.into())
}

fn missing(fixture: &Fixture, id: &str) -> u64 {
    review(fixture, id)["needs"][0]["missing"].as_u64().unwrap()
}

fn refs(fixture: &Fixture) -> String {
    fixture.git(&["for-each-ref", "--format=%(refname)", "refs/heads/reviews"])
}

#[test]
fn two_approvals_become_parents_and_their_branches_go() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let fixture = guarded();
    fixture.propose("bob", "kyiv", &set("geo/Kiev", "Kyiv"));
    let proposal = fixture.git(&["rev-parse", "proposals/bob/kyiv"]);
    let first = fixture.run("carol", &["approve", "bob/kyiv", "-m", "As in the list."]);
    assert!(
        first
            .err
            .contains("1 of 2 approvals by role reviewer (carol)"),
        "{}",
        first.err
    );
    assert!(first.err.contains("waits"), "{}", first.err);
    let queue = fixture.run("bob", &["queue"]).ok();
    assert!(queue.contains("refused  bob/kyiv"), "{queue}");
    assert!(
        queue.contains("1 of 2 approvals by role reviewer (carol)"),
        "{queue}"
    );
    assert_eq!(missing(&fixture, "bob/kyiv"), 1);

    let second = fixture.run("dave", &["approve", "bob/kyiv"]);
    assert!(
        second.err.contains("folio accept bob/kyiv"),
        "{}",
        second.err
    );
    assert_eq!(review(&fixture, "bob/kyiv")["standing"], "ready");
    let branches = refs(&fixture);
    let reviews: Vec<&str> = branches.lines().collect();
    assert_eq!(reviews.len(), 2, "{branches}");
    let mut commits = Vec::new();
    for name in &reviews {
        // Plain git calls them good, and finds one commit on top of the proposal with its tree.
        fixture.git(&["verify-commit", name]);
        let commit = fixture.git(&["log", "-1", "--format=%H %P %T", name]);
        let (id, rest) = commit.trim().split_once(' ').unwrap();
        let tree = fixture.git(&["log", "-1", "--format=%T", "proposals/bob/kyiv"]);
        assert_eq!(rest, format!("{} {}", proposal.trim(), tree.trim()));
        commits.push(id.to_owned());
    }
    let text = fixture.git(&["log", "-1", "--format=%B", reviews[0]]);
    assert!(
        text.starts_with("Approved\n\nAs in the list.\n\nFolio: 1\n"),
        "{text}"
    );

    assert!(fixture.accept_all().contains("common@3 bob/kyiv"));
    let parents = fixture.git(&["log", "-1", "--format=%P", "main"]);
    let parents: Vec<&str> = parents.split_whitespace().collect();
    assert_eq!(parents.len(), 4);
    assert_eq!(parents[1], proposal.trim());
    let mut found = parents[2..].to_vec();
    found.sort_unstable();
    commits.sort();
    assert_eq!(found, commits);
    let chain = fixture.git(&["log", "--first-parent", "--format=%s", "main"]);
    assert_eq!(
        chain.lines().count(),
        4,
        "three pages and the charter: {chain}"
    );
    assert_eq!(
        refs(&fixture),
        "",
        "what is contained in main needs no branch"
    );
    fixture.run("bob", &["verify"]).ok();
    fixture.run("bob", &["replay"]).ok();
}

#[test]
fn saying_the_same_again_changes_nothing() {
    let fixture = guarded();
    fixture.propose("bob", "kyiv", &set("geo/Kiev", "Kyiv"));
    let once = fixture
        .run("carol", &["--json", "approve", "bob/kyiv"])
        .json();
    assert_eq!(once["reviews"][0]["already"], false);
    let mut later = fixture.command(&fixture.space, Some("carol"));
    later.env("GIT_COMMITTER_DATE", "1767999999 +0000");
    let again = finish(later.args(["--json", "approve", "bob/kyiv"]), b"").json();
    assert_eq!(again["reviews"][0]["already"], true);
    assert_eq!(once["reviews"][0]["commit"], again["reviews"][0]["commit"]);
    // Other words are another review, in place of the first.
    let other = fixture.run(
        "carol",
        &["--json", "approve", "bob/kyiv", "-m", "Now I looked."],
    );
    assert_ne!(
        other.json()["reviews"][0]["commit"],
        once["reviews"][0]["commit"]
    );
    assert_eq!(refs(&fixture).lines().count(), 1);
    assert_eq!(
        marks(&fixture, "bob/kyiv"),
        [mark("carol", "approve", "counts")]
    );
}

#[test]
fn a_rejection_takes_back_ones_own_approval_and_nobody_elses() {
    let fixture = guarded();
    fixture.propose("bob", "kyiv", &set("geo/Kiev", "Kyiv"));
    for who in ["carol", "dave", "erin"] {
        fixture.run(who, &["approve", "bob/kyiv"]).ok();
    }
    let said = fixture.run(
        "dave",
        &["reject", "bob/kyiv", "-m", "It is in use.\n\nSee the list."],
    );
    assert!(
        said.err.contains("can number it"),
        "carol and erin suffice: {}",
        said.err
    );
    let queue = fixture.run("bob", &["queue"]).ok();
    assert!(queue.contains("rejected by dave: It is in use."), "{queue}");
    assert_eq!(
        marks(&fixture, "bob/kyiv"),
        [
            mark("carol", "approve", "counts"),
            mark("dave", "reject", "rejects"),
            mark("erin", "approve", "counts"),
        ]
    );
    fixture
        .run("erin", &["reject", "bob/kyiv", "-m", "Nor I."])
        .ok();
    let refused = fixture.run("wanda", &["accept", "bob/kyiv"]);
    refused.refused("approvals-missing", 3);
    // The signed reason of the witness stands beside, and is no opinion.
    let entry = &fixture.run("bob", &["--json", "queue"]).json()["proposals"][0];
    assert_eq!(entry["rejections"].as_array().unwrap().len(), 2, "{entry}");
    assert_eq!(entry["refusals"][0]["code"], "approvals-missing");
    fixture.run("erin", &["approve", "bob/kyiv"]).ok();
    assert!(fixture.accept_all().contains("common@3 bob/kyiv"));
    assert_eq!(refs(&fixture), "", "the rejection goes with its proposal");
}

#[test]
fn who_cannot_count_is_told_and_changes_nothing() {
    let fixture = guarded();
    fixture.propose("bob", "kyiv", &set("geo/Kiev", "Kyiv"));
    fixture.propose("erin", "lviv", &set("geo/Lvov", "Lviv"));
    let refused = |ran: Ran, code: &str, exit: i32| ran.refused(code, exit);
    refused(
        fixture.run("eve", &["approve", "bob/kyiv"]),
        "not-a-member",
        3,
    );
    refused(
        fixture.run("carol", &["approve", "bob/none"]),
        "not-found",
        1,
    );
    refused(
        fixture.run("carol", &["reject", "bob/kyiv", "-m", " "]),
        "bad-request",
        2,
    );
    refused(
        fixture.run("erin", &["approve", "erin/lviv"]),
        "not-allowed",
        3,
    );
    refused(
        fixture.run("erin", &["reject", "erin/lviv", "-m", "x"]),
        "not-allowed",
        3,
    );
    // One that cannot be approved, and none is.
    let both = fixture.run("erin", &["approve", "bob/kyiv", "erin/lviv"]);
    refused(both, "not-allowed", 3);
    let many = [
        "approve",
        "bob/kyiv",
        "erin/lviv",
        "--expect",
        "000000000000",
    ];
    refused(fixture.run("carol", &many), "bad-request", 2);
    assert_eq!(refs(&fixture), "");
    // Several at once.
    fixture
        .run("carol", &["approve", "bob/kyiv", "erin/lviv", "bob/kyiv"])
        .ok();
    assert_eq!(refs(&fixture).lines().count(), 2);
    // Without the role: it is kept, and said that it does not count.
    let alice = fixture.run("alice", &["approve", "bob/kyiv"]);
    assert!(
        alice.err.contains("holds none of the roles"),
        "{}",
        alice.err
    );
    let digest = review(&fixture, "bob/kyiv")["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    fixture.run("dave", &["approve", "bob/kyiv"]).ok();
    fixture.accept_all();
    fixture
        .run("dave", &["approve", "bob/kyiv"])
        .refused("not-found", 1);
    let late = fixture.run("dave", &["approve", &digest[..12]]);
    assert_eq!(late.code, 2);
    assert!(
        late.err.contains("numbered already as common@3"),
        "{}",
        late.err
    );
}

#[test]
fn a_review_of_an_older_version_counts_for_that_one_only() {
    let fixture = guarded();
    fixture.propose("bob", "kyiv", &set("geo/Kiev", "Kyiv"));
    let old = review(&fixture, "bob/kyiv")["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    for who in ["carol", "dave"] {
        fixture
            .run(who, &["approve", "bob/kyiv", "--expect", &old[..12]])
            .ok();
    }
    assert_eq!(missing(&fixture, "bob/kyiv"), 0);
    // Bob makes it again with another target, under the same name.
    let args = [
        "propose",
        "-m",
        "kyiv",
        "--slug",
        "kyiv",
        "--replace",
        "-f",
        "-",
    ];
    fixture
        .run_with("bob", &args, &set("geo/Kiev", "Moscow"))
        .ok();
    assert_eq!(missing(&fixture, "bob/kyiv"), 2);
    fixture
        .run("wanda", &["accept", "bob/kyiv"])
        .refused("approvals-missing", 3);
    let words = fixture
        .run("erin", &["approve", "bob/kyiv", "--expect", &old])
        .refused("proposal-replaced", 3);
    assert!(words.contains("folio review bob/kyiv"), "{words}");
    // Whoever copies the old review to the new one's branch name gains nothing: it is bound to the old digest.
    let new = review(&fixture, "bob/kyiv")["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    for who in ["carol", "dave"] {
        let from = format!("refs/heads/reviews/{who}/{}", &old[..12]);
        let to = format!("refs/heads/reviews/{who}/{}", &new[..12]);
        fixture.git(&["update-ref", &to, &from]);
    }
    assert_eq!(missing(&fixture, "bob/kyiv"), 2);
    // The old ones are kept, and said to wait.
    let list = fixture.run("bob", &["--json", "review", "--list"]).json();
    let waiting = list["kept"].as_array().unwrap().iter();
    let waiting = waiting.filter(|kept| kept["standing"] == "waiting");
    assert_eq!(waiting.count(), 4, "{list}");
    let status = fixture.run("bob", &["--json", "status"]).json();
    assert_eq!(status["reviews_waiting"], 4);
}

#[test]
fn two_reviews_by_one_key_count_once() {
    let fixture = guarded();
    fixture.propose("bob", "kyiv", &set("geo/Kiev", "Kyiv"));
    let first = fixture
        .run("carol", &["--json", "approve", "bob/kyiv"])
        .json();
    let commit = first["reviews"][0]["commit"].as_str().unwrap().to_owned();
    let digest = first["reviews"][0]["digest"].as_str().unwrap();
    fixture
        .run("carol", &["approve", "bob/kyiv", "-m", "Again."])
        .ok();
    let other = format!("refs/heads/reviews/carol-2/{}", &digest[..12]);
    fixture.git(&["update-ref", &other, &commit]);
    let worth: Vec<String> = marks(&fixture, "bob/kyiv")
        .into_iter()
        .map(|m| m.2)
        .collect();
    assert_eq!(worth, ["again", "counts"]);
    assert_eq!(missing(&fixture, "bob/kyiv"), 1);
    fixture
        .run("wanda", &["accept", "bob/kyiv"])
        .refused("approvals-missing", 3);
    // One key under two names does not even exist.
    let twin = member("carol", "\"reviewer\"").replace("carol\",\"key", "twin\",\"key");
    let twin = twin.replace("carol@", "twin@");
    fixture
        .run_with("alice", &["propose", "-m", "x", "-f", "-"], &twin)
        .refused("key-taken", 3);
    // With dave's, one of carol's two is a parent, and not both.
    fixture.run("dave", &["approve", "bob/kyiv"]).ok();
    fixture.accept_all();
    let parents = fixture.git(&["log", "-1", "--format=%P", "main"]);
    assert_eq!(parents.split_whitespace().count(), 4);
    assert_eq!(refs(&fixture), "");
    fixture.run("bob", &["verify"]).ok();
}

#[test]
fn members_who_left_and_rotated_keys_count_no_more() {
    let fixture = guarded();
    fixture.propose("bob", "kyiv", &set("geo/Kiev", "Kyiv"));
    for who in ["carol", "dave"] {
        fixture.run(who, &["approve", "bob/kyiv"]).ok();
    }
    let key = pair("dave-2").public_key();
    fixture.write("dave-2.key", &pair("dave-2").to_openssh("dave-2"));
    fixture.propose(
        "alice",
        "carol-leaves",
        "{\"op\":\"member.remove\",\"handle\":\"carol\"}",
    );
    let rotate = format!("{{\"op\":\"member.rotate\",\"handle\":\"dave\",\"key\":\"{key}\"}}");
    fixture.propose("dave", "rotate", &rotate);
    fixture
        .run("wanda", &["accept", "alice/carol-leaves", "dave/rotate"])
        .ok();
    assert_eq!(
        marks(&fixture, "bob/kyiv"),
        [
            mark("carol", "approve", "key-retired"),
            mark("dave", "approve", "key-retired"),
        ]
    );
    assert_eq!(missing(&fixture, "bob/kyiv"), 2);
    fixture
        .run("carol", &["approve", "bob/kyiv"])
        .refused("key-retired", 3);
    fixture
        .run("dave", &["approve", "bob/kyiv"])
        .refused("key-retired", 3);
    fixture.run("dave-2", &["approve", "bob/kyiv"]).ok();
    fixture.run("erin", &["approve", "bob/kyiv"]).ok();
    assert!(fixture.accept_all().contains("bob/kyiv"));
    fixture.run("bob", &["verify"]).ok();
}

#[test]
fn the_witness_who_approved_keeps_the_approval() {
    let fixture = guarded();
    let lines = r#"{"op":"policy.set","approvals":[{"count":1,"role":"reviewer"},{"count":1,"role":"witness"}],"prefix":"geo/","roles":["member"],"scope":"alias.set","self_approval":false,"tier":"quorum"}"#;
    fixture.propose("alice", "policy", lines);
    fixture.accept_all();
    fixture.propose("bob", "kyiv", &set("geo/Kiev", "Kyiv"));
    fixture
        .run("wanda", &["approve", "bob/kyiv", "-m", "Fine by me."])
        .ok();
    // It is refused for want of carol's; the reason must not take the place of wanda's approval.
    let report = fixture.run("wanda", &["--json", "accept", "--all"]).json();
    assert_eq!(report["refused"][0]["code"], "approvals-missing");
    assert_eq!(report["refused"][0]["signed"], false);
    fixture.run("carol", &["approve", "bob/kyiv"]).ok();
    assert!(fixture.accept_all().contains("bob/kyiv"));
}

#[test]
fn to_reject_with_the_pen_is_to_refuse() {
    let fixture = Fixture::bare();
    fixture.propose("bob", "one", &set("a", "x"));
    fixture.propose("bob", "two", &set("b", "y"));
    let said = fixture.run("wanda", &["reject", "bob/one", "-m", "No."]);
    assert!(said.err.contains("as with `folio refuse`"), "{}", said.err);
    fixture
        .run("wanda", &["refuse", "bob/two", "-m", "No."])
        .ok();
    let queue = fixture.run("bob", &["--json", "queue"]).json();
    for entry in queue["proposals"].as_array().unwrap() {
        assert_eq!(entry["code"], "rejected");
        assert_eq!(entry["refusals"][0]["words"], "No.");
        assert_eq!(entry["rejections"].as_array().unwrap().len(), 0);
    }
    // Somebody else's rejection is shown and stops nothing.
    fixture.propose("bob", "three", &set("c", "z"));
    fixture
        .run("alice", &["reject", "bob/three", "-m", "I would not."])
        .ok();
    let numbered = fixture.accept_all();
    assert!(
        numbered.contains("bob/three") && !numbered.contains("bob/one"),
        "{numbered}"
    );
}

#[test]
fn a_review_shows_what_would_change_and_what_cannot_stand_beside_it() {
    let fixture = guarded();
    fixture.propose("bob", "kyiv", &set("geo/Kiev", "Kyiv"));
    fixture.propose("erin", "kiev", &set("geo/Kiev", "Kiev-City"));
    fixture.propose("erin", "other", &set("geo/Lvov", "Lviv"));
    fixture.propose(
        "alice",
        "gone",
        "{\"op\":\"member.remove\",\"handle\":\"bob\"}",
    );
    let shown = review(&fixture, "bob/kyiv");
    assert_eq!(
        (&shown["standing"], &shown["code"]),
        (&"refused".into(), &"approvals-missing".into())
    );
    assert_eq!(
        shown["rows"].as_array().unwrap().len(),
        2,
        "what it does once it is approved"
    );
    assert_eq!(shown["author"]["roles"][0], "member");
    let conflicts = shown["conflicts"].as_array().unwrap();
    let names: Vec<&str> = conflicts
        .iter()
        .map(|c| c["proposal"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["alice/gone", "erin/kiev"]);
    assert_eq!(conflicts[0]["then"], Value::Null, "alice's does not mind");
    assert_eq!(conflicts[0]["otherwise"]["code"], "key-retired");
    assert_eq!(conflicts[1]["then"]["code"], "stale");
    assert_eq!(conflicts[1]["otherwise"]["code"], "stale");
    let words = fixture.run("carol", &["review", "bob/kyiv"]).ok();
    assert!(words.contains("erin/kiev becomes stale: "), "{words}");
    assert!(
        words.contains("after alice/gone this becomes refused (key-retired): "),
        "{words}"
    );
    assert!(
        words.contains("+ aliases {\"alias\":\"geo/Kiev\",\"target\":\"Kyiv\"}"),
        "{words}"
    );
    assert!(
        words.contains("0 of 2 approvals by role reviewer"),
        "{words}"
    );
    // Looking writes nothing.
    let loose = fixture.git(&["count-objects"]);
    review(&fixture, "bob/kyiv");
    assert_eq!(loose, fixture.git(&["count-objects"]));
    // What is stale today says so.
    fixture.propose("alice", "first", &set("plain", "x"));
    fixture.propose("bob", "second", &set("plain", "y"));
    fixture.run("wanda", &["accept", "alice/first"]).ok();
    assert_eq!(review(&fixture, "bob/second")["standing"], "stale");
}

#[test]
fn names_that_look_like_others_are_pointed_out() {
    let fixture = Fixture::bare();
    fixture.propose("bob", "kyiv", &set("Europe/Kiev", "Europe/Kyiv"));
    fixture.accept_all();
    // The first letter of the city is Cyrillic; that of the second name Greek.
    let lines = format!(
        "{}{}{}",
        set("Europe/\u{41a}yiv", "Europe/Kyiv"),
        set("modern", "x"),
        set("modem", "x")
    );
    fixture.propose("bob", "twins", &lines);
    let found = &review(&fixture, "bob/twins")["lookalikes"];
    assert_eq!(found["bounded"], false);
    assert_eq!(found["mixed"].as_array().unwrap().len(), 1, "{found}");
    let pairs = found["pairs"].as_array().unwrap();
    assert_eq!(pairs.len(), 2, "{found}");
    assert_eq!(
        (&pairs[0]["like"], &pairs[0]["in"]),
        (&"Europe/Kyiv".into(), &"state".into())
    );
    assert_eq!(
        (&pairs[1]["name"], &pairs[1]["in"]),
        (&"modern".into(), &"proposal".into())
    );
    let words = fixture.run("bob", &["review", "bob/twins"]).ok();
    assert!(
        words.contains("(U+041A) looks like `Europe/Kyiv`, which exists"),
        "{words}"
    );
    assert!(words.contains("mixes scripts"), "{words}");
    // A warning and never a rule.
    assert!(fixture.accept_all().contains("common@3 bob/twins"));
    fixture.propose("bob", "plain", &set("Asia/Tokyo", "東京タワー"));
    let plain = &review(&fixture, "bob/plain")["lookalikes"];
    assert_eq!(plain["pairs"].as_array().unwrap().len(), 0, "{plain}");
    assert_eq!(plain["mixed"].as_array().unwrap().len(), 0, "{plain}");
    let alice = pair("alice-2").public_key();
    let twin = format!(
        "{{\"op\":\"member.add\",\"email\":\"x@example.org\",\"handle\":\"a1ice\",\"key\":\"{alice}\",\"name\":\"X\",\"roles\":[]}}"
    );
    fixture.propose("alice", "twin", &twin);
    let pair = &review(&fixture, "alice/twin")["lookalikes"]["pairs"][0];
    assert_eq!(
        (&pair["name"], &pair["like"]),
        (&"a1ice".into(), &"alice".into())
    );
}

#[test]
fn reviews_that_come_late_go_with_the_next_accept() {
    let fixture = guarded();
    fixture.propose("bob", "kyiv", &set("geo/Kiev", "Kyiv"));
    for who in ["carol", "dave", "erin"] {
        fixture.run(who, &["approve", "bob/kyiv"]).ok();
    }
    let branches = fixture.git(&[
        "for-each-ref",
        "--format=%(objectname) %(refname)",
        "refs/heads/reviews",
    ]);
    fixture.accept_all();
    // A stick brings them again.
    for line in branches.lines() {
        let (id, name) = line.split_once(' ').unwrap();
        fixture.git(&["update-ref", name, id]);
    }
    let list = fixture.run("bob", &["review", "--list"]).ok();
    assert_eq!(list.matches("numbered approve by ").count(), 3, "{list}");
    assert_eq!(
        fixture.run("bob", &["--json", "status"]).json()["reviews_waiting"],
        0
    );
    fixture.accept_all();
    assert_eq!(refs(&fixture), "");
    // What is no review is named and left alone.
    fixture.git(&["update-ref", "refs/heads/reviews/eve/000000000000", "main"]);
    let list = fixture.run("bob", &["review", "--list"]).ok();
    assert!(
        list.contains("invalid  refs/heads/reviews/eve/000000000000: review-invalid"),
        "{list}"
    );
    fixture.accept_all();
    assert_eq!(refs(&fixture).lines().count(), 1);
}

#[test]
fn a_hostile_review_is_escaped() {
    let fixture = guarded();
    fixture.propose("bob", "kyiv", &set("geo/Kiev", "Kyiv"));
    let words = "see \x1b[2J\u{202e}here";
    let ran = fixture.run("carol", &["reject", "bob/kyiv", "-m", words]);
    ran.ok();
    for args in [
        &["review", "bob/kyiv"][..],
        &["queue"],
        &["review", "--list"],
    ] {
        let shown = fixture.run("bob", args).ok();
        let plain = !shown.contains('\x1b') && !shown.contains('\u{202e}');
        assert!(plain, "{shown:?}");
    }
}

#[test]
fn a_change_of_policy_shows_what_the_new_policy_asks() {
    let fixture = guarded();
    // From now on whoever changes the policy needs a reviewer: the first of them is asked for this very change.
    let line = r#"{"op":"policy.set","approvals":[{"count":1,"role":"reviewer"}],"prefix":"","roles":["admin"],"scope":"policy.set","self_approval":false,"tier":"quorum"}"#;
    fixture.propose("alice", "stricter", line);
    let needs = &review(&fixture, "alice/stricter")["needs"];
    assert_eq!(needs.as_array().unwrap().len(), 1, "{needs}");
    assert_eq!(
        (&needs[0]["role"], &needs[0]["afterwards"]),
        (&"reviewer".into(), &true.into())
    );
    let said = fixture.run("carol", &["approve", "alice/stricter"]);
    assert!(
        said.err.contains("as the new policy asks (carol)"),
        "{}",
        said.err
    );
    assert!(fixture.accept_all().contains("common@3 alice/stricter"));
    let parents = fixture.git(&["log", "-1", "--format=%P", "main"]);
    assert_eq!(parents.split_whitespace().count(), 3);
    fixture.run("bob", &["verify"]).ok();
}
