//! Which of the published artifacts a repository wants to have.

use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::published;
use crate::cli::ui::escape;
use crate::model::{Code, ContentDigest};
use crate::remote::Git;
use std::collections::BTreeSet;

/// Where the choice is kept in the repository's configuration.
pub const CONFIG: &str = "folio.artifacts";

/// Under which name it is remembered how far what was brought follows the state.
pub const MARK: &str = "brought";

/// `--artifacts` of the commands that bring.
#[derive(Debug, Clone, clap::Args)]
pub struct Wish {
    /// Which artifacts to have here, from now on: `all`, `none` or keys [default: as before, else all]
    #[arg(long, value_name = "all|none|KEY,...", value_delimiter = ',')]
    artifacts: Vec<String>,
}

/// Which artifacts are to be here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Everything that is published.
    All,
    /// Nothing; what is read is brought then.
    Nothing,
    /// These, and what belongs to them.
    Keys(BTreeSet<ContentDigest>),
}

impl Wish {
    /// What is wished for, if anything is said.
    ///
    /// # Errors
    /// `bad-request`.
    pub fn read(&self) -> anyhow::Result<Option<Choice>> {
        match self.artifacts.is_empty() {
            true => Ok(None),
            false => Choice::parse(self.artifacts.iter().map(String::as_str)).map(Some),
        }
    }

    /// What is wished for, which is remembered, else what was before.
    ///
    /// # Errors
    /// `bad-request`, `git-failed`.
    pub fn settle(&self, context: &Context) -> anyhow::Result<Choice> {
        let before = Choice::of(context)?;
        let Some(choice) = self.read()? else {
            return Ok(before);
        };
        if choice != before {
            choice.remember(context)?;
        }
        Ok(choice)
    }
}

impl Choice {
    /// What the repository's configuration says.
    ///
    /// # Errors
    /// `bad-request` where it says something else.
    pub fn of(context: &Context) -> anyhow::Result<Self> {
        match context.store.config_value(CONFIG) {
            None => Ok(Self::All),
            Some(value) => Self::parse(value.split_whitespace()),
        }
    }

    fn parse<'a>(words: impl Iterator<Item = &'a str>) -> anyhow::Result<Self> {
        let words: Vec<&str> = words.collect();
        match words[..] {
            ["all"] => return Ok(Self::All),
            ["none"] => return Ok(Self::Nothing),
            _ => {}
        }
        let keys = words.iter().map(|word| {
            word.to_ascii_lowercase().parse().map_err(|_| {
                let what = format!("expected all, none or keys, found `{}`", escape(word));
                let problem = Problem::new(Code::BadRequest, what);
                problem.hint("a key has 64 hexadecimal digits: folio state artifacts")
            })
        });
        Ok(Self::Keys(keys.collect::<Result<_, _>>()?))
    }

    /// As it is written in the configuration.
    pub fn text(&self) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Nothing => "none".to_owned(),
            Self::Keys(keys) => {
                let words: Vec<String> = keys.iter().map(ContentDigest::to_hex).collect();
                words.join(" ")
            }
        }
    }

    fn remember(&self, context: &Context) -> anyhow::Result<()> {
        // First: a crash in between costs a look at the whole table.
        published::forget(context, MARK)?;
        let git = Git::new(context.store.common_dir());
        git.run(&["config", "--local", CONFIG, &self.text()])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_have_one_spelling() {
        let parse = |text: &str| Choice::parse(text.split_whitespace());
        let key = "ab".repeat(32);
        for text in ["all", "none", &key, &format!("{key} {}", "cd".repeat(32))] {
            assert_eq!(parse(text).unwrap().text(), *text);
        }
        assert_eq!(parse(&key.to_uppercase()).unwrap().text(), key);
        for bad in ["some", "all none", "ab", "all ab"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
