//! Making and finding repositories, and reading configuration.

use super::*;

#[test]
fn git_is_happy_with_a_new_repository_and_reads_its_configuration() {
    for format in FORMATS {
        for bare in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let odd = "a \"quoted\" \\ value; with # and\ttab ";
            let config = [
                ("gc.auto", "0".to_owned()),
                ("gpg.ssh.allowedSignersFile", odd.to_owned()),
                ("remote.a \"b\\c.url", "x".to_owned()),
                ("core.fsync", "all".to_owned()),
            ];
            let store = GitStore::init(dir.path(), bare, format, &config).unwrap();
            assert_eq!((store.is_bare(), store.object_format()), (bare, format));
            assert_eq!(store.work_tree().is_none(), bare);
            assert_eq!(store.head().unwrap().as_deref(), Some(MAIN));
            for (key, value) in &config {
                assert_eq!(store.config_value(key).as_deref(), Some(value.as_str()));
                // Read raw: `git` trims nothing that was quoted.
                let output = git_output(dir.path(), &["config", "-z", "--get", key]);
                assert_eq!(output.stdout, format!("{value}\0").as_bytes());
            }
            let shown = git(dir.path(), &["rev-parse", "--show-object-format"]);
            assert_eq!(shown, format.as_str());
            git(dir.path(), &["fsck", "--strict"]);
            if !bare {
                assert_eq!(
                    git(dir.path(), &["status", "--porcelain=v2", "--branch"])
                        .lines()
                        .count(),
                    2
                );
            }
            let again = GitStore::init(dir.path(), bare, format, &[]);
            assert_eq!(again.err().unwrap().code, Code::AlreadyARepository);
        }
    }
}

#[test]
fn keys_and_values_that_git_cannot_read_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for (key, value) in [
        ("nosection", "x"),
        ("a.b\nc.d", "x"),
        ("a.b", "x\0"),
        ("a b.c", "x"),
        (".a", ""),
    ] {
        let config = [(key, value.to_owned())];
        let fault = GitStore::init(dir.path(), false, ObjectFormat::Sha1, &config)
            .err()
            .unwrap();
        assert_eq!(fault.code, Code::BadRequest, "{key:?}");
    }
    assert!(
        fs::read_dir(dir.path()).unwrap().next().is_none(),
        "nothing was made"
    );
}

#[test]
fn repositories_are_found_upwards_and_reftables_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(
        GitStore::open(dir.path()).err().unwrap().code,
        Code::NotASpace
    );
    let store = new_store(dir.path(), false, ObjectFormat::Sha256);
    let deep = dir.path().join("a/b");
    fs::create_dir_all(&deep).unwrap();
    let found = GitStore::discover(&deep).unwrap();
    assert_eq!(
        found.git_dir().canonicalize().unwrap(),
        store.git_dir().canonicalize().unwrap()
    );
    assert_eq!(GitStore::open(&deep).err().unwrap().code, Code::NotASpace);
    let other = tempfile::tempdir().unwrap();
    git(other.path(), &["init", "-q", "--ref-format=reftable"]);
    let fault = GitStore::discover(other.path()).err().unwrap();
    assert_eq!(fault.code, Code::Unsupported);
    assert!(fault.what.contains("reftable"), "{fault}");
}

/// Run by [`the_users_configuration_is_read_as_git_reads_it`] in an environment of its own.
#[test]
#[ignore = "needs the environment that another test gives it"]
fn print_user_configuration() {
    let dir = std::env::var_os("TEST_DIR").map(PathBuf::from);
    for key in ["user.name", "user.email", "gpg.ssh.program"] {
        println!(
            "<{key}={:?}>",
            user_config_value(dir.as_deref(), key).unwrap()
        );
    }
}

#[test]
fn the_users_configuration_is_read_as_git_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let config = [("user.email", "local@example.org".to_owned())];
    GitStore::init(&dir.path().join("r"), false, ObjectFormat::Sha1, &config).unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let global = file(
        "global",
        "[user]\n\tname = Global\n\temail = global@example.org\n",
    );
    let system = file(
        "system",
        "[gpg \"ssh\"]\n\tprogram = sys\n[user]\n\tname = System\n",
    );
    let run = |repo: Option<&str>, no_system: &str| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args([
            "--exact",
            "store::git::tests::repository::print_user_configuration",
        ]);
        child.args(["--ignored", "--nocapture"]);
        child
            .env("GIT_CONFIG_GLOBAL", &global)
            .env("GIT_CONFIG_SYSTEM", &system);
        child.env("GIT_CONFIG_NOSYSTEM", no_system);
        if let Some(repo) = repo {
            child.env("TEST_DIR", dir.path().join(repo));
        }
        String::from_utf8(child.output().unwrap().stdout).unwrap()
    };
    let shows = |text: &str, key: &str, value: Option<&str>| {
        let want = format!("<{key}={value:?}>", value = value.map(str::to_owned));
        assert!(text.contains(&want), "expected {want} in {text}");
    };
    let inside = run(Some("r"), "0");
    shows(&inside, "user.name", Some("Global"));
    shows(&inside, "user.email", Some("local@example.org"));
    shows(&inside, "gpg.ssh.program", Some("sys"));
    let outside = run(None, "0");
    shows(&outside, "user.email", Some("global@example.org"));
    shows(&outside, "gpg.ssh.program", Some("sys"));
    for text in [run(Some("r"), "1"), run(None, "1")] {
        shows(&text, "gpg.ssh.program", None);
        shows(&text, "user.name", Some("Global"));
    }
    // What decides about validity never sees any of it.
    let store = GitStore::open(&dir.path().join("r")).unwrap();
    assert_eq!(store.config_value("user.name"), None);
}
