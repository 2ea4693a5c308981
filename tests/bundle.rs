//! Sticks: a space carried by hand between repositories that never see each other.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/cli.rs"]
mod cli;
#[path = "common/travel.rs"]
mod travel;

use cli::{Fixture, finish, lock_of_the_dead};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use travel::*;

/// A space with one page after the charter, a clone of it, and a stick that both have used.
struct Pair {
    fixture: Fixture,
    home: PathBuf,
    away: PathBuf,
    stick: PathBuf,
}

impl Pair {
    fn new() -> Self {
        Self::of(Fixture::bare())
    }

    fn of(fixture: Fixture) -> Self {
        let home = fixture.space.clone();
        page(&fixture, &home, "first");
        let stick = stick(&fixture, "stick");
        create(&fixture, &home, &stick);
        let away = clone(&fixture, &stick, "away");
        apply(&fixture, &away, &stick);
        Self {
            fixture,
            home,
            away,
            stick,
        }
    }

    /// A proposal that waits at home, on the stick.
    fn with_news(slug: &str) -> Self {
        let this = Self::new();
        propose(&this.fixture, &this.home, "alice", slug);
        create(&this.fixture, &this.home, &this.stick);
        this
    }

    fn bundle(&self) -> PathBuf {
        let file = read(&self.manifest())["bundle"]["file"].clone();
        part(&self.fixture, &self.stick).join(file.as_str().unwrap())
    }

    fn manifest(&self) -> PathBuf {
        manifest(&self.fixture, &self.home, &self.stick)
    }

    /// It is refused with that code, and nothing here changes.
    #[track_caller]
    fn refused(&self, code: &str) -> String {
        let before = refs(&self.fixture, &self.away);
        let ran = try_apply(&self.fixture, &self.away, &self.stick);
        assert_ne!(ran.code, 0, "{ran:?}");
        assert!(
            ran.err.contains(&format!("error: {code}: ")),
            "{code}: {}",
            ran.err
        );
        assert!(ran.err.contains("hint: "), "{}", ran.err);
        assert_eq!(refs(&self.fixture, &self.away), before);
        ran.err
    }
}

fn applied(answer: &Value) -> &Vec<Value> {
    assert_eq!(answer["refused"], json!([]), "{answer}");
    answer["applied"].as_array().unwrap()
}

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_stick_carries_pages_one_way_and_proposals_and_reviews_the_other() {
    let Pair {
        fixture,
        home,
        away,
        stick,
    } = Pair::new();
    propose(&fixture, &away, "bob", "from-away");
    let sent = create(&fixture, &away, &stick);
    assert_eq!(
        (&sent["newest"], &sent["whole"]),
        (&json!(2), &json!(false))
    );
    let got = apply(&fixture, &home, &stick);
    assert_eq!(
        applied(&got)[0]["taken"],
        json!(["proposals/bob/from-away"])
    );
    folio(&fixture, &home, "wanda", &["accept", "--all"]).ok();
    create(&fixture, &home, &stick);
    let got = apply(&fixture, &away, &stick);
    assert_eq!(
        (&applied(&got)[0]["from"], &applied(&got)[0]["to"]),
        (&json!(2), &json!(3))
    );
    // Numbered: it waits nowhere any more.
    assert_eq!(queue(&fixture, &home), queue(&fixture, &away));
    assert!(queue(&fixture, &away).is_empty());
    sound(&fixture, &away);
    // Nothing new: said so, and nothing changes.
    let again = apply(&fixture, &away, &stick);
    assert_eq!(applied(&again)[0]["course"], "same");
    let sent = create(&fixture, &home, &stick);
    assert_eq!(sent["bytes"], Value::Null);
    let ran = try_create(&fixture, &home, &stick, &[]);
    assert_eq!(ran.ok(), "common@3 and 1 ref: the others have everything\n");
}

#[test]
fn the_second_bundle_holds_what_is_new_only_and_what_it_costs_is_bounded_by_that() {
    let Pair {
        fixture,
        home,
        away,
        stick,
    } = Pair::new();
    for n in 0..40 {
        propose(&fixture, &home, "alice", &format!("many-{n}"));
    }
    folio(&fixture, &home, "wanda", &["accept", "--all"]).ok();
    let large = create(&fixture, &home, &stick)["bytes"].as_u64().unwrap();
    apply(&fixture, &away, &stick);
    page(&fixture, &home, "one-more");
    let small = create(&fixture, &home, &stick)["bytes"].as_u64().unwrap();
    assert!(small * 5 < large, "{small} and {large}");
    let before = objects(&fixture, &away);
    apply(&fixture, &away, &stick);
    let more = objects(&fixture, &away) - before;
    assert!((3..40).contains(&more), "{more} objects for one page");
    // Only the newest bundle lies there.
    assert_eq!(files(&fixture, &stick, ".bundle").len(), 1);
    // A whole one, for somebody new, is read once and not again where everything is here.
    let full = try_create(&fixture, &home, &stick, &["--full"]).ok();
    assert!(full.contains("the whole space"), "{full}");
    let bundle = files(&fixture, &stick, ".bundle");
    std::fs::write(&bundle[0], "torn").unwrap();
    assert_eq!(
        applied(&apply(&fixture, &away, &stick))[0]["course"],
        "same"
    );
}

