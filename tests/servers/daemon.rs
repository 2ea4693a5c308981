//! `git daemon`, which lets everybody push: only for a network in which everybody may.

use super::Way;
use super::server::Served;
use super::sockets::Inetd;
use std::process::{Command, Stdio};

#[test]
fn git_daemon() {
    let served = Served::empty();
    let base = served.fixture.home.path().to_owned();
    let serve = move || {
        let mut git = Command::new("git");
        git.env_clear().current_dir(&base).env("HOME", &base);
        git.env("PATH", std::env::var_os("PATH").unwrap());
        git.env("GIT_CONFIG_NOSYSTEM", "1").stderr(Stdio::null());
        git.args(["daemon", "--inetd", "--export-all", "--enable=receive-pack"]);
        git.arg(format!("--base-path={}", base.display()));
        git
    };
    let inetd = Inetd::serve(serve);
    let way = Way {
        url: format!("git://127.0.0.1:{}/server.git", inetd.port),
        served: &served,
        ssh: None,
    };
    way.carries_a_space();
}
