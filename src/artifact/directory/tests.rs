use super::{Restored, Source, Walk, restore};
use crate::artifact::ArtifactFault;
use crate::codec::manifest::HEADER;
use crate::model::{Code, ContentDigest};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read as _, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

/// Artifacts in memory, and something that happens when a file is read.
#[derive(Default)]
struct Shelf {
    manifest: String,
    files: BTreeMap<ContentDigest, Vec<u8>>,
    meanwhile: RefCell<Option<Box<dyn FnOnce()>>>,
}

impl Source for Shelf {
    fn manifest(
        &self,
        each: &mut dyn FnMut(&[u8]) -> Result<(), ArtifactFault>,
    ) -> Result<(), ArtifactFault> {
        self.manifest.as_bytes().chunks(100).try_for_each(each)
    }

    fn file(&self, key: &ContentDigest, _: u64, into: &mut dyn Write) -> Result<(), ArtifactFault> {
        if let Some(meanwhile) = self.meanwhile.take() {
            meanwhile();
        }
        let bytes = self.files.get(key);
        let bytes = bytes.ok_or(ArtifactFault::new(Code::NotFound, key.to_string()))?;
        into.write_all(bytes).unwrap();
        Ok(())
    }
}

fn key(bytes: &[u8]) -> ContentDigest {
    ContentDigest(*blake3::hash(bytes).as_bytes())
}

fn add(dir: &Path) -> Result<Shelf, ArtifactFault> {
    let walk = Walk::new(dir)?;
    let mut shelf = Shelf::default();
    let mut keys = Vec::new();
    for (path, size) in walk.files() {
        let bytes = fs::read(path).unwrap();
        assert_eq!(bytes.len() as u64, size);
        keys.push(key(&bytes));
        shelf.files.insert(key(&bytes), bytes);
    }
    walk.check_unchanged()?;
    let read = walk.manifest(keys).read_to_string(&mut shelf.manifest);
    read.map_err(|err| ArtifactFault::from_io("read", err))?;
    Ok(shelf)
}

/// A tree as text: a line for each name, with its mode and its bytes.
fn picture(dir: &Path) -> Vec<String> {
    fn below(dir: &Path, at: &str, lines: &mut Vec<String>) {
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{at}/{}", entry.file_name().to_str().unwrap());
            let meta = fs::symlink_metadata(entry.path()).unwrap();
            let mode = meta.mode() & 0o170_100;
            if meta.is_dir() {
                lines.push(format!("{name} {mode:o}"));
                below(&entry.path(), &name, lines);
            } else if meta.is_symlink() {
                lines.push(format!("{name} {:?}", fs::read_link(entry.path()).unwrap()));
            } else {
                let bytes = fs::read(entry.path()).unwrap();
                lines.push(format!("{name} {mode:o} {}", key(&bytes)));
            }
        }
    }
    let mut lines = Vec::new();
    below(dir, "", &mut lines);
    lines.sort();
    lines
}