fn objects(fixture: &Fixture, dir: &Path) -> usize {
    let args = [
        "cat-file",
        "--batch-all-objects",
        "--batch-check=%(objectname)",
    ];
    git(fixture, dir, &args).lines().count()
}

#[test]
fn several_receivers_get_what_the_one_who_is_farthest_behind_lacks() {
    let Pair {
        fixture,
        home,
        away,
        stick,
    } = Pair::new();
    let third = clone(&fixture, &home, "third");
    page(&fixture, &home, "a");
    create(&fixture, &home, &stick);
    apply(&fixture, &away, &stick);
    page(&fixture, &home, "b");
    // The third one was never seen on this stick: what is there builds on what is not in its hands.
    create(&fixture, &home, &stick);
    let ran = try_apply(&fixture, &third, &stick);
    let said = ran.refused("bundle-gap", 6);
    assert!(said.contains("--full"), "{said}");
    assert_eq!(newest(&fixture, &third), 2);
    // It left word of what it has: the next one is for both.
    create(&fixture, &home, &stick);
    assert_eq!(newest_after(&fixture, &third, &stick), 4);
    assert_eq!(newest_after(&fixture, &away, &stick), 4);
}

fn newest_after(fixture: &Fixture, dir: &Path, stick: &Path) -> u64 {
    apply(fixture, dir, stick);
    newest(fixture, dir)
}

#[test]
fn a_receiver_that_was_restored_from_a_backup_says_what_it_has_and_is_served() {
    let Pair {
        fixture,
        home,
        away,
        stick,
    } = Pair::new();
    let backup = fixture.path("backup");
    copy(&away, &backup);
    for slug in ["a", "b"] {
        page(&fixture, &home, slug);
        create(&fixture, &home, &stick);
        apply(&fixture, &away, &stick);
    }
    page(&fixture, &home, "c");
    create(&fixture, &home, &stick);
    copy(&backup, &away);
    let ran = try_apply(&fixture, &away, &stick);
    ran.refused("bundle-gap", 6);
    assert_eq!(newest(&fixture, &away), 2);
    create(&fixture, &home, &stick);
    assert_eq!(newest_after(&fixture, &away, &stick), 5);
    // Or on a stick where nobody has left word.
    create(&fixture, &home, &stick);
    copy(&backup, &away);
    let other = travel::stick(&fixture, "other");
    create(&fixture, &home, &other);
    try_apply(&fixture, &away, &other).refused("bundle-gap", 6);
    try_create(&fixture, &home, &other, &["--full"]).ok();
    assert_eq!(newest_after(&fixture, &away, &other), 5);
    sound(&fixture, &away);
}

#[test]
fn two_copies_of_one_repository_read_each_other() {
    let Pair {
        fixture,
        home: _,
        away,
        stick,
    } = Pair::new();
    let twin = fixture.path("twin");
    copy(&away, &twin);
    propose(&fixture, &away, "bob", "from-one");
    create(&fixture, &away, &stick);
    let got = apply(&fixture, &twin, &stick);
    let taken: Vec<&Value> = applied(&got).iter().map(|part| &part["taken"]).collect();
    assert!(taken.contains(&&json!(["proposals/bob/from-one"])), "{got}");
    assert_ne!(name_of(&fixture, &away), name_of(&fixture, &twin));
}

#[test]
fn a_sender_who_is_ahead_of_us_is_sent_what_is_new_and_not_everything() {
    let Pair {
        fixture,
        home,
        away,
        stick,
    } = Pair::new();
    for n in 0..6 {
        page(&fixture, &home, &format!("ahead-{n}"));
    }
    create(&fixture, &home, &stick);
    propose(&fixture, &away, "bob", "behind");
    // Away has not looked at the stick: it does not know the newest pages of home, but knows older ones.
    let sent = create(&fixture, &away, &stick);
    assert_eq!(sent["whole"], false);
    let got = apply(&fixture, &home, &stick);
    assert_eq!(applied(&got)[0]["taken"], json!(["proposals/bob/behind"]));
}

