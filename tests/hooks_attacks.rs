//! Attacks by push, through real git. Each is refused by the hook with its code, and, where the hook was got
//! around, by whoever reads what is there then.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/cli.rs"]
mod cli;
#[path = "common/server.rs"]
mod server;
#[path = "common/tools.rs"]
mod tools;

use cli::finish;
use folio::crypto::{Sign as _, digest};
use folio::journal::history::History;
use folio::journal::pages::MemoryIndex;
use folio::journal::verify::Branch;
use folio::journal::{Page, Space};
use folio::model::{Epoch, Number};
use folio::store::GitStore;
use server::{Served, refused, set};
use std::path::Path;

const MAIN: &str = "refs/heads/main";

/// What a reader says of the server's `main`.
#[track_caller]
fn reader_refuses(served: &Served, code: &str) {
    let broken = if code == "approvals-missing" { 3 } else { 4 };
    served.on_server(&["verify"]).refused(code, broken);
}

/// A broken `main`: refused by the hook, and by the reader where the hook was bypassed.
#[track_caller]
fn both_refuse_main(served: &Served, commit: &str, code: &str) {
    let refspec = format!("{commit}:{MAIN}");
    served.refuses(&refspec, MAIN, code);
    served.push_past(&refspec);
    reader_refuses(served, code);
}

/// A broken proposal or review: refused by the hook, and by the queue where the hook was bypassed.
#[track_caller]
fn both_refuse_proposal(served: &Served, commit: &str, name: &str, code: &str) {
    let refspec = format!("{commit}:{name}");
    served.refuses(&refspec, name, code);
    served.push_past(&refspec);
    let queue = served.on_server(&["queue", "--json"]).ok();
    assert!(queue.contains(&format!("\"{code}\"")), "{queue}");
    served.on_server(&["verify"]).ok();
}

/// A second witness's view of the server: where its `main` parts from the one in the space.
fn fork_of(served: &Served, tip: &str) -> (Number, Number) {
    let store = GitStore::open(&served.fixture.space).unwrap();
    let space = Space::open(&store).unwrap();
    let mut index = MemoryIndex::default();
    let here = Some(space.tip().unwrap());
    let history = History::open(&space.tables, &store, here, &mut index, &mut |_, _| {}).unwrap();
    let branch = Branch::read(&store, &history, tip.parse().unwrap()).unwrap();
    (branch.fork, history.len())
}

#[test]
fn r1_an_unchanged_guard_ref_fences_nothing_and_the_hook_does() {
    let served = Served::new();
    served.fixture.propose("bob", "guard", &set("a", "x"));
    served.push(&["proposals/bob/guard"]).ok();
    let guard = "refs/heads/proposals/bob/guard";
    let kept = served.fixture.git(&["rev-parse", guard]);
    served.number("b");
    served.fixture.git(&["update-ref", guard, kept.trim()]);
    served.push(&["main"]).ok();
    let rewound = served.fixture.git(&["rev-parse", "main~1"]);
    let lease = format!("--force-with-lease=proposals/bob/guard:{}", rewound.trim());
    let refspecs = [
        &*format!("+{}:{MAIN}", rewound.trim()),
        "proposals/bob/guard",
    ];
    let options = ["--atomic", &lease];
    let space = served.fixture.space.clone();
    let ran = served.push_from(&space, &options, &refspecs);
    refused(ran, "not-fast-forward", MAIN);
    // Without the hook git takes it: the lease is wrong, the ref did not change, nobody looked.
    let past = "--receive-pack=git -c core.hooksPath=/dev/null receive-pack";
    served
        .push_from(&space, &["--atomic", &lease, past], &refspecs)
        .ok();
    assert_eq!(served.at(MAIN).unwrap(), rewound.trim());
    assert_eq!(fork_of(&served, rewound.trim()), (Number(2), Number(3)));
}

#[test]
fn r2_a_lease_does_not_take_main_back() {
    let served = Served::new();
    served.number("a");
    served.push(&["main"]).ok();
    let old = served.at(MAIN).unwrap();
    let lease = format!("--force-with-lease=main:{old}");
    let ran = served.push_from(&served.fixture.space, &[&lease], &["main~1:main"]);
    let said = refused(ran, "not-fast-forward", MAIN);
    assert!(said.contains("back from common@2 to common@1"), "{said}");
    assert_eq!(served.at(MAIN).unwrap(), old);
}

