//! Runs the commands in a Markdown text and compares what they print. `tests/stories/README.md` says how
//! such a text is written.

use folio::crypto::Sign as _;
use folio::crypto::keyfile::{KeyPair, public_line};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// People that a text may name in its prompts; each has a key made from the name.
const PEOPLE: &[&str] = &["alice", "bob", "carol", "eve", "wanda"];
/// Instead of 32 random bytes, so that the spaces of stories have the same ids every time.
const NONCE: &str = "73746f727973746f727973746f727973746f727973746f727973746f72792121";
/// The date of the first command: 2026-01-01. Each takes a minute.
const START: u64 = 1_767_225_600;

/// One command and what it is expected to print.
struct Step {
    /// The line of its prompt, counted from 0.
    line: usize,
    /// The line after the command.
    after: usize,
    who: String,
    words: String,
    expected: Vec<String>,
}

/// Where the commands of one text run.
struct Stage {
    home: tempfile::TempDir,
    dir: PathBuf,
    clock: u64,
    /// The space that was founded or cloned last: what the word ID stands for.
    space: String,
}

/// What a command printed: its output, then `! ` and its messages, then `? ` and how it ended.
type Printed = Vec<String>;

/// Runs a text and panics where it does not hold, or writes it anew if `FOLIO_UPDATE_STORIES` is set.
/// Gives back its commands.
pub fn run(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let steps = parse(&lines);
    assert!(!steps.is_empty(), "{}: no commands", path.display());
    let update = std::env::var_os("FOLIO_UPDATE_STORIES").is_some();
    let mut stage = Stage::new();
    let mut grown = 0_isize;
    for step in &steps {
        let found = stage.perform(step);
        if matches(&step.expected, &found) {
            continue;
        }
        let shown = format!("{}:{}: {}", path.display(), step.line + 1, step.words);
        assert!(update, "{}", differ(&shown, &step.expected, &found));
        let new = merged(&step.expected, &found);
        let start = step.after.checked_add_signed(grown).expect("a line");
        grown += new.len() as isize - step.expected.len() as isize;
        lines.splice(start..start + step.expected.len(), new);
        // At once: where a later command goes wrong, what came before it is there to be read.
        fs::write(path, lines.join("\n") + "\n").expect("writing a text");
    }
    steps.into_iter().map(|step| step.words).collect()
}

fn differ(shown: &str, expected: &[String], found: &[String]) -> String {
    let indent = |lines: &[String]| -> String {
        let lines = lines.iter().map(|line| format!("    {line}\n"));
        lines.collect()
    };
    format!(
        "{shown}\n  expected:\n{}  found:\n{}  (FOLIO_UPDATE_STORIES=1 cargo test writes what was found)",
        indent(expected),
        indent(found)
    )
}

/// The steps in the fenced blocks that begin with a prompt.
fn parse(lines: &[String]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let (mut fenced, mut run) = (false, false);
    for (line, text) in lines.iter().enumerate() {
        if text.starts_with("```") {
            fenced = !fenced;
            let first = lines.get(line + 1).map_or("", String::as_str);
            run =
                fenced && matches!(text.as_str(), "```" | "```console") && prompt(first).is_some();
        } else if run && let Some((who, words)) = prompt(text) {
            steps.push(Step {
                line,
                after: line + 1,
                who: who.to_owned(),
                words: words.to_owned(),
                expected: Vec::new(),
            });
        } else if run && let Some(step) = steps.last_mut() {
            match step.words.strip_suffix('\\') {
                // The command goes on, as in a shell.
                Some(start) => {
                    step.words = format!("{start}{}", text.trim_start());
                    step.after = line + 1;
                }
                None => step.expected.push(text.clone()),
            }
        }
    }
    assert!(!fenced, "a fenced block does not end");
    steps
}

/// `alice$ words`, or `$ words` for somebody who has set nothing up.
fn prompt(line: &str) -> Option<(&str, &str)> {
    let (who, words) = line.split_once("$ ")?;
    (who.is_empty() || PEOPLE.contains(&who)).then_some((who, words))
}

/// Whether the lines are as expected; `...` stands for any lines, `[..]` for anything in a line.
fn matches(expected: &[String], found: &[String]) -> bool {
    match (expected.split_first(), found.split_first()) {
        (None, None) => true,
        (Some((any, rest)), _) if any.trim_start_matches("! ") == "..." => {
            (0..=found.len()).any(|skip| matches(rest, &found[skip..]))
        }
        (Some((line, rest)), Some((first, more))) => fits(line, first) && matches(rest, more),
        _ => false,
    }
}

fn fits(expected: &str, found: &str) -> bool {
    match expected.split_once("[..]") {
        None => expected == found,
        Some((start, rest)) => found.strip_prefix(start).is_some_and(|tail| {
            let mut ends = tail.char_indices().map(|(at, _)| at).chain([tail.len()]);
            ends.any(|at| fits(rest, &tail[at..]))
        }),
    }
}

/// What was found, with the wildcards of lines that still fit.
fn merged(expected: &[String], found: &[String]) -> Printed {
    if expected.len() != found.len() {
        return found.to_vec();
    }
    let both = expected.iter().zip(found);
    both.map(|(old, new)| if fits(old, new) { old } else { new }.clone())
        .collect()
}