#[test]
fn a_clone_from_a_stick_is_verified_and_needs_to_know_which_space() {
    let Pair {
        fixture,
        home,
        away: _,
        stick,
    } = Pair::new();
    try_create(&fixture, &home, &stick, &["--full"]).ok();
    let on = stick.to_str().unwrap();
    let run = |args: &[&str]| folio(&fixture, fixture.home.path(), "bob", args);
    run(&["clone", on, "x"]).refused("trust-needed", 3);
    run(&["clone", on, "x", "--space", &"0".repeat(64)]).refused("not-found", 1);
    assert!(!fixture.path("x").exists());
    // A second space, with other digests, on the same stick.
    let other = Fixture::founded(&["--bare", "--object-format", "sha256"]);
    create(&other, &other.space, &stick);
    let several = run(&["clone", on, "x"]).refused("not-found", 1);
    assert!(several.contains("several spaces"), "{several}");
    let of = |id: &str, place: &str| run(&["clone", on, place, "--bare", "--space", id]).ok();
    of(&space_id(&fixture), "one");
    of(&space_id(&other), "two");
    assert_eq!(newest(&fixture, &fixture.path("one")), 2);
    sound(&fixture, &fixture.path("two"));
    let format = git(
        &fixture,
        &fixture.path("two"),
        &["rev-parse", "--show-object-format"],
    );
    assert_eq!(format, "sha256");
    // Each takes its own from the stick, and nothing of the other.
    let got = apply(&fixture, &fixture.path("one"), &stick);
    assert_eq!(applied(&got).len(), 1);
    // Torn: named so, and nothing is left behind.
    for file in files(&fixture, &stick, ".bundle") {
        let bytes = std::fs::read(&file).unwrap();
        std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    }
    let id = space_id(&fixture);
    run(&["clone", on, "x", "--space", &id]).refused("stick-torn", 6);
    // Nothing whole.
    std::fs::remove_dir_all(part(&fixture, &stick)).unwrap();
    let none = run(&["clone", on, "x", "--space", &id]).refused("not-found", 1);
    assert!(
        none.contains("no whole space") && none.contains("--full"),
        "{none}"
    );
}

#[test]
fn a_space_with_sha256_travels_in_both_directions() {
    let fixture = Fixture::founded(&["--bare", "--object-format", "sha256"]);
    let Pair {
        fixture,
        home,
        away,
        stick,
    } = Pair::of(fixture);
    propose(&fixture, &away, "bob", "wide");
    create(&fixture, &away, &stick);
    apply(&fixture, &home, &stick);
    folio(&fixture, &home, "wanda", &["accept", "--all"]).ok();
    create(&fixture, &home, &stick);
    assert_eq!(newest_after(&fixture, &away, &stick), 3);
    sound(&fixture, &away);
}

#[test]
fn a_torn_stick_is_refused_whole_wherever_it_was_cut_and_a_new_bundle_heals_it() {
    let pair = Pair::with_news("torn");
    let (bundle, manifest) = (pair.bundle(), pair.manifest());
    let whole = std::fs::read(&bundle).unwrap();
    let header = whole.windows(4).position(|four| four == b"PACK").unwrap();
    let last = whole.len() - 1;
    for at in [0, 5, header / 2, header, header + 12, whole.len() / 2, last] {
        std::fs::write(&bundle, &whole[..at]).unwrap();
        pair.refused("stick-torn");
    }
    for at in [0, header - 2, header + 20, last] {
        std::fs::write(&bundle, &whole).unwrap();
        flip(&bundle, at);
        pair.refused("stick-torn");
    }
    std::fs::write(&bundle, [&whole[..], b"more"].concat()).unwrap();
    pair.refused("stick-torn");
    std::fs::remove_file(&bundle).unwrap();
    pair.refused("stick-torn");
    std::fs::write(&bundle, &whole).unwrap();
    let text = std::fs::read(&manifest).unwrap();
    for at in [0, 1, text.len() / 3, text.len() - 3] {
        std::fs::write(&manifest, &text[..at]).unwrap();
        pair.refused("stick-torn");
    }
    std::fs::remove_file(&manifest).unwrap();
    let got = apply(&pair.fixture, &pair.away, &pair.stick);
    assert_eq!(got["applied"], json!([]));
    create(&pair.fixture, &pair.home, &pair.stick);
    let got = apply(&pair.fixture, &pair.away, &pair.stick);
    assert_eq!(applied(&got)[0]["taken"], json!(["proposals/alice/torn"]));
}

#[test]
fn a_bad_part_does_not_keep_the_good_ones_out() {
    let Pair {
        fixture,
        home,
        away,
        stick,
    } = Pair::new();
    let third = clone(&fixture, &home, "third");
    for (dir, slug) in [(&third, "good"), (&away, "bad")] {
        propose(&fixture, dir, "bob", slug);
        create(&fixture, dir, &stick);
    }
    let file = manifest(&fixture, &away, &stick);
    std::fs::write(&file, "{").unwrap();
    let ran = folio(
        &fixture,
        &home,
        "bob",
        &["--json", "bundle", "apply", stick.to_str().unwrap()],
    );
    assert_eq!(ran.code, 6, "{ran:?}");
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(answer["refused"][0]["code"], "stick-torn");
    assert_eq!(answer["refused"][0]["sender"], name_of(&fixture, &away));
    assert_eq!(queue(&fixture, &home), ["bob/good"]);
}