fn names(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap();
    let mut names: Vec<_> = names
        .map(|name| name.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn write(dir: &Path, name: &str, bytes: &[u8]) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn small(dir: &Path) {
    write(dir, "a.txt", b"a");
    write(dir, "a/b/c", b"c");
    write(dir, "a/b-c", b"");
    write(dir, "run", b"#!/bin/sh\n");
    write(dir, "d/\u{e9} \"x\"\u{202e}", b"odd");
    fs::set_permissions(dir.join("run"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::create_dir_all(dir.join("empty/inside")).unwrap();
    symlink("../a/b/nothing", dir.join("d/link")).unwrap();
    symlink("a", dir.join("to-a")).unwrap();
    age(dir);
}

/// Makes files and directories look as if nobody wrote there lately: the clock of a file system ticks slowly.
fn age(path: &Path) {
    let meta = fs::symlink_metadata(path).unwrap();
    if meta.is_dir() {
        let below = fs::read_dir(path).unwrap();
        below.for_each(|entry| age(&entry.unwrap().path()));
    }
    if !meta.is_symlink() {
        let then = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_767_225_600);
        File::open(path).unwrap().set_modified(then).unwrap();
    }
}

#[test]
fn a_directory_comes_back_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    small(&from);
    let shelf = add(&from).unwrap();
    let restored = restore(&shelf, &to).unwrap();
    assert_eq!(picture(&from), picture(&to));
    let expected = Restored {
        files: 5,
        links: 2,
        empty: 1,
        bytes: 15,
    };
    assert_eq!(restored, expected);
    assert_eq!(names(dir.path()), ["from", "to"]);
    assert_eq!(add(&to).unwrap().manifest, shelf.manifest);
    let paths = shelf.manifest.lines().skip(1);
    assert_eq!(paths.count(), 8);
    // Nothing in it, and nothing at all, are directories too.
    let (none, again) = (dir.path().join("none"), dir.path().join("again"));
    fs::create_dir(&none).unwrap();
    fs::create_dir(&again).unwrap();
    let shelf = add(&none).unwrap();
    assert_eq!(shelf.manifest, HEADER);
    restore(&shelf, &again).unwrap();
    assert_eq!(names(&again), [""; 0]);
}

#[test]
fn a_destination_that_is_taken_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    small(&dir.path().join("from"));
    let shelf = add(&dir.path().join("from")).unwrap();
    let code = |name: &str| restore(&shelf, &dir.path().join(name)).unwrap_err().code;
    write(dir.path(), "file", b"mine");
    write(dir.path(), "full/file", b"mine");
    fs::create_dir(dir.path().join("there")).unwrap();
    symlink("there", dir.path().join("link")).unwrap();
    symlink("nowhere", dir.path().join("dangling")).unwrap();
    let before = picture(dir.path());
    for taken in ["file", "full", "link", "dangling", "from", "."] {
        assert_eq!(code(taken), Code::NotEmpty, "{taken}");
    }
    assert_eq!(code("no/such/place"), Code::Io);
    assert_eq!(picture(dir.path()), before);
}

#[test]
fn what_is_planted_meanwhile_is_not_written_through() {
    for link in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        small(&dir.path().join("from"));
        let shelf = add(&dir.path().join("from")).unwrap();
        fs::create_dir(dir.path().join("outside")).unwrap();
        let (to, outside) = (dir.path().join("to"), dir.path().join("outside"));
        *shelf.meanwhile.borrow_mut() = Some(Box::new(move || match link {
            true => symlink(&outside, &to).unwrap(),
            false => write(&to, "theirs", b"theirs"),
        }));
        let fault = restore(&shelf, &dir.path().join("to")).unwrap_err();
        assert_eq!(fault.code, Code::NotEmpty);
        assert_eq!(names(&dir.path().join("outside")), [""; 0]);
        assert_eq!(names(dir.path()), ["from", "outside", "to"]);
    }
}

#[test]
fn links_planted_where_we_work_are_not_followed() {
    for planted in ["a/b", "run", "d", "empty"] {
        let dir = tempfile::tempdir().unwrap();
        small(&dir.path().join("from"));
        let shelf = add(&dir.path().join("from")).unwrap();
        let (root, at) = (dir.path().to_owned(), planted.to_owned());
        fs::create_dir(root.join("outside")).unwrap();
        *shelf.meanwhile.borrow_mut() = Some(Box::new(move || {
            let site = names(&root)
                .into_iter()
                .find(|name| name.starts_with(".folio-get-"));
            let place = root.join(site.unwrap()).join("tree").join(at);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            symlink(root.join("outside"), place).unwrap();
        }));
        let fault = restore(&shelf, &dir.path().join("to")).unwrap_err();
        assert_eq!(fault.code, Code::Io, "{planted}");
        assert_eq!(names(&dir.path().join("outside")), [""; 0]);
        assert_eq!(names(dir.path()), ["from", "outside"]);
    }
}

#[test]
fn a_failure_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    small(&dir.path().join("from"));
    let mut shelf = add(&dir.path().join("from")).unwrap();
    let good = shelf.manifest.clone();
    let to = dir.path().join("to");
    let last = good.lines().last().unwrap().to_owned();
    for (bad, code) in [
        (good.trim_end().to_owned(), Code::ManifestMalformed),
        (format!("{good}{last}\n"), Code::ManifestMalformed),
        (good.replace("\"run\"", "\"../run\""), Code::PathUnsafe),
        (good.replace("\"run\"", "\"RUN\""), Code::ManifestMalformed),
        (
            good.replace("\"target\":\"a\"", "\"target\":\"..\""),
            Code::PathUnsafe,
        ),
    ] {
        shelf.manifest = bad;
        // Found before any file is asked for.
        *shelf.meanwhile.borrow_mut() = Some(Box::new(|| panic!("nothing is read")));
        assert_eq!(
            restore(&shelf, &to).unwrap_err().code,
            code,
            "{}",
            shelf.manifest
        );
    }
    shelf.manifest = good;
    shelf.meanwhile.take();
    shelf.files.remove(&key(b"odd"));
    assert_eq!(restore(&shelf, &to).unwrap_err().code, Code::NotFound);
    assert_eq!(names(dir.path()), ["from"]);
}

