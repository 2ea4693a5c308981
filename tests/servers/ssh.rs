//! A real sshd with plain git behind it, and with gitolite.

use super::cli::finish;
use super::server::Served;
use super::sockets::Inetd;
use super::{Way, program};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// sshd for the user who runs the test, with keys of its own.
struct Sshd {
    inetd: Inetd,
    user: String,
    dir: PathBuf,
}

impl Sshd {
    /// `home` is where sessions think they are at home; keys are looked for in `.ssh/authorized_keys` there.
    fn start(program: &str, dir: &Path, home: &Path) -> Option<Self> {
        let user = Command::new("id").arg("-un").output().ok()?.stdout;
        let user = String::from_utf8(user).ok()?.trim().to_owned();
        // sshd wants this directory when it runs as root; the system makes it when it starts the service.
        let needs = Path::new("/run/sshd");
        if user == "root" && !needs.exists() && std::fs::create_dir(needs).is_err() {
            eprintln!("skipped: sshd needs /run/sshd");
            return None;
        }
        key(dir, "host");
        let path = std::env::var("PATH").ok()?;
        let config = format!(
            "HostKey {dir}/host\nAuthorizedKeysFile {home}/.ssh/authorized_keys\nPidFile none\n\
             UsePAM no\nStrictModes no\nPasswordAuthentication no\nPermitRootLogin yes\nPrintMotd no\n\
             KbdInteractiveAuthentication no\nLogLevel DEBUG1\n\
             SetEnv HOME={home} PATH={path} GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1\n",
            dir = dir.display(),
            home = home.display(),
        );
        let file = dir.join("sshd_config");
        std::fs::write(&file, config).unwrap();
        let (program, log) = (program.to_owned(), dir.join("sshd.log"));
        let serve = move || {
            let mut sshd = Command::new(&program);
            sshd.arg("-i").arg("-f").arg(&file).arg("-E").arg(&log);
            sshd.stderr(Stdio::null());
            sshd
        };
        let inetd = Inetd::serve(serve);
        let dir = dir.to_owned();
        Some(Self { inetd, user, dir })
    }

    /// How git gets there with a key.
    fn command(&self, key: &str) -> String {
        let key = self.dir.join(key);
        format!(
            "ssh -F /dev/null -i {} -p {} -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes \
             -o UserKnownHostsFile=/dev/null -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=no \
             -o LogLevel=ERROR",
            key.display(),
            self.inetd.port
        )
    }
}

/// A new ssh key without a passphrase.
fn key(dir: &Path, name: &str) {
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]);
    finish(keygen.arg(dir.join(name)), b"").ok();
}

#[test]
fn plain_git_behind_sshd() {
    let (Some(sshd), Some(_), Some(_)) = (program("sshd"), program("ssh"), program("ssh-keygen"))
    else {
        return;
    };
    let served = Served::empty();
    let dir = served.fixture.home.path().join("ssh");
    std::fs::create_dir_all(dir.join(".ssh")).unwrap();
    let Some(sshd) = Sshd::start(&sshd, &dir, &dir) else {
        return;
    };
    key(&dir, "bob");
    std::fs::copy(dir.join("bob.pub"), dir.join(".ssh/authorized_keys")).unwrap();
    let way = Way {
        url: format!("ssh://{}@127.0.0.1{}", sshd.user, served.server.display()),
        served: &served,
        ssh: Some(sshd.command("bob")),
    };
    way.carries_a_space();
}

#[test]
fn gitolite_behind_sshd() {
    let (Some(sshd), Some(_), Some(gitolite)) =
        (program("sshd"), program("ssh"), program("gitolite"))
    else {
        return;
    };
    let mut served = Served::empty();
    let home = served.fixture.home.path().join("gitolite");
    std::fs::create_dir(&home).unwrap();
    key(&home, "admin");
    key(&home, "bob");
    let run = |args: &[&str]| {
        let mut command = served.fixture.bare_command(&gitolite, &home);
        finish(command.env("HOME", &home).args(args), b"").ok()
    };
    run(&["setup", "-pk", "admin.pub"]);
    // What one pushes to gitolite-admin, put where gitolite keeps it.
    std::fs::create_dir_all(home.join(".gitolite/keydir")).unwrap();
    std::fs::copy(home.join("bob.pub"), home.join(".gitolite/keydir/bob.pub")).unwrap();
    let conf = "repo space\n    RW+ = bob\n";
    std::fs::write(home.join(".gitolite/conf/gitolite.conf"), conf).unwrap();
    run(&["compile"]);
    run(&["trigger", "POST_COMPILE"]);
    served.server = home.join("repositories/space.git");
    served.on_server(&["hook", "install"]).ok();
    let Some(sshd) = Sshd::start(&sshd, &home, &home) else {
        return;
    };
    let way = |who: &str| Way {
        url: format!("ssh://{}@127.0.0.1/space", sshd.user),
        served: &served,
        ssh: Some(sshd.command(who)),
    };
    way("bob").carries_a_space();
    // gitolite still says who may push at all.
    let ran = way("admin").push("main");
    assert!(ran.code != 0 && ran.err.contains("DENIED"), "{}", ran.err);
}