/// Puts another bundle in the place of a sender's, with a description that fits it.
fn forge(pair: &Pair, refs: &[&str], without: &[&str], change: impl FnOnce(&mut Value)) {
    let file = pair.bundle();
    let mut args = vec!["bundle", "create", "--quiet", file.to_str().unwrap()];
    args.extend(refs);
    args.extend(without);
    git(&pair.fixture, &pair.home, &args);
    let bytes = std::fs::read(&file).unwrap();
    alter(&pair.manifest(), |manifest| {
        manifest["bundle"]["bytes"] = bytes.len().into();
        manifest["bundle"]["blake3"] = blake3::hash(&bytes).to_hex().to_string().into();
        for name in refs {
            let name = format!("refs/heads/{name}");
            let id = git(&pair.fixture, &pair.home, &["rev-parse", &name]);
            manifest["refs"][name] = id.into();
        }
        change(manifest);
    });
}

#[test]
fn an_altered_bundle_with_a_hash_that_fits_is_verified_like_any_remote() {
    let pair = Pair::with_news("honest");
    page(&pair.fixture, &pair.home, "next");
    // The page's commit with another tree below it: what the key signed is not what stands there.
    let commit = git(&pair.fixture, &pair.home, &["cat-file", "commit", "main"]);
    let tree = git(&pair.fixture, &pair.home, &["rev-parse", "main^^{tree}"]);
    let (_, rest) = commit.split_once('\n').unwrap();
    let mut put = pair.fixture.bare_command("git", &pair.home);
    put.args(["hash-object", "-t", "commit", "-w", "--stdin"]);
    let id = finish(&mut put, format!("tree {tree}\n{rest}\n").as_bytes()).ok();
    git(
        &pair.fixture,
        &pair.home,
        &["update-ref", "refs/heads/main", id.trim()],
    );
    let here = git(&pair.fixture, &pair.away, &["rev-parse", "main"]);
    forge(&pair, &["main"], &[&format!("^{here}")], |_| {});
    pair.refused("signature-wrong");
    // Nothing of it is kept where anybody looks, and the honest part is taken when it comes.
    git(
        &pair.fixture,
        &pair.home,
        &["update-ref", "refs/heads/main", "main^"],
    );
    create(&pair.fixture, &pair.home, &pair.stick);
    apply(&pair.fixture, &pair.away, &pair.stick);
    sound(&pair.fixture, &pair.away);
}

#[test]
fn a_page_that_breaks_a_rule_is_refused_and_kept_as_evidence() {
    let pair = Pair::with_news("honest");
    let key = pair.fixture.path("wanda.key");
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    page(&pair.fixture, &pair.home, "next");
    // Wanda herself signs a page whose tree is not what its decisions make.
    let message = git(
        &pair.fixture,
        &pair.home,
        &["log", "-1", "--format=%B", "main"],
    );
    let tree = git(&pair.fixture, &pair.home, &["rev-parse", "main^^{tree}"]);
    let parents = git(
        &pair.fixture,
        &pair.home,
        &["log", "-1", "--format=%P", "main"],
    );
    let mut run = pair.fixture.bare_command("git", &pair.home);
    let signing = format!("user.signingKey={}", key.display());
    for entry in [
        "user.name=Wanda",
        "user.email=wanda@example.org",
        &signing,
        "gpg.format=ssh",
    ] {
        run.args(["-c", entry]);
    }
    run.args(["commit-tree", "-S", &tree]);
    for parent in parents.split(' ') {
        run.args(["-p", parent]);
    }
    let made = finish(&mut run, format!("{message}\n").as_bytes());
    if made.err.contains("ssh-keygen") {
        eprintln!("skipped: there is no ssh-keygen here");
        return;
    }
    git(
        &pair.fixture,
        &pair.home,
        &["update-ref", "refs/heads/main", made.ok().trim()],
    );
    let here = git(&pair.fixture, &pair.away, &["rev-parse", "main"]);
    forge(&pair, &["main"], &[&format!("^{here}")], |_| {});
    let said = pair.refused("tree-mismatch");
    assert!(said.contains("evidence about stick"), "{said}");
    let listed = folio(
        &pair.fixture,
        &pair.away,
        "bob",
        &["--json", "evidence", "list"],
    )
    .json();
    assert_eq!(
        listed["evidence"].as_array().map(Vec::len),
        Some(1),
        "{listed}"
    );
}

