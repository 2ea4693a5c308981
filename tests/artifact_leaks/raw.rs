//! Raw requests for each object, by every protocol and server; then the same by git's own client.

use crate::cli::finish;
use crate::hoard::Hoard;
use crate::servers::{self, Web, ask_daemon, ask_program};
use crate::wire::{has_pack, want, want_shallow};

const VERSIONS: [u8; 3] = [0, 1, 2];

#[test]
fn no_request_gets_an_internal_object() {
    let hoard = Hoard::new();
    let home = hoard.net.path("");
    let daemon = servers::daemon(&home);
    let web = Web::serve(&home);
    let main = hoard.net.at("space", "main").unwrap();
    let ask = |version: u8, id: &str| {
        let request = want(version, id);
        let rpc = "/space/git-upload-pack";
        [
            (
                "daemon",
                ask_daemon(daemon.port, "git-upload-pack", "/space", version, &request),
            ),
            ("ssh", ask_program(&home, &hoard.space(), version, &request)),
            ("http", web.ask("POST", rpc, version, &request)),
        ]
    };
    for version in VERSIONS {
        // What is offered to everybody comes: the requests are good ones.
        for (how, answer) in ask(version, &main) {
            let said = String::from_utf8_lossy(&answer).into_owned();
            assert!(has_pack(&answer), "{how} {version}: {said}");
        }
        for id in &hoard.ids {
            for (how, answer) in ask(version, id) {
                let said = String::from_utf8_lossy(&answer).into_owned();
                assert!(!has_pack(&answer), "{how} {version} {id}: {said}");
                let refused = said.contains("not our ref") || said.ends_with(servers::RESET);
                assert!(refused, "{how} {version} {id}: {said}");
                hoard.is_not_in(&answer, how);
            }
        }
    }
    for id in &hoard.ids {
        let answer = ask_program(&home, &hoard.space(), 0, &want_shallow(id));
        assert!(!has_pack(&answer), "{id}");
        let archive = crate::wire::packet(&format!("argument {id}"));
        let answer = ask_daemon(
            daemon.port,
            "git-upload-archive",
            "/space",
            0,
            &[&archive[..], b"0000"].concat(),
        );
        hoard.is_not_in(&answer, "an archive");
        let (two, rest) = id.split_at(2);
        for path in [
            format!("/space/objects/{two}/{rest}"),
            format!("/space/folio/internal.git/objects/{two}/{rest}"),
        ] {
            let answer = web.ask("GET", &path, 0, b"");
            assert!(!answer.starts_with(b"HTTP/1.1 200"), "{path}");
        }
    }
}

#[test]
fn nor_does_gits_own_client() {
    let hoard = Hoard::new();
    let home = hoard.net.path("");
    let daemon = servers::daemon(&home);
    let web = Web::serve(&home);
    let ssh = servers::ssh_script(&home);
    let space = hoard.space();
    let urls = [
        space.display().to_string(),
        format!("file://{}", space.display()),
        format!("git://127.0.0.1:{}/space", daemon.port),
        format!("http://127.0.0.1:{}/space", web.port),
        format!("ssh://nobody@localhost{}", space.display()),
    ];
    let scratch = hoard.scratch("attacker.git");
    let fetch = |args: &[&str]| {
        let mut git = hoard.net.fixture.bare_command("git", &scratch);
        git.env("GIT_SSH", &ssh).env("GIT_SSH_VARIANT", "ssh");
        finish(git.args(args), b"")
    };
    let some = [hoard.ids.first().unwrap(), hoard.ids.last().unwrap()];
    for url in &urls {
        for version in VERSIONS {
            let protocol = format!("protocol.version={version}");
            let args = ["-c", &protocol, "fetch", "-q", url];
            fetch(&[&args[..], &["+refs/*:refs/all/*"]].concat()).ok();
            for id in some {
                for more in [&["--depth=1"][..], &[]] {
                    let ran = fetch(&[&args[..], more, &[id.as_str()]].concat());
                    assert_ne!(ran.code, 0, "{url} {version}");
                }
            }
        }
    }
    let main = hoard.net.at("space", "main").unwrap();
    assert_eq!(
        hoard.net.at("attacker.git", "refs/all/heads/main"),
        Some(main)
    );
    hoard.is_nowhere_in(&scratch);
}