impl Stage {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let keys = home.path().join("keys");
        fs::create_dir(&keys).expect("making a directory");
        for name in PEOPLE {
            for (file, who) in [(name.to_string(), *name), (format!("{name}-new"), *name)] {
                let pair = KeyPair::from_seed(*blake3::hash(file.as_bytes()).as_bytes());
                let private = keys.join(&file);
                fs::write(&private, pair.to_openssh(who).as_bytes()).expect("writing a key");
                // ssh-keygen refuses keys that others can read.
                let mode = fs::Permissions::from_mode(0o600);
                fs::set_permissions(&private, mode).expect("setting the mode");
                let public = public_line(&pair.public_key(), who);
                fs::write(keys.join(format!("{file}.pub")), public).expect("writing a key");
            }
        }
        let dir = home.path().canonicalize().expect("a directory");
        Self {
            home,
            dir,
            clock: START,
            space: String::new(),
        }
    }

    fn perform(&mut self, step: &Step) -> Printed {
        let mut words = split(&step.words);
        for word in words.iter_mut().filter(|word| *word == "ID") {
            word.clone_from(&self.space);
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["cd", dir] => {
                let dir = self.dir.join(dir).canonicalize();
                self.dir = dir.unwrap_or_else(|error| panic!("{}: {error}", step.words));
                Vec::new()
            }
            ["echo", text, ">", file] => self.write(file, String::new(), text),
            ["echo", text, ">>", file] => {
                let old = fs::read_to_string(self.dir.join(file));
                self.write(file, old.expect("reading a file"), text)
            }
            ["mkdir", dir] => {
                fs::create_dir(self.dir.join(dir)).expect("making a directory");
                Vec::new()
            }
            [program, rest @ ..] => self.command(&step.who, program, rest),
            [] => panic!("an empty prompt"),
        }
    }

    fn write(&self, file: &str, old: String, text: &str) -> Printed {
        fs::write(self.dir.join(file), old + text + "\n").expect("writing a file");
        Vec::new()
    }

    fn command(&mut self, who: &str, program: &str, words: &[&str]) -> Printed {
        let mut command = match program {
            "folio" => Command::new(env!("CARGO_BIN_EXE_folio")),
            "git" => Command::new("git"),
            other => panic!("`{other}` is neither folio, git, cd, mkdir nor `echo WORDS > FILE`"),
        };
        command.args(words).current_dir(&self.dir).env_clear();
        if program == "folio" && words.first() == Some(&"init") && !who.is_empty() {
            command.args(["--nonce", NONCE]);
        }
        self.name_sender();
        let date = format!("{} +0000", self.clock);
        self.clock += 60;
        command
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("LC_ALL", "C")
            .env("NO_COLOR", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", &date)
            .stdin(Stdio::null());
        self.identify(&mut command, who);
        let output = command.output().expect("starting a program");
        let mut printed = self.lines("", &output.stdout);
        if let Some(id) = printed.iter().find_map(|line| line.strip_prefix("space ")) {
            self.space = id.to_owned();
        }
        printed.extend(self.lines("! ", &output.stderr));
        match output.status.code() {
            Some(0) => {}
            Some(code) => printed.push(format!("? {code}")),
            None => printed.push(format!("? {}", output.status)),
        }
        printed
    }

    /// What a repository is called on sticks comes from its place, instead of 8 random bytes.
    fn name_sender(&self) {
        for git_dir in [self.dir.join(".git"), self.dir.clone()] {
            let folio = git_dir.join("folio");
            let file = folio.join("instance");
            if git_dir.join("HEAD").is_file() && folio.is_dir() && !file.exists() {
                let place = self.dir.strip_prefix(self.home.path()).unwrap_or(&self.dir);
                let hash = blake3::hash(place.as_os_str().as_encoded_bytes()).to_hex();
                fs::write(file, format!("{}\n", &hash[..16])).expect("writing a file");
            }
        }
    }

    /// The person's name, address and key, where git's own configuration has them. The environment's comes
    /// before the repository's, which is the founder's.
    fn identify(&self, command: &mut Command, who: &str) {
        let mut name = who.to_owned();
        let Some(first) = name.get_mut(..1) else {
            return;
        };
        first.make_ascii_uppercase();
        let key = self.home.path().join("keys").join(who);
        let config = [
            ("user.name", name),
            ("user.email", format!("{who}@example.org")),
            ("gpg.format", "ssh".to_owned()),
            ("user.signingKey", key.display().to_string()),
        ];
        command.env("GIT_CONFIG_COUNT", config.len().to_string());
        for (n, (name, value)) in config.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{n}"), name);
            command.env(format!("GIT_CONFIG_VALUE_{n}"), value);
        }
    }

    /// The lines of an output; the home directory is `~`.
    fn lines(&self, prefix: &str, bytes: &[u8]) -> Printed {
        let home = self.home.path().display().to_string();
        let text = String::from_utf8_lossy(bytes).replace(&home, "~");
        let lines = text.lines();
        lines
            .map(|line| format!("{prefix}{line}").trim_end().to_owned())
            .collect()
    }
}

/// Words as a shell splits them: spaces, single and double quotes, backslashes. No variables, no patterns.
fn split(line: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let (mut quote, mut chars) = (None, line.chars());
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, ' ') => words.extend(word.take()),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(open), _) if c == open => quote = None,
            (None | Some('"'), '\\') => {
                word.get_or_insert_default().extend(chars.next());
            }
            _ => word.get_or_insert_default().push(c),
        }
    }
    assert!(quote.is_none(), "a quote does not end: {line}");
    words.extend(word);
    words
}
