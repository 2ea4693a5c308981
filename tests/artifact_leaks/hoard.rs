//! A space with secrets on its internal shelf, and their object ids.

use crate::cli::finish;
use crate::net::Net;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Bytes that nothing compresses and nobody else has.
pub fn noise(seed: &str, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    let mut hasher = blake3::Hasher::new();
    hasher.update(seed.as_bytes());
    hasher.finalize_xof().fill(&mut bytes);
    bytes
}

pub struct Hoard {
    pub net: Net,
    /// What is on the internal shelf of `space`, which is a bare repository.
    pub secrets: Vec<Vec<u8>>,
    /// Every object of the internal shelf: blocks, sheets, lists, commits.
    pub ids: Vec<String>,
}

impl Hoard {
    pub fn new() -> Self {
        let net = Net::new();
        let secrets = vec![
            noise("small", 900),
            noise("middle", 200_000),
            noise("large", 2 << 20),
        ];
        let mut this = Self {
            net,
            secrets,
            ids: Vec::new(),
        };
        // The small ones in one go: they share a block.
        let paths: Vec<String> = (0..this.secrets.len())
            .map(|n| {
                this.net
                    .path(&format!("secret{n}"))
                    .to_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        for (path, secret) in paths.iter().zip(&this.secrets) {
            std::fs::write(path, secret).unwrap();
        }
        for some in [&paths[..2], &paths[2..]] {
            let mut add = vec!["artifact", "add"];
            add.extend(some.iter().map(String::as_str));
            this.net.run("space", "alice", &add).ok();
        }
        for path in &paths {
            std::fs::remove_file(path).unwrap();
        }
        this.ids = this.inside();
        let shared = this.blob(&this.secrets[..2].concat());
        assert!(this.ids.contains(&shared));
        assert!(this.ids.len() > 10, "{:?}", this.ids);
        this
    }

    pub fn space(&self) -> PathBuf {
        self.net.path("space")
    }

    pub fn internal(&self) -> PathBuf {
        self.space().join("folio/internal.git")
    }

    /// Every object of the internal shelf. git does not open it; its objects can be listed in another's name.
    fn inside(&self) -> Vec<String> {
        let mut git = self.net.fixture.bare_command("git", &self.space());
        git.env("GIT_OBJECT_DIRECTORY", self.internal().join("objects"));
        git.args([
            "cat-file",
            "--batch-all-objects",
            "--batch-check=%(objectname)",
        ]);
        let listed = finish(&mut git, b"").ok();
        listed.lines().map(str::to_owned).collect()
    }

    /// The id that git gives these bytes.
    pub fn blob(&self, bytes: &[u8]) -> String {
        let mut git = self.net.fixture.bare_command("git", &self.space());
        let id = finish(git.args(["hash-object", "--stdin"]), bytes).ok();
        id.trim().to_owned()
    }

    /// A repository of the attacker's.
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.net.git(".", &["init", "-q", "--bare", name]);
        self.net.path(name)
    }

    /// None of it is in a repository, and its bytes are in no file there.
    #[track_caller]
    pub fn is_nowhere_in(&self, dir: &Path) {
        let git_dir = match dir.join(".git").is_dir() {
            true => dir.join(".git"),
            false => dir.to_owned(),
        };
        let mut git = self.net.fixture.bare_command("git", &git_dir);
        git.args(["cat-file", "--batch-check=%(objectname) %(objecttype)"]);
        let wanted = self.ids.join("\n");
        let answers = finish(&mut git, wanted.as_bytes()).ok();
        assert_eq!(answers.lines().count(), self.ids.len());
        for answer in answers.lines() {
            assert!(answer.ends_with(" missing"), "{}: {answer}", dir.display());
        }
        assert!(!git_dir.join("folio/internal.git").exists());
        let mut left = vec![dir.to_owned()];
        while let Some(dir) = left.pop() {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => left.push(path),
                    false => self.is_not_in_file(&path),
                }
            }
        }
    }

    #[track_caller]
    fn is_not_in_file(&self, path: &Path) {
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .unwrap()
            .read_to_end(&mut bytes)
            .unwrap();
        self.is_not_in(&bytes, &path.display().to_string());
    }

    /// Noise is stored as it is, so a part of it would show.
    #[track_caller]
    pub fn is_not_in(&self, bytes: &[u8], what: &str) {
        for secret in &self.secrets {
            let part = &secret[secret.len() / 2..][..32];
            let found = bytes.windows(part.len()).any(|window| window == part);
            assert!(!found, "{what} has a secret");
        }
    }
}

/// The check can fail: a file with a secret is found.
#[test]
fn a_secret_would_be_seen() {
    let hoard = Hoard::new();
    // In a pack that is nobody's, and in the internal store itself, noise lies as it is.
    let packs = hoard.internal().join("objects/pack");
    let seen = std::fs::read_dir(packs).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let part = &hoard.secrets[1][100_000..][..32];
        bytes.windows(32).any(|window| window == part)
    });
    assert!(seen);
    hoard.is_nowhere_in(&hoard.net.path("hub.git"));
}