#[test]
fn r2_of_two_that_number_one_page_the_second_is_refused() {
    let served = Served::new();
    let twin = served.fixture.path("twin.git");
    let mut copy = served
        .fixture
        .bare_command("cp", served.fixture.home.path());
    finish(copy.args(["-r", "space", "twin.git"]), b"").ok();
    served.number("a");
    let mut propose = served.fixture.command(&twin, Some("bob"));
    propose.args(["propose", "-m", "b", "--slug", "b", "-f", "-"]);
    finish(&mut propose, set("b", "x").as_bytes()).ok();
    // A home of its own: the key remembers there what it signed, and would not.
    let mut accept = served.fixture.command(&twin, Some("wanda"));
    accept.env("HOME", &twin);
    finish(accept.args(["accept", "--all"]), b"").ok();
    served.push(&["main"]).ok();
    let first = served.at(MAIN);
    let said = refused(
        served.push_from(&twin, &["--force"], &["main"]),
        "not-fast-forward",
        MAIN,
    );
    assert!(said.contains("they part after common@1"), "{said}");
    assert_eq!(served.at(MAIN), first);
    // Past the hook, whoever has seen the first page sees two.
    let past = "--receive-pack=git -c core.hooksPath=/dev/null receive-pack";
    served.push_from(&twin, &["--force", past], &["main"]).ok();
    served
        .fixture
        .git(&["fetch", "-q", twin.to_str().unwrap(), "main"]);
    let other = served.at(MAIN).unwrap();
    assert_eq!(fork_of(&served, &other), (Number(1), Number(2)));
}

#[test]
fn r2_main_is_never_deleted() {
    let served = Served::new();
    served.refuses(&format!(":{MAIN}"), MAIN, "ref-protected");
}

#[test]
fn r3_a_ref_that_looks_like_main_is_refused_by_git_and_by_the_hook() {
    let served = Served::new();
    let name = "refs/heads/refs/heads/main";
    let ran = served.push(&[&format!("main:{name}")]);
    assert!(
        ran.code != 0 && ran.err.contains("hidden ref"),
        "{}",
        ran.err
    );
    served.behind(&["config", "--unset-all", "transfer.hideRefs"]);
    served.refuses(&format!("main:{name}"), name, "ref-invalid");
    // Past the hook it blocks every push of `main`, until the server hides it again. Whoever reads `main` by
    // its exact name is not diverted.
    served.push_past(&format!("main:{name}"));
    served.number("a");
    let ran = served.push(&["main"]);
    assert!(
        ran.code != 0 && ran.err.contains("more than one"),
        "{}",
        ran.err
    );
    served.on_server(&["verify"]).ok();
    served.on_server(&["hook", "install"]).ok();
    served.push(&["main"]).ok();
}

#[test]
fn r4_r8_refs_of_other_depth_or_letters_are_refused() {
    let served = Served::new();
    served.fixture.propose("bob", "a", &set("a", "x"));
    for name in [
        "refs/heads/proposals",
        "refs/heads/proposals/bob",
        "refs/heads/proposals/bob/a/b",
        "refs/heads/proposals/bob/-x",
        "refs/heads/proposals/Bob/a",
        "refs/heads/proposals/bob/A",
        "refs/heads/proposals/b\u{43e}b/a",
        "refs/heads/Proposals/bob/a",
        "refs/heads/reviews",
        "refs/heads/reviews/bob",
        "refs/heads/reviews/bob/0123456789aB",
        "refs/heads/reviews/bob/0123456789abc",
        "refs/heads/pen/-x",
        "refs/heads/MAIN",
        "refs/heads/-delete",
        "refs/heads/--upload-pack=touch",
        "refs/heads/feature",
        "refs/heads/HEAD",
        "refs/tags/v1",
        "refs/notes/commits",
        "refs/for/main",
        "refs/stash",
    ] {
        served.refuses(&format!("proposals/bob/a:{name}"), name, "ref-invalid");
    }
    let later = "refs/heads/eventual/bob";
    served.refuses(&format!("proposals/bob/a:{later}"), later, "unsupported");
    // What is local does not even reach the hook, unless somebody took the setting away.
    let ran = served.push(&["main:refs/folio/pin"]);
    assert!(ran.err.contains("hidden ref"), "{}", ran.err);
    served.behind(&["config", "--unset-all", "transfer.hideRefs"]);
    served.refuses("main:refs/folio/pin", "refs/folio/pin", "ref-invalid");
    // Past the hook: a file where a directory belongs is no proposal and hides none.
    served.push_past("proposals/bob/a:refs/heads/proposals/bob/a");
    served.push_past("proposals/bob/a:refs/heads/proposals/Bob/b");
    let queue = served.on_server(&["queue", "--json"]).ok();
    assert!(queue.contains("ref-invalid"), "{queue}");
}

