//! A hub that everybody knows, the founder's repository where wanda numbers, and clones.

use crate::net::Net;
use serde_json::Value;
use std::path::Path;

/// Bytes that nothing compresses and nobody else has.
pub fn noise(seed: &str, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    let mut hasher = blake3::Hasher::new();
    hasher.update(seed.as_bytes());
    hasher.finalize_xof().fill(&mut bytes);
    bytes
}

pub fn key(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

pub struct World {
    pub net: Net,
}

impl World {
    /// With a clone of alice's.
    pub fn new() -> Self {
        let net = Net::new();
        net.clone_to("alice", &[]);
        Self { net }
    }

    /// Adds these bytes in a repository, on its internal shelf; their keys.
    #[track_caller]
    pub fn add(&self, dir: &str, all: &[&[u8]]) -> Vec<String> {
        let keys: Vec<String> = all.iter().map(|bytes| key(bytes)).collect();
        for (bytes, key) in all.iter().zip(&keys) {
            std::fs::write(self.net.path(key), bytes).unwrap();
            let path = self.net.path(key);
            let args = ["artifact", "add", path.to_str().unwrap()];
            let printed = self.net.run(dir, "alice", &args).ok();
            assert!(printed.starts_with(key.as_str()), "{printed}");
            std::fs::remove_file(path).unwrap();
        }
        keys
    }

    /// Adds them at alice's and proposes there to publish them.
    #[track_caller]
    pub fn propose(&self, slug: &str, all: &[&[u8]]) -> Vec<String> {
        let keys = self.add("alice", all);
        let mut args = vec!["artifact", "publish"];
        args.extend(keys.iter().map(String::as_str));
        self.net.run("alice", "alice", &args).ok();
        let propose = ["propose", "-m", slug, "--slug", slug];
        self.net.run("alice", "alice", &propose).ok();
        keys
    }

    /// Proposed by alice, sent, numbered by wanda and published at the hub.
    #[track_caller]
    pub fn publish(&self, slug: &str, all: &[&[u8]]) -> Vec<String> {
        let keys = self.propose(slug, all);
        self.net.run("alice", "alice", &["submit"]).ok();
        self.net.run("space", "wanda", &["fetch"]).ok();
        let numbered = self.net.run("space", "wanda", &["accept", "--all"]).ok();
        assert!(numbered.contains(slug), "{numbered}");
        self.net.run("space", "wanda", &["push"]).ok();
        keys
    }

    /// What `fetch` says of artifacts.
    #[track_caller]
    pub fn fetch(&self, dir: &str, more: &[&str]) -> Value {
        let answer = self.net.json(dir, "", &[&["fetch"], more].concat());
        answer["fetched"][0]["artifacts"].clone()
    }

    /// The bytes of an artifact, where they are here; nothing is asked of others.
    pub fn read(&self, dir: &str, key: &str) -> Option<Vec<u8>> {
        let mut cat = self
            .net
            .command(dir, "", &["--offline", "artifact", "cat", key]);
        let output = cat.output().unwrap();
        match output.status.code() {
            Some(0) => Some(output.stdout),
            _ => None,
        }
    }

    #[track_caller]
    pub fn has(&self, dir: &str, all: &[&[u8]]) {
        for bytes in all {
            assert!(self.read(dir, &key(bytes)).as_deref() == Some(*bytes));
        }
    }

    /// The keys on the published shelf of a repository.
    #[track_caller]
    pub fn published(&self, dir: &str) -> Vec<String> {
        let listed = self
            .net
            .run(dir, "", &["artifact", "ls", "--published"])
            .ok();
        let lines = listed.lines().filter(|line| line.contains("  published  "));
        lines.map(|line| line[..64].to_owned()).collect()
    }

    /// Files of a repository below its git directory.
    pub fn folio(&self, dir: &str) -> std::path::PathBuf {
        let git_dir = self.net.git(dir, &["rev-parse", "--absolute-git-dir"]);
        Path::new(&git_dir).join("folio")
    }
}
