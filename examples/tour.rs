//! A tour of Folio on real input: the names of time zones, nine releases of them, two proposers and a
//! witness. Run it with `cargo run --release --example tour`; it leaves a space in `target/tour/` to look
//! at. The same keys and dates go in every time, so the same ids come out.

use folio::cli::exit::Exit;
use folio::crypto::Sign as _;
use folio::crypto::keyfile::{KeyPair, public_line};
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Releases of the time-zone database: the file, its name, and the day its links were taken (2020-2026).
const RELEASES: &[(&str, u64)] = &[
    ("2020.1", 1_588_291_200),
    ("2020.5", 1_609_200_000),
    ("2021.5", 1_635_120_000),
    ("2022.2", 1_660_521_600),
    ("2022.7", 1_669_852_800),
    ("2023.4", 1_703_203_200),
    ("2024.2", 1_725_580_800),
    ("2025.3", 1_765_324_800),
    ("2026.6", 1_782_864_000),
];

/// What stands for 32 random bytes, so that the space has the same id every time.
const NONCE: &str = "746f757220746f757220746f757220746f757220746f757220746f7572202121";

struct Tour {
    space: PathBuf,
    keys: PathBuf,
}

#[allow(
    clippy::disallowed_methods,
    reason = "cargo says by the environment where its target lies"
)]
fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let dir = target.join("tour");
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    let tour = Tour {
        space: dir.join("zones"),
        keys: dir.join("keys"),
    };
    tour.found()?;
    tour.releases(&root.join("examples/tz"))?;
    tour.conflict()?;
    tour.look()?;
    tour.check()?;
    tour.plain_git()?;
    Ok(())
}

fn heading(text: &str) {
    println!("\n== {text}\n");
}

impl Tour {
    /// Keys are made from names here and nowhere else: `folio key new` makes real ones.
    fn key(&self, name: &str) -> Result<PathBuf, Box<dyn Error>> {
        let path = self.keys.join(name);
        if !path.exists() {
            let seed = *blake3::hash(format!("the tour's {name}").as_bytes()).as_bytes();
            let pair = KeyPair::from_seed(seed);
            fs::create_dir_all(&self.keys)?;
            write_private(&path, &pair.to_openssh(name))?;
            fs::write(
                path.with_extension("pub"),
                public_line(&pair.public_key(), name),
            )?;
        }
        Ok(path)
    }

    /// Runs a command line as somebody at some time, shows it, and requires how it ends.
    fn run(&self, who: &str, when: u64, words: &[&str], end: Exit) -> Result<(), Box<dyn Error>> {
        let shown: Vec<String> = words.iter().map(|word| shown(word)).collect();
        println!("{who}$ folio {}", shown.join(" "));
        let mut line: Vec<OsString> = vec!["folio".into(), "-C".into()];
        let founded = self.space.exists();
        let dir = if founded { &self.space } else { &self.keys };
        line.push(dir.into());
        // Beside the space, so that the same space can be made again.
        line.push("--state-dir".into());
        line.push(self.keys.join("state").into());
        line.extend(["--quiet".into(), "--color=never".into(), "--key".into()]);
        line.push(self.key(who)?.into());
        line.extend(["--date".into(), format!("{when} +0000").into()]);
        line.extend(words.iter().map(OsString::from));
        let found = folio::cli::run(line);
        if found != end {
            return Err(format!("expected {end:?}, found {found:?}").into());
        }
        Ok(())
    }

    fn found(&self) -> Result<(), Box<dyn Error>> {
        heading("Wes founds a space and will number its pages; Ana and Ben may propose");
        let member = |name: &str, person: &str| -> Result<String, Box<dyn Error>> {
            let key = self.key(name)?.with_extension("pub");
            Ok(format!(
                "{name},{name}@example.org,{person},{}",
                key.display()
            ))
        };
        let (ana, ben) = (member("ana", "Ana")?, member("ben", "Ben")?);
        let place = self.space.display().to_string();
        let description = "Other names of time zones, by release";
        self.key("wes")?;
        self.run(
            "wes",
            1_577_836_800,
            &[
                "init",
                &place,
                "--name",
                "time-zones",
                "--description",
                description,
                "--handle",
                "wes",
                "--user-name",
                "Wes",
                "--email",
                "wes@example.org",
                "--nonce",
                NONCE,
                "--member",
                &ana,
                "--member",
                &ben,
            ],
            Exit::Done,
        )
    }

    fn releases(&self, data: &Path) -> Result<(), Box<dyn Error>> {
        heading(
            "Nine releases: the proposers sync the aliases with a file and sign, the witness numbers",
        );
        for (index, (release, date)) in RELEASES.iter().enumerate() {
            let who = if index % 2 == 0 { "ana" } else { "ben" };
            let file = data
                .join(format!("links-{release}.tsv"))
                .display()
                .to_string();
            let message = format!("Take over the links of tzdata {release}");
            self.run(who, *date, &["alias", "sync", &file], Exit::Done)?;
            let before = index.checked_sub(1).map(|last| RELEASES[last].0);
            if before.is_some_and(|before| same_links(data, before, release)) {
                println!("(this release changed no link, so there is nothing to propose)");
                continue;
            }
            self.run(who, *date, &["propose", "-m", &message], Exit::Done)?;
            self.run("wes", *date + 3600, &["accept", "--all"], Exit::Done)?;
        }
        Ok(())
    }