#[test]
fn one_bad_ref_takes_the_whole_push_with_it_and_each_is_named() {
    let served = Served::new();
    served.number("a");
    served.fixture.propose("bob", "b", &set("b", "x"));
    let before = served.refs();
    let ran = served.push(&[
        "main",
        "proposals/bob/b",
        "main:refs/tags/v1",
        "main:refs/heads/x",
    ]);
    assert!(ran.err.contains("the other 2 refs"), "{}", ran.err);
    let said = refused(ran, "ref-invalid", "refs/tags/v1");
    assert!(said.contains("ref-invalid: refs/heads/x: "), "{said}");
    assert_eq!(served.refs(), before);
    served.push(&["main", "proposals/bob/b"]).ok();
}

#[test]
fn r7_a_merge_button_makes_no_page() {
    let served = Served::new();
    served.fixture.propose("bob", "a", &set("a", "x"));
    let tree = "proposals/bob/a^{tree}";
    let args = [
        "-c",
        "user.name=f",
        "-c",
        "user.email=f@example.org",
        "commit-tree",
    ];
    let merge = [
        &args[..],
        &["-p", "main", "-p", "proposals/bob/a", "-m", "Merge", tree],
    ]
    .concat();
    let merge = served.git_with(&merge, b"");
    both_refuse_main(&served, &merge, "not-a-snapshot");
}

#[test]
fn r7_a_plain_push_does_not_put_main_onto_a_proposal() {
    let served = Served::new();
    served.fixture.propose("bob", "a", &set("a", "x"));
    let proposal = served.fixture.git(&["rev-parse", "proposals/bob/a"]);
    both_refuse_main(&served, proposal.trim(), "not-a-snapshot");
}

/// The parts of a page that numbers bob's proposal: parents, honest tree, honest message.
fn page_parts(served: &Served) -> (String, String, String, String) {
    served.fixture.propose("bob", "a", &set("a", "x"));
    let rev = |name: &str| served.fixture.git(&["rev-parse", name]).trim().to_owned();
    let (main, proposal) = (rev("main"), rev("proposals/bob/a"));
    served.fixture.accept_all();
    let message = served.fixture.git(&["log", "-1", "--format=%B", "main"]);
    let tree = rev("main^{tree}");
    served.fixture.git(&["update-ref", MAIN, &main]);
    (main, proposal, tree, format!("{}\n", message.trim_end()))
}

#[test]
fn r7_only_the_pen_numbers_and_it_may_not_lie() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let served = Served::new();
    let (main, proposal, tree, message) = page_parts(&served);
    let stranger = served.commit("bob", &tree, &[&main, &proposal], &message);
    both_refuse_main(&served, &stranger, "signer-wrong");
    let served = Served::new();
    let (main, proposal, _, message) = page_parts(&served);
    let lie = served.commit("wanda", "main^{tree}", &[&main, &proposal], &message);
    both_refuse_main(&served, &lie, "tree-mismatch");
    let served = Served::new();
    let (main, proposal, tree, message) = page_parts(&served);
    let skips = message.replace("Snapshot: 2", "Snapshot: 3");
    let skips = served.commit("wanda", &tree, &[&main, &proposal], &skips);
    both_refuse_main(&served, &skips, "number-mismatch");
    // The honest one, signed by plain git, is as good as Folio's own.
    let served = Served::new();
    let (main, proposal, tree, message) = page_parts(&served);
    let good = served.commit("wanda", &tree, &[&main, &proposal], &message);
    served.push(&[&format!("{good}:{MAIN}")]).ok();
    served.on_server(&["verify"]).ok();
}

