//! The internal store itself, for whoever tries to serve or copy it: plain git refuses to open it.

use crate::cli::finish;
use crate::hoard::Hoard;
use crate::servers::{self, Web, ask_daemon, ask_program};
use crate::wire::{has_pack, want};
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn nobody_serves_the_internal_store() {
    let hoard = Hoard::new();
    let home = hoard.net.path("");
    let internal = hoard.internal();
    let mode = std::fs::metadata(&internal).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let daemon = servers::daemon(&home);
    let web = Web::serve(&home);
    for version in [0, 1, 2] {
        for id in &hoard.ids {
            let request = want(version, id);
            let path = "/space/folio/internal.git";
            let answers = [
                ask_daemon(daemon.port, "git-upload-pack", path, version, &request),
                ask_program(&home, &internal, version, &request),
                web.ask(
                    "POST",
                    &format!("{path}/git-upload-pack"),
                    version,
                    &request,
                ),
            ];
            for answer in answers {
                assert!(!has_pack(&answer), "{}", String::from_utf8_lossy(&answer));
                hoard.is_not_in(&answer, "an answer");
            }
        }
    }
    // As files, which a web server of git's gives out of any repository that it opens.
    let mut files = vec![
        "HEAD".to_owned(),
        "info/refs".into(),
        "objects/info/packs".into(),
    ];
    for entry in std::fs::read_dir(internal.join("objects/pack")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        files.push(format!("objects/pack/{name}"));
    }
    assert!(files.iter().any(|name| name.ends_with(".pack")));
    for base in [
        "/space/folio/internal.git",
        "/space/objects/../folio/internal.git",
        "/./space/folio/internal.git",
    ] {
        for file in &files {
            let answer = web.ask("GET", &format!("{base}/{file}"), 0, b"");
            let said = String::from_utf8_lossy(&answer[..answer.len().min(40)]).into_owned();
            assert!(!said.starts_with("HTTP/1.1 200"), "{base}/{file}: {said}");
            hoard.is_not_in(&answer, file);
        }
    }
    // The same question about the space itself is answered.
    let answer = web.ask("GET", "/space/HEAD", 0, b"");
    assert!(
        answer.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
}

#[test]
fn plain_git_does_not_open_the_internal_store() {
    let hoard = Hoard::new();
    let net = &hoard.net;
    let internal = hoard.internal();
    let dir = internal.to_str().unwrap();
    let url = format!("file://{dir}");
    let scratch = hoard.scratch("attacker.git");
    for args in [
        &["clone", "-q", dir, "stolen"][..],
        &["clone", "-q", "--mirror", &url, "stolen"],
        &["clone", "-q", "--local", "--bare", dir, "stolen"],
        &["--git-dir", dir, "log", "-1", "refs/artifacts/internal"],
        &["--git-dir", dir, "bundle", "create", "stolen", "--all"],
        &["--git-dir", dir, "push", "-q", "--mirror", "attacker.git"],
        &["--git-dir", dir, "cat-file", "-t", &hoard.ids[0]],
        &["ls-remote", dir],
    ] {
        let ran = net.try_git(".", args);
        assert_ne!(ran.code, 0, "{args:?}");
        assert!(!net.path("stolen").exists(), "{args:?}");
    }
    for refspec in [
        "refs/artifacts/internal:refs/heads/x",
        hoard.ids[0].as_str(),
    ] {
        let ran = net.try_git("attacker.git", &["fetch", "-q", dir, refspec]);
        assert_ne!(ran.code, 0, "{refspec}");
    }
    hoard.is_nowhere_in(&scratch);
    // It stands in nobody's alternates, and names none.
    for dir in [hoard.space(), internal.clone()] {
        assert!(!dir.join("objects/info/alternates").exists());
    }
    // Where it is found by accident, from inside, git says why it stops.
    let mut git = net.fixture.bare_command("git", &internal);
    let ran = finish(git.args(["rev-parse", "--git-dir"]), b"");
    assert!(
        ran.err.to_lowercase().contains("foliointernal"),
        "{}",
        ran.err
    );
}