#[test]
fn descriptions_that_lie_lead_elsewhere_or_are_of_another_are_refused() {
    let pair = Pair::with_news("honest");
    let (manifest, bundle) = (pair.manifest(), pair.bundle());
    let text = std::fs::read(&manifest).unwrap();
    let outside = pair.fixture.write("outside.bundle", "outside");
    std::fs::copy(&bundle, &outside).unwrap();
    type Lie<'a> = (&'a str, Box<dyn Fn(&mut Value)>);
    let set = |place: &'static str, value: Value| -> Box<dyn Fn(&mut Value)> {
        Box::new(move |manifest| *manifest.pointer_mut(place).unwrap() = value.clone())
    };
    let nowhere = json!("1".repeat(40));
    let lies: [Lie<'_>; 11] = [
        (
            "stick-torn",
            set("/bundle/file", json!("../../../outside.bundle")),
        ),
        (
            "stick-torn",
            set("/bundle/file", json!(outside.to_str().unwrap())),
        ),
        ("stick-torn", set("/bundle/file", json!(".."))),
        ("stick-torn", set("/bundle/file", json!("-x\u{1b}[2J"))),
        ("stick-torn", set("/sender", json!("0123456789abcdef"))),
        ("stick-torn", set("/format", json!(2))),
        ("stick-torn", set("/bundle/bytes", json!(-1))),
        ("stick-torn", Box::new(|m| m["more"] = json!(1))),
        ("stick-torn", Box::new(|m| m["bundle"]["more"] = json!(1))),
        ("space-mismatch", set("/space", json!("2".repeat(64)))),
        ("bundle-gap", set("/refs/refs~1heads~1main", nowhere)),
    ];
    for (code, lie) in lies {
        std::fs::write(&manifest, &text).unwrap();
        alter(&manifest, lie);
        let said = pair.refused(code);
        assert!(!said.contains('\u{1b}'), "{said}");
    }
    // A description that names refs of no space, or a page as a proposal, brings nothing in by that.
    std::fs::write(&manifest, &text).unwrap();
    let main = git(&pair.fixture, &pair.home, &["rev-parse", "main"]);
    alter(&manifest, |m| {
        m["refs"]["refs/folio/pin"] = json!(main);
        m["refs"]["refs/heads/refs/heads/main"] = json!(main);
        m["refs"]["refs/heads/proposals/bob/page"] = json!(main);
    });
    let got = apply(&pair.fixture, &pair.away, &pair.stick);
    let part = &applied(&got)[0];
    assert_eq!(part["foreign"], 2, "{part}");
    assert_eq!(part["waiting"][0]["name"], "proposals/bob/page");
    assert_eq!(queue(&pair.fixture, &pair.away), ["alice/honest"]);
}

#[test]
fn giant_descriptions_and_files_that_are_links_are_refused() {
    let pair = Pair::with_news("honest");
    let (manifest, bundle) = (pair.manifest(), pair.bundle());
    let text = std::fs::read(&manifest).unwrap();
    let giant = std::fs::File::create(&manifest).unwrap();
    giant.set_len(1 << 40).unwrap();
    drop(giant);
    let said = pair.refused("stick-torn");
    assert!(said.contains("larger than any description"), "{said}");
    // A link to something that never ends, or to a secret.
    for target in [
        "/dev/zero",
        pair.fixture.path("alice.key").to_str().unwrap(),
    ] {
        std::fs::remove_file(&manifest).unwrap();
        std::os::unix::fs::symlink(target, &manifest).unwrap();
        assert!(pair.refused("stick-torn").contains("no ordinary file"));
    }
    std::fs::remove_file(&manifest).unwrap();
    std::fs::write(&manifest, &text).unwrap();
    let elsewhere = pair.fixture.path("elsewhere");
    std::fs::rename(&bundle, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &bundle).unwrap();
    assert!(pair.refused("stick-torn").contains("no ordinary file"));
}

#[test]
fn a_link_on_the_stick_does_not_make_us_write_elsewhere() {
    let pair = Pair::with_news("honest");
    let secret = pair.fixture.write("secret", "mine");
    let dir = part(&pair.fixture, &pair.stick);
    let (home, away) = (
        name_of(&pair.fixture, &pair.home),
        name_of(&pair.fixture, &pair.away),
    );
    for name in [
        format!("{home}.part"),
        format!("{home}.have.part"),
        format!("{away}.have.part"),
    ] {
        std::os::unix::fs::symlink(&secret, dir.join(name)).unwrap();
    }
    propose(&pair.fixture, &pair.home, "alice", "more");
    create(&pair.fixture, &pair.home, &pair.stick);
    apply(&pair.fixture, &pair.away, &pair.stick);
    assert_eq!(std::fs::read_to_string(secret).unwrap(), "mine");
    assert_eq!(queue(&pair.fixture, &pair.away).len(), 2);
}