#[test]
fn r7_the_rest_of_a_push_is_judged_by_the_main_that_is_there() {
    let served = Served::new();
    // A space of eve's own making, in which she is a member; she claims that it is what the server has.
    let dir = served.fixture.path("eve");
    let mut init = served
        .fixture
        .command(served.fixture.home.path(), Some("eve"));
    init.args([
        "init",
        "eve",
        "--bare",
        "--handle",
        "eve",
        "--user-name",
        "Eve",
    ]);
    finish(init.args(["--email", "eve@example.org"]), b"").ok();
    let mut propose = served.fixture.command(&dir, Some("eve"));
    propose.args(["propose", "-m", "a", "--slug", "a", "-f", "-"]);
    finish(&mut propose, set("a", "x").as_bytes()).ok();
    let before = served.refs();
    let ran = served.push_from(&dir, &["--force"], &["main", "proposals/eve/a"]);
    let said = refused(ran, "space-mismatch", MAIN);
    assert!(
        said.contains("space-mismatch: refs/heads/proposals/eve/a"),
        "{said}"
    );
    assert_eq!(served.refs(), before);
    // The old value is what a client says it is: one that lies is not believed.
    let of = |dir: &Path| {
        let mut git = served.fixture.bare_command("git", dir);
        finish(git.args(["rev-parse", "main"]), b"")
            .ok()
            .trim()
            .to_owned()
    };
    let (eves, ours) = (of(&dir), of(&served.fixture.space));
    served.behind(&["fetch", "-q", dir.to_str().unwrap(), "main"]);
    let lines = format!("{eves} {ours} {MAIN}\n");
    let mut hook = served.fixture.command(&served.server, None);
    let ran = finish(hook.args(["hook", "pre-receive"]), lines.as_bytes());
    assert!(ran.code == 3 && ran.err.contains("race-lost"), "{ran:?}");
}

#[test]
fn o1_what_fsck_lets_through_is_refused_all_the_same() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let served = Served::new();
    let name = "refs/heads/proposals/bob/a";
    let line = set("a", "x").replace(
        "\"op\":\"alias.set\",\"alias\":\"a\"",
        "\"alias\":\"a\",\"op\":\"alias.set\"",
    );
    let blob = served.git_with(&["hash-object", "-w", "--stdin"], line.as_bytes());
    let decisions = format!("100644 blob {blob}\tdecisions.jsonl\n");
    let tree = served.tree_with("main", &decisions);
    let good = served.commit("bob", &tree, &["main"], "A\n");
    served.push(&[&format!("{good}:{name}")]).ok();
    // Another encoding; a second parent; odd entries in the tree; a preview that lies.
    let config = ["i18n.commitEncoding=ISO-8859-1"];
    let encoded = served.commit_with(&config, "bob", &tree, &["main"], "Caf\u{e9}\n");
    both_refuse_proposal(&served, &encoded, name, "commit-grammar");
    let main = served.fixture.git(&["rev-parse", "main"]);
    let two = served.commit("bob", &tree, &[main.trim(), &good], "A\n");
    both_refuse_proposal(&served, &two, name, "parents-wrong");
    for entry in [
        format!("{decisions}120000 blob {blob}\tlink\n"),
        format!("{decisions}160000 commit {good}\tmodule\n"),
        format!("{decisions}100644 blob {blob}\tDecisions.jsonl\n"),
        format!("{decisions}100755 blob {blob}\taliases.jsonl\n"),
        format!("{decisions}100644 blob {blob}\tesc\x1b[2Jape\n"),
    ] {
        let odd = served.tree_with("main", &entry);
        let odd = served.commit("bob", &odd, &["main"], "A\n");
        both_refuse_proposal(&served, &odd, name, "tree-malformed");
    }
    let other = served.git_with(&["hash-object", "-w", "--stdin"], b"{\"entity\":\"y\"}\n");
    let lie = served.tree_with(
        "main",
        &format!("{decisions}100644 blob {other}\taliases.jsonl\n"),
    );
    let lie = served.commit("bob", &lie, &["main"], "A\n");
    both_refuse_proposal(&served, &lie, name, "preview-false");
}