    fn conflict(&self) -> Result<(), Box<dyn Error>> {
        heading("Two people want the same name; the second is refused, with a signed reason");
        let date = 1_785_000_000;
        let line = |target: &str| {
            format!(r#"{{"op":"alias.set","alias":"US/Pacific-New","target":"{target}"}}"#)
        };
        for (who, target) in [("ana", "America/Los_Angeles"), ("ben", "America/Tijuana")] {
            let file = self.keys.join(format!("{who}.jsonl"));
            fs::write(&file, line(target) + "\n")?;
            let file = file.display().to_string();
            let message = format!("US/Pacific-New is {target}");
            self.run(
                who,
                date,
                &[
                    "propose",
                    "-m",
                    &message,
                    "--slug",
                    "pacific-new",
                    "-f",
                    &file,
                ],
                Exit::Done,
            )?;
        }
        self.run("wes", date + 3600, &["accept", "--all"], Exit::Done)?;
        self.run("ben", date + 7200, &["queue"], Exit::Done)
    }

    fn look(&self) -> Result<(), Box<dyn Error>> {
        heading("What holds now, and what held then");
        let ask = |words: &[&str], end: Exit| self.run("ana", 1_785_100_000, words, end);
        ask(&["log", "--oneline"], Exit::Done)?;
        ask(&["resolve", "US/Eastern"], Exit::Done)?;
        ask(&["resolve", "US/Eastern", "--at", "2"], Exit::Done)?;
        ask(&["resolve", "Europe/Kiev"], Exit::Done)?;
        println!(
            "(tzdata 2020.1 did not call it anything else, so nothing had been decided about it)"
        );
        ask(&["resolve", "Europe/Kiev", "--at", "2"], Exit::No)?;
        ask(&["diff", "common@6", "common@7"], Exit::Done)?;
        ask(&["blame", "Europe/Kiev"], Exit::Done)
    }

    fn check(&self) -> Result<(), Box<dyn Error>> {
        heading(
            "Nobody has to be believed: every rule of every page, then the state from the decisions alone",
        );
        self.run("ben", 1_785_100_000, &["verify"], Exit::Done)?;
        self.run("ben", 1_785_100_000, &["replay"], Exit::Done)
    }

    fn plain_git(&self) -> Result<(), Box<dyn Error>> {
        heading("Plain git agrees");
        self.git(&["fsck", "--strict", "--no-dangling"])?;
        if Command::new("ssh-keygen").arg("-?").output().is_err() {
            println!(
                "(there is no ssh-keygen here, by which git checks signatures, so git is not asked about them)"
            );
            println!("\nThe space lies in {}", self.space.display());
            return Ok(());
        }
        let every = "git rev-list --all | xargs git verify-commit 2>&1 | grep -c '^Good'";
        println!("$ {every}");
        let listed = self.output(&["rev-list", "--all"])?;
        let mut good = 0;
        for commit in listed.lines() {
            self.output(&["verify-commit", commit])?;
            good += 1;
        }
        println!("{good}");
        self.git(&["log", "--first-parent", "--format=%h %G? %an: %s", "-3"])?;
        self.git(&["diff", "--stat", "main~1", "main"])?;
        let place = self.space.display();
        println!("\nThe space lies in {place}. Try there:\n");
        println!("  git log --first-parent --show-signature");
        println!("  git diff main~3 main");
        println!("  git blame pen.jsonl");
        Ok(())
    }

    /// Shows a git command and what it says.
    fn git(&self, words: &[&str]) -> Result<(), Box<dyn Error>> {
        let quoted: Vec<String> = words.iter().map(|word| shown(word)).collect();
        println!("$ git {}", quoted.join(" "));
        print!("{}", self.output(words)?);
        Ok(())
    }

    fn output(&self, words: &[&str]) -> Result<String, Box<dyn Error>> {
        let output = Command::new("git")
            .current_dir(&self.space)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("LC_ALL", "C")
            .args(["--no-pager", "-c", "color.ui=false"])
            .args(words)
            .output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(format!("git {} failed: {said}", words.join(" ")).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// Whether two releases have the same links.
fn same_links(data: &Path, a: &str, b: &str) -> bool {
    let read = |release: &str| fs::read(data.join(format!("links-{release}.tsv"))).ok();
    read(a).is_some() && read(a) == read(b)
}

/// A word as one would type it, with long paths cut to their last part.
fn shown(word: &str) -> String {
    let word = match word.rsplit_once('/') {
        Some((dir, last)) if dir.starts_with('/') => last.to_owned(),
        // A member's key in the middle of a list.
        Some((dir, last)) if dir.contains(",/") => {
            let list = dir.split_once(",/").map_or("", |(list, _)| list);
            format!("{list},{last}")
        }
        _ => word.to_owned(),
    };
    match word.contains([' ', '"', '{', '?']) {
        true => format!("'{word}'"),
        false => word,
    }
}

/// A private key that ssh would accept: readable by its owner only.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}