#[test]
fn sticks_that_come_in_the_wrong_order_accuse_nobody_and_undo_nothing() {
    let Pair {
        fixture,
        home,
        away,
        stick: first,
    } = Pair::new();
    let second = stick(&fixture, "second");
    propose(&fixture, &away, "bob", "draft");
    create(&fixture, &away, &first);
    // The same branch again, two pages later, with other words; it goes by the other stick.
    let old = git(&fixture, &away, &["rev-parse", "proposals/bob/draft"]);
    let args = [
        "propose",
        "-m",
        "Better",
        "--slug",
        "draft",
        "--replace",
        "-f",
        "-",
    ];
    let mut run = fixture.command(&away, Some("bob"));
    finish(run.args(args), set("better").as_bytes()).ok();
    let new = git(&fixture, &away, &["rev-parse", "proposals/bob/draft"]);
    assert_ne!(old, new);
    try_create(&fixture, &away, &second, &["--full"]).ok();
    apply(&fixture, &home, &second);
    let ran = try_apply(&fixture, &home, &first);
    assert_eq!(ran.code, 0, "{ran:?}");
    let here = git(&fixture, &home, &["rev-parse", "proposals/bob/draft"]);
    assert!([&old, &new].contains(&&here));
    // Pages: home shows an older one on a stick that was lost for a while.
    let third = stick(&fixture, "third");
    try_create(&fixture, &home, &third, &["--full"]).ok();
    page(&fixture, &home, "later");
    try_create(&fixture, &home, &second, &["--full"]).ok();
    assert_eq!(newest_after(&fixture, &away, &second), 4);
    let got = apply(&fixture, &away, &third);
    assert_eq!(applied(&got)[0]["course"], "behind");
    assert_eq!(applied(&got)[0]["went_back"], false);
    let listed = folio(&fixture, &away, "bob", &["--json", "evidence", "list"]).json();
    assert_eq!(listed["evidence"], json!([]));
}

#[test]
fn a_proposal_waits_for_its_page_and_a_review_for_its_proposal_whatever_stick_comes_first() {
    let fixture = Fixture::bare();
    let home = fixture.space.clone();
    let (a, b) = (clone(&fixture, &home, "a"), clone(&fixture, &home, "b"));
    let reader = clone(&fixture, &home, "reader");
    let sticks: Vec<PathBuf> = (0..3).map(|n| stick(&fixture, &format!("s{n}"))).collect();
    // A page from home, which reaches bob, who proposes on it; alice reviews what bob proposes.
    page(&fixture, &home, "base");
    try_create(&fixture, &home, &sticks[0], &["--full"]).ok();
    for dir in [&a, &b] {
        apply(&fixture, dir, &sticks[0]);
    }
    propose(&fixture, &a, "bob", "idea");
    try_create(&fixture, &a, &sticks[1], &["--full"]).ok();
    apply(&fixture, &b, &sticks[1]);
    folio(&fixture, &b, "alice", &["approve", "bob/idea"]).ok();
    // The reviewer sends the review alone: the branch with the proposal stays with its author.
    git(
        &fixture,
        &b,
        &["update-ref", "-d", "refs/heads/proposals/bob/idea"],
    );
    create(&fixture, &b, &sticks[2]);
    // The reader gets the review first, on a stick that lacks the page.
    let ran = try_apply(&fixture, &reader, &sticks[2]);
    assert!([0, 6].contains(&ran.code), "{ran:?}");
    apply(&fixture, &reader, &sticks[1]);
    apply(&fixture, &reader, &sticks[0]);
    try_create(&fixture, &b, &sticks[2], &[]).ok();
    apply(&fixture, &reader, &sticks[2]);
    assert_eq!(queue(&fixture, &reader), ["bob/idea"]);
    let seen = folio(&fixture, &reader, "bob", &["--json", "review", "bob/idea"]).json();
    let text = seen.to_string();
    assert!(text.contains("alice"), "{text}");
}

#[test]
fn a_stick_that_cannot_be_written_is_applied_all_the_same() {
    let pair = Pair::with_news("honest");
    let away = name_of(&pair.fixture, &pair.away);
    // A directory in the place of what would be written: no permission holds for root.
    let place = part(&pair.fixture, &pair.stick).join(format!("{away}.have.part"));
    std::fs::create_dir(&place).unwrap();
    std::fs::write(place.join("x"), "").unwrap();
    let ran = try_apply(&pair.fixture, &pair.away, &pair.stick);
    assert!(
        ran.err
            .contains("note: the stick cannot be written, so nobody learns"),
        "{ran:?}"
    );
    assert_eq!(ran.ok(), format!("new proposals/alice/honest\n"));
}