#[test]
fn o3_replacements_are_neither_taken_nor_honoured() {
    let served = Served::new();
    served.number("a");
    let tip = served.fixture.git(&["rev-parse", "main"]);
    let name = format!("refs/replace/{}", tip.trim());
    served.refuses(&format!("main~1:{name}"), &name, "ref-invalid");
    // Past the hook it changes nothing that the hook sees, and the reader refuses to go on.
    served.push(&["main"]).ok();
    served.push_past(&format!("main~1:{name}"));
    served.number("b");
    served.push(&["main"]).ok();
    served.on_server(&["verify"]).refused("replaced-objects", 4);
}

#[test]
fn heartbeats_are_their_witnesses_and_do_not_go_back() {
    let served = Served::new();
    let name = "refs/heads/pen/wanda";
    let beat = || served.fixture.run("wanda", &["pen", "beat"]).ok();
    beat();
    let first = served.fixture.git(&["rev-parse", name]);
    let first = first.trim();
    let alices = "refs/heads/pen/alice";
    served.refuses(&format!("{first}:{alices}"), alices, "ref-invalid");
    served.refuses(&format!("main:{name}"), name, "heartbeat-invalid");
    served.push(&[name]).ok();
    beat();
    served
        .push_from(&served.fixture.space, &["--force"], &[name])
        .ok();
    let said = served.refuses(&format!("{first}:{name}"), name, "heartbeat-invalid");
    assert!(said.contains("expected above 2, found 1"), "{said}");
    served.refuses(&format!(":{name}"), name, "ref-protected");
}

#[test]
fn t1_nothing_of_the_pusher_reaches_a_terminal() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let served = Served::new();
    let blob = served.git_with(
        &["hash-object", "-w", "--stdin"],
        b"{\"op\":\"x\x1b[2J\"}\n",
    );
    let tree = served.tree_with("main", &format!("100644 blob {blob}\tdecisions.jsonl\n"));
    let evil = served.commit("bob", &tree, &["main"], "A\x1b]0;title\x07\u{202e}\r\n");
    for name in [
        "refs/heads/\u{202e}niam",
        "refs/heads/proposals/bob/a\u{200b}b",
        "refs/heads/proposals/bob/\u{9b}31m",
        "refs/tags/\u{2066}x",
        "refs/heads/proposals/bob/a",
    ] {
        let ran = served.push(&[&format!("{evil}:{name}")]);
        assert_ne!(ran.code, 0);
        // git itself prints the name as it is; only the lines from the server are ours.
        let ours = ran.err.lines().filter(|line| line.starts_with("remote:"));
        let ours: String = ours.collect::<Vec<_>>().join("\n");
        assert!(ours.contains("error: "), "{ours}");
        let odd = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{200b}\u{2066}".contains(c);
        // git pads its own `remote:` lines with an erase-to-end on terminals only.
        assert_eq!(ours.chars().find(|c| odd(*c)), None, "{ours:?}");
    }
}

#[test]
fn s5_reviews_are_their_reviewers_and_of_their_proposal() {
    let served = Served::new();
    served.fixture.propose("bob", "a", &set("a", "x"));
    served.fixture.propose("bob", "b", &set("b", "x"));
    let refuse = ["refuse", "bob/a", "-m", "no"];
    served.fixture.run("wanda", &refuse).ok();
    let review = served
        .fixture
        .git(&["for-each-ref", "--format=%(refname)", "refs/heads/reviews"]);
    let review = review.trim();
    let short = review.rsplit('/').next().unwrap();
    let under = |who: &str, short: &str| format!("refs/heads/reviews/{who}/{short}");
    // Under somebody else's name, under another proposal's digits, and what is no review.
    let bobs = under("bob", short);
    served.refuses(&format!("{review}:{bobs}"), &bobs, "ref-invalid");
    let other = under("wanda", "0123456789ab");
    served.refuses(&format!("{review}:{other}"), &other, "ref-invalid");
    served.refuses(&format!("proposals/bob/a:{bobs}"), &bobs, "review-invalid");
    served.push(&[review, "proposals/bob/a"]).ok();
    // Not deleted while its proposal waits; with it, or after it was replaced, it may go.
    served.refuses(&format!(":{review}"), review, "ref-protected");
    let space = &served.fixture.space;
    let replaced = "proposals/bob/b:refs/heads/proposals/bob/a";
    served.push_from(space, &["--force"], &[replaced]).ok();
    served.push(&[&format!(":{review}")]).ok();
    assert_eq!(served.at(review), None);
}