#[test]
fn special_files_and_unsafe_names_are_named() {
    use std::os::unix::ffi::OsStrExt as _;
    let dir = tempfile::tempdir().unwrap();
    let refused = |make: &dyn Fn(&Path), code, name: &str| {
        let root = tempfile::tempdir_in(dir.path()).unwrap();
        write(root.path(), "d/plain", b"");
        make(root.path());
        let fault = Walk::new(root.path()).unwrap_err();
        assert_eq!(fault.code, code, "{}", fault.what);
        assert!(fault.what.contains(name), "{}", fault.what);
    };
    let socket = |root: &Path| {
        std::os::unix::net::UnixListener::bind(root.join("d/s")).unwrap();
    };
    refused(&socket, Code::SpecialFile, "`d/s` is a socket");
    let pipe = |root: &Path| {
        let made = std::process::Command::new("mkfifo")
            .arg(root.join("d/p"))
            .status();
        assert!(made.unwrap().success());
    };
    refused(&pipe, Code::SpecialFile, "`d/p` is a pipe");
    let git = |root: &Path| write(root, "d/.git/config", b"");
    refused(&git, Code::PathUnsafe, "d/.git");
    let odd = |root: &Path| {
        let name = std::ffi::OsStr::from_bytes(b"d/\xff");
        fs::write(root.join(name), b"").unwrap();
    };
    refused(&odd, Code::PathUnsafe, "UTF-8");
    let newline = |root: &Path| write(root, "d/a\nb", b"");
    refused(&newline, Code::PathUnsafe, "control");
    let out = |root: &Path| symlink("../..", root.join("d/up")).unwrap();
    refused(&out, Code::PathUnsafe, "`d/up` leads to `../..`");
    let absolute = |root: &Path| symlink("/etc/passwd", root.join("d/etc")).unwrap();
    refused(&absolute, Code::PathUnsafe, "`d/etc`");
    let twice = |root: &Path| write(root, "D/other", b"");
    refused(&twice, Code::PathCollision, "d/plain");
    let forms = |root: &Path| {
        write(root, "e\u{301}", b"");
        write(root, "\u{e9}", b"");
    };
    refused(&forms, Code::PathCollision, "\u{e9}");
    let deep = |root: &Path| write(root, &["x"; 129].join("/"), b"");
    refused(&deep, Code::PathUnsafe, "128");
}

#[test]
fn links_in_a_directory_are_kept_and_never_followed() {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("from");
    write(&from, "real/file", b"x");
    symlink("real", from.join("link")).unwrap();
    symlink(".", from.join("loop")).unwrap();
    symlink("from", dir.path().join("named")).unwrap();
    let shelf = add(&dir.path().join("named")).unwrap();
    assert_eq!(shelf.manifest.lines().count(), 4);
    assert!(
        shelf
            .manifest
            .contains(r#"{"mode":"120000","path":"loop","target":"."}"#)
    );
}

#[test]
fn what_changes_while_it_is_read_is_refused() {
    type Change<'a> = (&'a str, &'a dyn Fn(&Path));
    let change: &[Change<'_>] = &[
        ("a longer file", &|root| write(root, "a/b/c", b"longer")),
        ("a file that went", &|root| {
            fs::remove_file(root.join("a/b/c")).unwrap()
        }),
        ("a file that came", &|root| write(root, "a/new", b"")),
        ("one in the directory itself", &|root| {
            write(root, "new", b"")
        }),
        ("a directory that went", &|root| {
            fs::remove_dir_all(root.join("a")).unwrap()
        }),
        ("a link in its place", &|root| {
            fs::remove_file(root.join("a/b/c")).unwrap();
            symlink("../../a.txt", root.join("a/b/c")).unwrap();
        }),
        ("a mode", &|root| {
            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(root.join("a/b/c"), mode).unwrap();
        }),
    ];
    for (what, change) in change {
        let dir = tempfile::tempdir().unwrap();
        small(dir.path());
        let walk = Walk::new(dir.path()).unwrap();
        walk.check_unchanged().unwrap();
        change(dir.path());
        let fault = walk.check_unchanged().unwrap_err();
        assert_eq!(fault.code, Code::FileChanged, "{what}: {}", fault.what);
    }
}