#[test]
fn a_full_stick_keeps_what_it_held_and_has_room_again_afterwards() {
    let Pair {
        fixture,
        home,
        away,
        stick: _,
    } = Pair::new();
    let small = stick(&fixture, "small");
    let mut mount = fixture.bare_command("mount", fixture.home.path());
    let mounted = finish(
        mount.args(["-t", "tmpfs", "-o", "size=128k", "tmpfs", "small"]),
        b"",
    );
    if mounted.code != 0 {
        eprintln!(
            "skipped: no small file system can be mounted here: {}",
            mounted.err
        );
        return;
    }
    struct Mounted<'a>(&'a Fixture);
    impl Drop for Mounted<'_> {
        fn drop(&mut self) {
            let mut umount = self.0.bare_command("umount", self.0.home.path());
            finish(umount.args(["-l", "small"]), b"");
        }
    }
    let _mounted = Mounted(&fixture);
    try_create(&fixture, &home, &small, &["--full"]).ok();
    let held = read(&manifest(&fixture, &home, &small));
    let filler = small.join("filler");
    let fill = || {
        let mut size = 256 << 10;
        while size > 512 {
            let old = std::fs::metadata(&filler).map_or(0, |meta| meta.len());
            let more = vec![7; usize::try_from(old).unwrap() + size];
            if std::fs::write(&filler, more).is_err() {
                size /= 2;
            }
        }
    };
    propose(&fixture, &home, "alice", "too-much");
    fill();
    for _ in 0..2 {
        let ran = try_create(&fixture, &home, &small, &["--full"]);
        assert_eq!(ran.code, 6, "{ran:?}");
        assert!(ran.err.contains("error: "), "{}", ran.err);
    }
    assert_eq!(read(&manifest(&fixture, &home, &small)), held);
    assert_eq!(files(&fixture, &small, ".part").len(), 0);
    // What it held is whole, and can be taken from the full stick.
    clone(&fixture, &small, "from-full");
    let ran = try_apply(&fixture, &away, &small);
    assert_eq!(ran.code, 0, "{ran:?}");
    std::fs::remove_file(&filler).unwrap();
    try_create(&fixture, &home, &small, &["--full"]).ok();
    let got = apply(&fixture, &away, &small);
    assert_eq!(
        applied(&got)[0]["taken"],
        json!(["proposals/alice/too-much"])
    );
    // Read only, as a switch on the stick makes it.
    propose(&fixture, &home, "alice", "last");
    create(&fixture, &home, &small);
    let mut remount = fixture.bare_command("mount", fixture.home.path());
    if finish(remount.args(["-o", "remount,ro", "small"]), b"").code == 0 {
        let ran = try_apply(&fixture, &away, &small);
        assert!(ran.err.contains("nobody learns what is here"), "{ran:?}");
        ran.ok();
        let ran = try_create(&fixture, &home, &small, &[]);
        assert_eq!(ran.code, 6, "{ran:?}");
        assert!(ran.err.contains("Read-only file system"), "{ran:?}");
    }
    assert_eq!(queue(&fixture, &away).len(), 2);
}

/// Moments spread over a command, the same in every run: most of them early, for some machines are quick.
fn moments(rounds: u32) -> impl Iterator<Item = std::time::Duration> {
    (0..rounds).map(move |n| {
        let part = f64::from((n * 37) % rounds) / f64::from(rounds);
        std::time::Duration::from_millis(90).mul_f64(part * part)
    })
}

#[test]
fn a_bundle_that_was_killed_while_it_was_written_is_not_believed_and_is_written_again() {
    let Pair {
        fixture,
        home,
        away,
        stick,
    } = Pair::new();
    let mut kills = 0;
    for (n, moment) in moments(16).enumerate() {
        propose(&fixture, &home, "alice", &format!("p{n}"));
        let mut run = fixture.command(&home, Some("bob"));
        run.args(["bundle", "create", stick.to_str().unwrap()]);
        kills += u32::from(kill(&mut run, moment));
        // What lies there is what was there before, or the new one: whole in both cases.
        let ran = try_apply(&fixture, &away, &stick);
        assert_eq!(ran.code, 0, "{ran:?}");
        create(&fixture, &home, &stick);
        apply(&fixture, &away, &stick);
        assert_eq!(queue(&fixture, &away), queue(&fixture, &home));
    }
    assert!(kills > 4, "{kills}");
    let left = files(&fixture, &stick, "");
    assert!(left.len() <= 5, "{left:?}");
}

#[test]
fn an_application_that_was_killed_is_run_again() {
    let Pair {
        fixture,
        home,
        away,
        stick,
    } = Pair::new();
    let mut kills = 0;
    for (n, moment) in moments(12).enumerate() {
        page(&fixture, &home, &format!("n{n}"));
        propose(&fixture, &home, "alice", &format!("waits{n}"));
        create(&fixture, &home, &stick);
        let mut run = fixture.command(&away, Some("bob"));
        run.args(["bundle", "apply", stick.to_str().unwrap()]);
        kills += u32::from(kill(&mut run, moment));
        // A git that the killed program had started takes a moment to end, and may hold a lock until then.
        let busy = || {
            try_apply(&fixture, &away, &stick)
                .err
                .contains("Another git process")
        };
        let _ = (0..1000).find(|_| !busy());
        apply(&fixture, &away, &stick);
        assert_eq!(newest(&fixture, &away), newest(&fixture, &home));
        assert_eq!(queue(&fixture, &away), queue(&fixture, &home));
    }
    assert!(kills > 3, "{kills}");
    sound(&fixture, &away);
    let incoming = git(&fixture, &away, &["for-each-ref", "refs/folio/incoming"]);
    assert_eq!(incoming, "");
}