#[test]
fn s5_a_page_without_its_approvals_is_refused() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    let served = Served::new();
    let policy = r#"{"op":"policy.set","approvals":[{"count":1,"role":"admin"}],"prefix":"","roles":["member"],"scope":"names","self_approval":false,"tier":"witness"}"#;
    served
        .fixture
        .propose("alice", "policy", &format!("{policy}\n"));
    served.fixture.accept_all();
    served.push(&["main"]).ok();
    served.fixture.propose("bob", "a", &set("a", "x"));
    served.push(&["proposals/bob/a"]).ok();
    // wanda numbers it although nobody approved it.
    let store = GitStore::open(&served.fixture.space).unwrap();
    let rev = |name: &str| served.fixture.git(&["rev-parse", name]).trim().to_owned();
    let (main, proposal) = (rev("main"), rev("proposals/bob/a"));
    let page = Page::read(&store, main.parse().unwrap()).unwrap();
    let trailer = "--format=%(trailers:key=Proposal,valueonly)";
    let named = served.fixture.git(&["log", "-1", trailer, &proposal]);
    let link = digest::Link {
        number: Number(3),
        epoch: Epoch(1),
        signer: cli::pair("wanda").public_key(),
        proposal: named.trim().parse().unwrap(),
        reviews: &[],
    };
    let chain = digest::chain_next(&page.message.chain, &link);
    let message = format!(
        "common@3: a\n\nFolio: 1\nSpace: {}\nSnapshot: 3\nEpoch: 1\nProposal: {}\nChain: {}\n",
        page.message.space.to_hex(),
        named.trim(),
        chain.to_hex()
    );
    // The state that the proposal previews: its tree without the decisions.
    let listed = served.fixture.git(&["ls-tree", &proposal]);
    let kept = listed
        .lines()
        .filter(|line| !line.ends_with("decisions.jsonl"));
    let kept = kept.map(|line| format!("{line}\n")).collect::<String>();
    let tree = served.git_with(&["mktree"], kept.as_bytes());
    let page = served.commit("wanda", &tree, &[&main, &proposal], &message);
    both_refuse_main(&served, &page, "approvals-missing");
}

#[test]
fn a_server_that_knows_its_space_takes_no_other() {
    let served = Served::empty();
    let foreign = "ab".repeat(32);
    served
        .on_server(&["hook", "install", "--space", &foreign])
        .ok();
    refused(served.push(&["main"]), "space-mismatch", MAIN);
    assert_eq!(served.refs(), "");
    let status = served.fixture.run("bob", &["status", "--json"]).json();
    let space = status["space"].as_str().unwrap();
    served
        .on_server(&["hook", "install", "--space", space])
        .ok();
    served.push(&["main"]).ok();
}

#[test]
fn an_empty_server_takes_a_whole_chain_first() {
    let served = Served::empty();
    served.number("a");
    served.fixture.propose("bob", "b", &set("b", "x"));
    refused(
        served.push(&["proposals/bob/b"]),
        "not-a-space",
        "refs/heads/proposals/bob/b",
    );
    served.push(&["main", "proposals/bob/b"]).ok();
    served.on_server(&["verify"]).ok();
}

#[test]
fn without_the_program_nothing_is_taken() {
    let served = Served::new();
    served.number("a");
    let hook = served.server.join("hooks/pre-receive");
    let text = std::fs::read_to_string(&hook).unwrap();
    let program = env!("CARGO_BIN_EXE_folio");
    assert!(text.contains(program));
    std::fs::write(&hook, text.replace(program, "/nowhere/folio")).unwrap();
    let ran = served.push(&["main"]);
    assert_ne!(ran.code, 0);
    assert!(
        ran.err.contains("remote: error: folio is not installed"),
        "{}",
        ran.err
    );
}
