//! What Folio asks, and it asks only where somebody sees the question and can answer: on a terminal.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "common/cli.rs"]
mod cli;

use cli::Fixture;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

/// Both ends of a terminal of its own: where somebody sits, and where a program runs.
fn terminal() -> (File, File) {
    let seat = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&seat).unwrap();
    unlockpt(&seat).unwrap();
    let name = ptsname(&seat, Vec::new()).unwrap().into_string().unwrap();
    let program = File::options().read(true).write(true).open(name).unwrap();
    (File::from(seat), program)
}

/// All that was seen on a terminal where nothing runs any more.
fn seen(mut seat: File) -> String {
    let (mut all, mut some) = (Vec::new(), [0; 4096]);
    // The end of it is an error on some systems.
    while let Ok(len @ 1..) = seat.read(&mut some) {
        all.extend_from_slice(&some[..len]);
    }
    String::from_utf8(all).unwrap()
}

/// Runs a command on a terminal, with an answer typed ahead: its exit code, and what was seen there.
fn answered(mut command: Command, answer: &str) -> (Option<i32>, String) {
    let (mut seat, program) = terminal();
    writeln!(seat, "{answer}").unwrap();
    let again = || Stdio::from(program.try_clone().unwrap());
    command.stdin(again()).stderr(again()).stdout(Stdio::null());
    let ended = command.status().unwrap();
    drop((command, program));
    (ended.code(), seen(seat))
}

fn clone(fixture: &Fixture, to: &str) -> Command {
    let mut command = fixture.command(fixture.home.path(), None);
    command.arg("clone").arg(&fixture.space).arg(to);
    command
}

#[test]
fn a_first_clone_shows_whose_space_it_is_and_asks() {
    let fixture = Fixture::bare();
    for (answer, exit) in [("y", 0), ("Y", 0), ("", 3), ("n", 3), ("yes", 3)] {
        let name = format!("copy-{answer}");
        let (code, seen) = answered(clone(&fixture, &name), answer);
        assert_eq!(code, Some(exit), "{answer}: {seen}");
        assert_eq!(fixture.path(&name).exists(), exit == 0, "{answer}");
        for word in [
            "Space:   ",
            "Founder: alice SHA256:",
            "Witness: wanda SHA256:",
        ] {
            assert!(seen.contains(word), "{seen}");
        }
        assert!(seen.contains("the space you mean?"), "{seen}");
        assert_eq!(seen.contains("trust-needed"), exit != 0, "{seen}");
    }
}

#[test]
fn who_does_not_see_the_question_is_not_asked() {
    let fixture = Fixture::bare();
    let (mut seat, program) = terminal();
    writeln!(seat, "y").unwrap();
    let mut command = clone(&fixture, "copy");
    command.stdin(program.try_clone().unwrap()).stdout(program);
    let ran = command.stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(3), "{said}");
    assert!(said.contains("there is nobody to ask"), "{said}");
    assert!(!fixture.path("copy").exists());
    // stdout is a terminal, and stderr goes into a file: no colours there.
    assert!(!said.contains('\u{1b}'), "{said:?}");
}

#[test]
fn bytes_are_erased_for_good_after_a_yes_alone() {
    let fixture = Fixture::bare();
    let file = fixture.write("bytes", "some bytes");
    let key = blake3::hash(b"some bytes").to_hex();
    let add = ["artifact", "add", file.to_str().unwrap()];
    fixture.run("bob", &add).ok();
    for (answer, exit) in [("", 2), ("n", 2), ("yes", 0)] {
        let mut purge = fixture.command(&fixture.space, Some("bob"));
        purge.args(["artifact", "purge", &key]);
        let (code, seen) = answered(purge, answer);
        assert_eq!(code, Some(exit), "{answer}: {seen}");
        assert!(seen.contains("here for good? [y/N]"), "{seen}");
        let there = fixture.run("bob", &["artifact", "cat", &key]).code == 0;
        assert_eq!(there, exit != 0, "{answer}");
    }
}