#[test]
fn what_a_dead_folio_held_keeps_no_git_out_that_is_started_next() {
    let pair = Pair::new();
    page(&pair.fixture, &pair.home, "news");
    propose(&pair.fixture, &pair.home, "alice", "waits");
    create(&pair.fixture, &pair.home, &pair.stick);
    let key = format!("s-{}", read(&pair.manifest())["sender"].as_str().unwrap());
    let names = ["main", "proposals/alice/waits"];
    let names = names.map(|name| format!("refs/folio/incoming/{key}/{name}"));
    let mut locks = names
        .map(|name| lock_of_the_dead(&pair.away, &name))
        .to_vec();
    locks.push(lock_of_the_dead(&pair.away, "packed-refs"));
    // Somebody's, and not known to be dead.
    let other = pair.away.join("refs/heads/other.lock");
    std::fs::write(&other, "").unwrap();
    let ran = try_apply(&pair.fixture, &pair.away, &pair.stick);
    assert!(ran.code == 0 && !ran.err.contains("git process"), "{ran:?}");
    let newest_of = |dir| newest(&pair.fixture, dir);
    assert_eq!(newest_of(&pair.away), newest_of(&pair.home));
    assert_eq!(queue(&pair.fixture, &pair.away).len(), 1);
    let left: Vec<&PathBuf> = locks.iter().filter(|lock| lock.exists()).collect();
    assert_eq!(left, Vec::<&PathBuf>::new());
    assert!(other.exists());
    assert!(!pair.away.join("folio/locks/1-0").exists());
}

#[test]
fn a_month_without_the_witness_loses_nothing() {
    let fixture = Fixture::bare();
    let home = fixture.space.clone();
    let team: Vec<PathBuf> = ["one", "two", "three"]
        .map(|name| clone(&fixture, &home, name))
        .to_vec();
    let stick = stick(&fixture, "stick");
    let pass = |dir: &Path| {
        try_apply(&fixture, dir, &stick).ok();
        create(&fixture, dir, &stick);
    };
    let mut proposed = Vec::new();
    for week in 0..3 {
        for (n, dir) in team.iter().enumerate() {
            let who = ["alice", "bob", "alice"][n];
            let slug = format!("w{week}-{n}");
            propose(&fixture, dir, who, &slug);
            proposed.push(format!("{who}/{slug}"));
            pass(dir);
        }
    }
    // One that contradicts another: it is refused with a reason.
    let clash = "{\"op\":\"alias.set\",\"alias\":\"w0-0\",\"target\":\"elsewhere\"}\n";
    let mut run = fixture.command(&team[2], Some("bob"));
    let args = ["propose", "-m", "Clash", "--slug", "clash", "-f", "-"];
    finish(run.args(args), clash.as_bytes()).ok();
    proposed.push("bob/clash".into());
    pass(&team[2]);
    pass(&team[0]);
    folio(&fixture, &team[0], "alice", &["approve", "bob/w0-1"]).ok();
    pass(&team[0]);
    proposed.sort();
    assert_eq!(queue(&fixture, &team[0]), proposed);
    // The witness is back, and was never seen on this stick: it leaves word of what it has, and one of them
    // brings it everything.
    let ran = try_apply(&fixture, &home, &stick);
    ran.refused("bundle-gap", 6);
    create(&fixture, &team[1], &stick);
    assert_eq!(applied(&apply(&fixture, &home, &stick)).len(), 3);
    assert_eq!(queue(&fixture, &home), proposed);
    assert!(refs(&fixture, &home).contains("refs/heads/reviews/alice/"));
    let report = folio(&fixture, &home, "wanda", &["--json", "witness", "run"]).json();
    let numbered = report["numbered"].as_array().unwrap().len();
    assert_eq!(
        (numbered, &report["refused"]),
        (proposed.len() - 1, &json!(1)),
        "{report}"
    );
    create(&fixture, &home, &stick);
    for dir in &team {
        pass(dir);
        assert_eq!(newest(&fixture, dir), 1 + numbered as u64);
        assert_eq!(queue(&fixture, dir), queue(&fixture, &home));
        let why = folio(&fixture, dir, "bob", &["--json", "queue"]).json();
        let refusals = why["proposals"][0]["refusals"].as_array().unwrap();
        assert_eq!(refusals.len(), 1, "{why}");
        sound(&fixture, dir);
    }
}
