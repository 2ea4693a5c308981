//! `folio member`: draft members.

use crate::cli::args::Global;
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::cli::{keys, one};
use crate::fold::rules::{MemberAdd, MemberRemove, MemberRotate};
use crate::fold::{Decision, Scene};
use crate::model::rows::MemberRow;
use crate::model::{Code, Email, Handle, PersonName, PublicKey, RowKey};
use clap::Subcommand;
use std::collections::BTreeSet;

/// Draft members: add, remove, rotate
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// A new member, or another address, name or roles for one
    Add(Add),
    /// Somebody is no longer a member
    Remove {
        /// The member
        handle: String,
    },
    /// Another key for a member; everybody may do so for themselves
    Rotate {
        /// The member
        handle: String,
        /// The new key: a .pub file, or the key itself
        #[arg(long, value_name = "KEY")]
        public_key: String,
    },
}

/// What is left out keeps its value where the member is there already.
#[derive(Debug, clap::Args)]
struct Add {
    /// The member
    handle: String,
    /// The member's key: a .pub file, or the key itself ('ssh-ed25519 AAAA...')
    #[arg(long, value_name = "KEY")]
    public_key: Option<String>,
    /// The address in the member's commits
    #[arg(long)]
    email: Option<String>,
    /// The member's name
    #[arg(long)]
    name: Option<String>,
    /// Exactly these roles [default for a new member: member]
    #[arg(long, conflicts_with_all = ["add_role", "drop_role"])]
    role: Vec<String>,
    /// One role more
    #[arg(long, value_name = "ROLE")]
    add_role: Vec<String>,
    /// One role less
    #[arg(long, value_name = "ROLE")]
    drop_role: Vec<String>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    one::draft(global, ui, |scene| match &arguments.action {
        Action::Add(add) => add.decision(scene, global),
        Action::Remove { handle } => {
            let handle = Handle::new(handle.as_str())?;
            require_member(scene, &handle)?;
            Ok(Decision::MemberRemove(MemberRemove { handle, was: None }))
        }
        Action::Rotate { handle, public_key } => {
            let handle = Handle::new(handle.as_str())?;
            require_member(scene, &handle)?;
            Ok(Decision::MemberRotate(MemberRotate {
                handle,
                key: keys::public(public_key, &global.dir())?,
                was: None,
            }))
        }
    })
}

fn require_member(scene: &Scene<'_>, handle: &Handle) -> anyhow::Result<()> {
    match scene.has::<MemberRow>(&RowKey::of(handle))? {
        true => Ok(()),
        false => {
            let what = format!("there is no member `{handle}`");
            Err(Problem::new(Code::NoSuchMember, what)
                .hint("folio state members lists them")
                .into())
        }
    }
}

impl Add {
    fn decision(&self, scene: &Scene<'_>, global: &Global) -> anyhow::Result<Decision> {
        let handle = Handle::new(self.handle.as_str())?;
        let old: Option<MemberRow> = scene.get(&RowKey::of(&handle))?;
        let old = old.as_ref();
        let given = |text: &Option<String>| text.clone();
        let email = match given(&self.email) {
            Some(email) => Email::new(email)?,
            None => old
                .map(|old| old.email.clone())
                .ok_or_else(|| missing("--email ADDRESS"))?,
        };
        let name = match given(&self.name) {
            Some(name) => PersonName::new(name)?,
            None => old
                .map(|old| old.name.clone())
                .ok_or_else(|| missing("--name NAME"))?,
        };
        Ok(Decision::MemberAdd(MemberAdd {
            email,
            key: self.key(old, global)?,
            name,
            roles: self.roles(old)?,
            handle,
            was: None,
        }))
    }

    fn key(&self, old: Option<&MemberRow>, global: &Global) -> anyhow::Result<PublicKey> {
        match (&self.public_key, old) {
            (Some(words), _) => keys::public(words, &global.dir()),
            (None, Some(old)) => Ok(old.key),
            (None, None) => Err(missing("--public-key KEY").into()),
        }
    }

    /// Sorted, each once.
    fn roles(&self, old: Option<&MemberRow>) -> anyhow::Result<Vec<Handle>> {
        let parse = |words: &[String]| -> anyhow::Result<BTreeSet<Handle>> {
            words
                .iter()
                .map(|word| Ok(Handle::new(word.as_str())?))
                .collect()
        };
        if !self.role.is_empty() {
            return Ok(parse(&self.role)?.into_iter().collect());
        }
        let mut roles = match old {
            Some(old) => old.roles.iter().cloned().collect(),
            None => parse(&["member".to_owned()])?,
        };
        roles.extend(parse(&self.add_role)?);
        for role in parse(&self.drop_role)? {
            roles.remove(&role);
        }
        Ok(roles.into_iter().collect())
    }
}

fn missing(option: &str) -> Problem {
    let what = format!("a new member needs {option}");
    Problem::new(Code::BadRequest, what)
        .hint("folio member add HANDLE --public-key FILE.pub --email ADDRESS --name NAME")
}
