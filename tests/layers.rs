//! The architecture, held by reading the imports: who may know whom, and one door per dependency.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// A file's path below `src/` and its code without comments and without its tests.
fn code() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let is_test = |name: &str| name.contains("test") || name.ends_with("/testing.rs");
    let read = |path: &PathBuf| {
        let name = path
            .strip_prefix(&root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let text = fs::read_to_string(path).unwrap();
        let text = text
            .split("#[cfg(test)]\nmod tests")
            .next()
            .unwrap()
            .to_owned();
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        (name, lines.collect::<Vec<_>>().join("\n"))
    };
    let code: Vec<_> = files
        .iter()
        .map(read)
        .filter(|(name, _)| !is_test(name))
        .collect();
    assert!(code.len() > 80, "the sources were found");
    code
}

fn layer(name: &str) -> &str {
    name.split('/').next().unwrap().trim_end_matches(".rs")
}

#[test]
fn imports_point_one_way() {
    let may: &[(&str, &[&str])] = &[
        ("model", &["model"]),
        ("codec", &["model", "codec"]),
        ("overlay", &["model", "overlay"]),
        ("crypto", &["model", "codec", "crypto"]),
        ("fold", &["model", "codec", "crypto", "fold"]),
        (
            "state",
            &[
                "model", "codec", "crypto", "fold", "state", "store", "cores",
            ],
        ),
        ("parallel", &["state", "store", "cores"]),
        ("cores", &[]),
        (
            "journal",
            &[
                "model", "codec", "crypto", "fold", "state", "store", "journal", "parallel",
                "cores",
            ],
        ),
        ("store", &["model", "store", "journal", "cores"]),
        ("remote", &["model", "store", "remote"]),
        (
            "artifact",
            &[
                "model", "codec", "crypto", "fold", "state", "store", "journal", "parallel",
                "cores", "artifact",
            ],
        ),
    ];
    let all = [
        "model", "codec", "crypto", "fold", "state", "journal", "store", "remote", "cli",
        "parallel", "cores", "artifact", "overlay",
    ];
    for (name, text) in code() {
        let Some((_, allowed)) = may.iter().find(|(of, _)| *of == layer(&name)) else {
            continue;
        };
        for other in all.iter().filter(|other| !allowed.contains(other)) {
            let import = format!("crate::{other}");
            assert!(!text.contains(&import), "{name} may not know {import}");
        }
    }
}

#[test]
fn the_journal_knows_the_traits_of_the_store_and_none_of_the_stores() {
    for (name, text) in code()
        .iter()
        .filter(|(name, _)| matches!(layer(name), "journal" | "state"))
    {
        for store in [
            "GitStore",
            "MemoryStore",
            "Faulty",
            "store::index",
            "store::git",
        ] {
            assert!(!text.contains(store), "{name} names {store}");
        }
    }
}

#[test]
fn every_dependency_has_one_door() {
    let doors: &[(&str, &[&str])] = &[
        ("gix::", &["store/git/"]),
        ("ed25519_dalek", &["crypto/"]),
        ("curve25519_dalek", &["crypto/strict.rs", "crypto/comb.rs"]),
        ("ssh_key", &["crypto/"]),
        ("serde_json", &["codec/", "cli/"]),
        ("clap", &["cli/", "main.rs"]),
        ("anyhow", &["cli/", "main.rs"]),
        ("indicatif", &["cli/ui.rs"]),
        ("diffy::", &["overlay/text.rs"]),
        ("fastcdc", &["artifact/chunk.rs"]),
        ("sha1::", &["store/pack/checksum.rs"]),
        ("unicode_security", &["cli/confusable/"]),
        ("Command::new(\"git\")", &["remote/"]),
    ];
    for (name, text) in code() {
        for (dependency, places) in doors {
            let inside = places.iter().any(|place| name.starts_with(place));
            assert!(
                inside || !text.contains(dependency),
                "{name} names {dependency}"
            );
        }
    }
}

#[test]
fn the_centre_does_nothing_but_think() {
    for (name, text) in code()
        .iter()
        .filter(|(name, _)| matches!(layer(name), "model" | "fold" | "codec" | "overlay"))
    {
        for word in [
            "std::fs",
            "std::io",
            "std::net",
            "std::process",
            "std::env",
            "std::time",
            "HashMap",
            "HashSet",
            "getrandom",
        ] {
            assert!(!text.contains(word), "{name} names {word}");
        }
    }
}

#[test]
fn files_are_small() {
    let mut lengths: Vec<(usize, String)> = code()
        .into_iter()
        .map(|(name, text)| (text.lines().count(), name))
        .collect();
    lengths.sort();
    let (longest, name) = lengths.last().unwrap();
    assert!(*longest <= 500, "{name} has {longest} lines");
    let (median, _) = lengths[lengths.len() / 2];
    assert!(median <= 120, "the median is {median} lines");
}
