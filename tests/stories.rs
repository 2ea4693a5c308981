//! Stories, the README and the tutorial: texts whose commands are run and whose output is compared.

#[path = "common/story.rs"]
mod story;
#[path = "common/tools.rs"]
mod tools;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

macro_rules! stories {
    ($($name:ident)*) => {
        /// All stories, as the tests below run them.
        const STORIES: &[&str] = &[$(stringify!($name)),*];

        $(#[test]
        fn $name() {
            if tools::lacks_ssh_keygen() {
                return;
            }
            let file = format!("tests/stories/{}.md", stringify!($name));
            let commands = story::run(&root().join(file));
            let last = commands.last().map(String::as_str);
            assert_eq!(last, Some("folio verify"), "how every story ends");
        })*
    };
}

stories! {
    founding
    race
    rebase
    undo
    second_name
    rotation
    newcomer
    plain_git
    quorum
    offline_authority
    lost_laptop
    hostile_mirror
    git_only
    shared_server
    layers
}

#[test]
fn readme() {
    story::run(&root().join("README.md"));
}

#[test]
fn tutorial() {
    if tools::lacks_ssh_keygen() {
        return;
    }
    story::run(&root().join("docs/tutorial.md"));
}

/// A new file is run and listed, or this fails.
#[test]
fn every_story_is_listed() {
    let dir = root().join("tests/stories");
    let files = std::fs::read_dir(&dir).expect("the stories");
    let mut found: BTreeSet<String> = files
        .map(|file| {
            let path = file.expect("a file").path();
            let name = path.file_stem().expect("a name").to_string_lossy();
            name.into_owned()
        })
        .collect();
    assert!(found.remove("README"), "tests/stories/README.md");
    let stories: BTreeSet<String> = STORIES.iter().map(|name| name.to_string()).collect();
    assert_eq!(found, stories);
    let list = std::fs::read_to_string(dir.join("README.md")).expect("the list");
    for name in STORIES {
        assert!(
            list.contains(&format!("({name}.md)")),
            "{name} is not listed"
        );
    }
}

/// Links in the texts that newcomers meet lead somewhere.
#[test]
fn links_lead_somewhere() {
    for text in ["README.md", "docs/tutorial.md", "tests/stories/README.md"] {
        let path = root().join(text);
        let words = std::fs::read_to_string(&path).expect("a text");
        let dir = path.parent().unwrap_or(Path::new("."));
        for link in words.split("](").skip(1) {
            let link = link.split([')', '#']).next().unwrap_or_default();
            if !link.is_empty() && !link.contains("://") {
                assert!(dir.join(link).exists(), "{text}: {link}");
            }
        }
    }
}

/// Tests that `docs/threats.md` names are there: `file::test`, where the file may be a directory's.
#[test]
fn threats_name_tests_that_exist() {
    let words = std::fs::read_to_string(root().join("docs/threats.md")).expect("the threats");
    let names = words.split('`').filter_map(|word| word.split_once("::"));
    let names: Vec<_> = names
        .filter(|(_, test)| test.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
        .filter(|(_, test)| !test.is_empty())
        .collect();
    assert!(names.len() > 50, "{} tests are named", names.len());
    for (file, test) in names {
        let path = root().join("tests").join(file);
        let files: Vec<PathBuf> = match path.is_dir() {
            true => std::fs::read_dir(&path)
                .expect("a directory of tests")
                .map(|file| file.expect("a file").path())
                .collect(),
            false => vec![path.with_extension("rs")],
        };
        let found = files.iter().any(|file| {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            text.contains(&format!("fn {test}("))
        });
        assert!(found, "{file}::{test}");
    }
}
