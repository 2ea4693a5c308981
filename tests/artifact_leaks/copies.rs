//! Everything that copies a repository, local ways included.

use crate::hoard::Hoard;

#[test]
fn no_copy_has_what_is_internal() {
    let hoard = Hoard::new();
    let net = &hoard.net;
    let url = format!("file://{}", hoard.space().display());
    let ways: [&[&str]; 9] = [
        &["space"],
        &["--local", "space"],
        &["--no-hardlinks", "space"],
        &["--bare", "space"],
        &["--mirror", "space"],
        &["--shared", "space"],
        &["--mirror", "--no-local", "space"],
        &["--depth=1", &url],
        &["--mirror", &url],
    ];
    for (n, way) in ways.iter().enumerate() {
        let name = format!("copy{n}");
        net.git(".", &[&["clone", "-q"], *way, &[&name]].concat());
        assert!(net.at(&name, "HEAD").is_some());
        hoard.is_nowhere_in(&net.path(&name));
    }
    let dissociate = [
        "clone",
        "-q",
        "--reference",
        "space",
        "--dissociate",
        "hub.git",
        "dis",
    ];
    net.git(".", &dissociate);
    hoard.is_nowhere_in(&net.path("dis"));
}

#[test]
fn nor_what_is_pushed_bundled_or_archived() {
    let hoard = Hoard::new();
    let net = &hoard.net;
    let mirror = hoard.scratch("mirror.git");
    net.git("space", &["push", "-q", "--mirror", "../mirror.git"]);
    hoard.is_nowhere_in(&mirror);
    net.git(
        "space",
        &["bundle", "create", "-q", "../all.bundle", "--all"],
    );
    net.git(".", &["clone", "-q", "--mirror", "all.bundle", "bundled"]);
    hoard.is_nowhere_in(&net.path("bundled"));
    let bundle = std::fs::read(net.path("all.bundle")).unwrap();
    hoard.is_not_in(&bundle, "a bundle");
    for id in &hoard.ids {
        let ran = net.try_git("space", &["bundle", "create", "-q", "../one.bundle", id]);
        assert_ne!(ran.code, 0, "{id}");
        assert_ne!(net.try_git("space", &["archive", id]).code, 0, "{id}");
        assert_ne!(
            net.try_git("space", &["update-ref", "refs/heads/x", id])
                .code,
            0
        );
        let refspec = format!("{id}:refs/heads/x");
        assert_ne!(
            net.try_git("space", &["push", "-q", "../mirror.git", &refspec])
                .code,
            0
        );
    }
    // A pack of everything that git sees.
    let packs = ["repack", "-adfq"];
    net.git("space", &packs);
    net.git("space", &["gc", "-q", "--prune=now"]);
    hoard.is_nowhere_in(&mirror);
    // What is there stays readable.
    let key = blake3::hash(&hoard.secrets[0]).to_hex().to_string();
    let mut cat = net.command("space", "", &["artifact", "cat", &key]);
    assert_eq!(cat.output().unwrap().stdout, hoard.secrets[0]);
}

#[test]
fn nor_what_folio_sends() {
    let hoard = Hoard::new();
    let net = &hoard.net;
    let id = net.space_id();
    net.run(".", "", &["clone", "space", "cloned", "--space", &id])
        .ok();
    net.run(
        ".",
        "",
        &["clone", "space", "shallow", "--space", &id, "--depth", "1"],
    )
    .ok();
    net.run(
        ".",
        "",
        &["clone", "space", "bare", "--space", &id, "--bare"],
    )
    .ok();
    for name in ["cloned", "shallow", "bare"] {
        hoard.is_nowhere_in(&net.path(name));
    }
    net.propose("space", "alice", "two");
    net.run("space", "alice", &["submit"]).ok();
    net.run("space", "wanda", &["accept", "--all"]).ok();
    net.run("space", "wanda", &["push"]).ok();
    net.run("space", "alice", &["sync"]).ok();
    hoard.is_nowhere_in(&net.path("hub.git"));
    std::fs::create_dir(net.path("stick")).unwrap();
    net.run("space", "", &["bundle", "create", "../stick"]).ok();
    let mut left = vec![net.path("stick")];
    while let Some(dir) = left.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => left.push(path),
                false => hoard.is_not_in(&std::fs::read(&path).unwrap(), "a stick"),
            }
        }
    }
}
