//! `folio init`: found a space.

use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::ui::{Style, Ui, escape};
use crate::cli::{allowed_signers, founding, identity, repository, signing, worktree};
use crate::codec::message::clean_text;
use crate::fold::Decision;
use crate::fold::rules::{MemberAdd, Person, PolicySet, SpaceFound};
use crate::journal::found::{self, Charter};
use crate::model::rows::Tier;
use crate::model::{
    Code, Email, Handle, Name, Nonce, Note, ObjectFormat, PersonName, Prefix, PublicKey, limits,
};
use crate::store::{GitStore, user_config_value};
use serde::Serialize;
use std::path::{Component, Path, PathBuf};

/// Found a space
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The founder gets the roles `admin` and `member`; the witness numbers proposals. Without \
--witness-key both are one person. Add members with --member, or later with `folio member add`."
)]
pub struct Arguments {
    /// Where; an empty or new directory
    #[arg(value_name = "DIRECTORY", default_value = ".")]
    place: PathBuf,
    /// The space's name [default: the directory's]
    #[arg(long)]
    name: Option<String>,
    /// What it is for
    #[arg(long, default_value = "", hide_short_help = true)]
    description: String,
    /// The repository whose `main` will be final: a URL or path
    #[arg(long, default_value = "")]
    home: String,
    /// Without a work tree
    #[arg(long)]
    bare: bool,
    /// git's object format; forges want sha1
    #[arg(long, default_value = "sha1", value_parser = ["sha1", "sha256"])]
    object_format: String,
    /// The founder's handle [default: from git's user.name]
    #[arg(long)]
    handle: Option<String>,
    /// The founder's name [default: git's user.name]
    #[arg(long)]
    user_name: Option<String>,
    /// The founder's address [default: git's user.email]
    #[arg(long)]
    email: Option<String>,
    /// The witness's private key, if somebody else's
    #[arg(
        long,
        value_name = "FILE",
        requires = "witness",
        hide_short_help = true
    )]
    witness_key: Option<String>,
    /// The witness: HANDLE,ADDRESS,NAME
    #[arg(
        long,
        value_name = "H,A,N",
        requires = "witness_key",
        hide_short_help = true
    )]
    witness: Option<String>,
    /// A first member: HANDLE,ADDRESS,NAME,KEYFILE.pub[,ROLE...]
    #[arg(long, value_name = "H,A,N,K")]
    member: Vec<String>,
    /// 32 bytes in hexadecimal instead of random ones, to make the same space again
    #[arg(long, value_name = "HEX", hide = true)]
    nonce: Option<String>,
}

#[derive(Serialize)]
struct Founded {
    space: String,
    directory: String,
    commit: String,
    object_format: &'static str,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let directory = global.dir().join(&arguments.place);
    founding::require_room(&directory, ui)?;
    let source = signing::source(None, global)?;
    let founder = founder(arguments, signing::public_of(&source)?)?;
    let witness_source = match &arguments.witness_key {
        Some(key) => signing::named(key, &global.dir())?,
        None => source.clone(),
    };
    let witness = match &arguments.witness {
        Some(words) => person(words, signing::public_of(&witness_source)?)?,
        None => founder.clone(),
    };
    let format = match arguments.object_format.as_str() {
        "sha256" => ObjectFormat::Sha256,
        _ => ObjectFormat::Sha1,
    };
    let text = clean_text(&format!("Found {}", name(arguments, &directory)?))?;
    let charter = Charter {
        found: SpaceFound {
            description: Note::new(arguments.description.as_str())?,
            format: limits::FORMAT_VERSION,
            founder,
            home: Note::new(arguments.home.as_str())?,
            name: name(arguments, &directory)?,
            nonce: nonce(arguments)?,
            object_format: format,
            witness,
        },
        rest: first_decisions(arguments, global)?,
        text: &text,
        when: identity::when(global)?,
    };
    // Keys are unlocked before anything is made.
    let founder_signer = signing::open(&source)?;
    let witness_signer = match arguments.witness_key {
        Some(_) => Some(signing::open(&witness_source)?),
        None => None,
    };
    let witness_signer = witness_signer.as_deref().unwrap_or(&*founder_signer);
    let under_way = founding::begin(&directory, arguments.bare)?;
    let store = make_repository(&directory, arguments.bare, format, &charter, &source)?;
    let (space, commit) = found::found(&store, &charter, &*founder_signer, witness_signer)?;
    let context = Context { store };
    allowed_signers::refresh(&context)?;
    worktree::follow(&context, ui)?;
    under_way.end()?;
    if !arguments
        .member
        .iter()
        .any(|member| member.ends_with(",recovery"))
    {
        ui.say("note: nobody holds the role `recovery`; if the witness's key is lost, nobody can number any more");
    }
    let founded = Founded {
        space: space.to_hex(),
        directory: directory.display().to_string(),
        commit: commit.to_hex(),
        object_format: format.as_str(),
    };
    report(&founded, &charter.found.name, &directory, ui)
}

fn report(founded: &Founded, name: &Name, directory: &Path, ui: &Ui) -> anyhow::Result<Exit> {
    if ui.json() {
        ui.answer("init", founded)?;
        return Ok(Exit::Done);
    }
    let plain: PathBuf = directory
        .components()
        .filter(|part| *part != Component::CurDir)
        .collect();
    let shown = match plain.as_os_str().is_empty() {
        true => "this directory".to_owned(),
        false => escape(&plain.display().to_string()),
    };
    ui.line(format!(
        "Founded {} in {shown}",
        ui.paint(Style::Bold, &escape(name.as_str()))
    ))?;
    ui.line(format!("space {}", ui.paint(Style::Id, &founded.space)))?;
    Ok(Exit::Done)
}

fn name(arguments: &Arguments, directory: &Path) -> anyhow::Result<Name> {
    if let Some(name) = &arguments.name {
        return Ok(Name::new(name.as_str())?);
    }
    let full = std::path::absolute(directory)?;
    let last = full
        .components()
        .next_back()
        .map(|part| part.as_os_str().to_string_lossy());
    let last = last.unwrap_or_default();
    Name::new(last.trim_end_matches(".git")).map_err(|fault| {
        Problem::new(
            Code::NameInvalid,
            format!("the directory's name cannot be the space's: {}", fault.what),
        )
        .hint("folio init --name NAME")
        .into()
    })
}

fn founder(arguments: &Arguments, key: PublicKey) -> anyhow::Result<Person> {
    let configured = |given: &Option<String>, config: &str, option: &str| match given {
        Some(text) => Ok(text.clone()),
        None => user_config_value(None, config)?.ok_or_else(|| {
            let what = format!("neither {option} nor git's {config} says who you are");
            anyhow::Error::from(Problem::new(Code::BadRequest, what).hint(format!(
                "folio init {option} ..., or git config --global {config} ..."
            )))
        }),
    };
    let name = configured(&arguments.user_name, "user.name", "--user-name")?;
    let email = configured(&arguments.email, "user.email", "--email")?;
    let handle = match &arguments.handle {
        Some(handle) => Handle::new(handle.as_str())?,
        None => handle_from(&name)?,
    };
    Ok(Person {
        email: Email::new(email)?,
        handle,
        key,
        name: PersonName::new(name)?,
    })
}

/// A handle from a person's name: its first word in lower case, as far as that has the right letters.
fn handle_from(name: &str) -> anyhow::Result<Handle> {
    let word = name
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_lowercase();
    let word: String = word
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect();
    Handle::new(word).map_err(|_| {
        let what = format!("no handle can be made from the name `{}`", escape(name));
        Problem::new(Code::HandleInvalid, what)
            .hint("folio init --handle HANDLE")
            .into()
    })
}

fn person(words: &str, key: PublicKey) -> anyhow::Result<Person> {
    let parts: Vec<&str> = words.split(',').collect();
    let [handle, email, name] = parts.as_slice() else {
        let what = format!("expected HANDLE,ADDRESS,NAME, found `{}`", escape(words));
        return Err(Problem::new(Code::BadRequest, what).into());
    };
    Ok(Person {
        email: Email::new(*email)?,
        handle: Handle::new(*handle)?,
        key,
        name: PersonName::new(*name)?,
    })
}

/// The default policy, then the first members.
fn first_decisions(arguments: &Arguments, global: &Global) -> anyhow::Result<Vec<Decision>> {
    let mut decisions: Vec<Decision> = default_policy()
        .into_iter()
        .map(Decision::PolicySet)
        .collect();
    for words in &arguments.member {
        let parts: Vec<&str> = words.split(',').collect();
        let [handle, email, name, key, roles @ ..] = parts.as_slice() else {
            let what = format!(
                "expected HANDLE,ADDRESS,NAME,KEYFILE.pub[,ROLE...], found `{}`",
                escape(words)
            );
            return Err(Problem::new(Code::BadRequest, what).into());
        };
        let key = signing::public_of(&signing::named(key, &global.dir())?)?;
        let Person {
            email,
            handle,
            key,
            name,
        } = person(&format!("{handle},{email},{name}"), key)?;
        let roles = if roles.is_empty() {
            &["member"][..]
        } else {
            roles
        };
        let mut roles: Vec<Handle> = roles
            .iter()
            .map(|role| Handle::new(*role))
            .collect::<Result<_, _>>()?;
        roles.sort();
        roles.dedup();
        decisions.push(Decision::MemberAdd(MemberAdd {
            email,
            handle,
            key,
            name,
            roles,
            was: None,
        }));
    }
    Ok(decisions)
}

/// Members decide about names, groups and overlays, and publish what these need; everything else is the admins'.
fn default_policy() -> Vec<PolicySet> {
    let role = |name: &str| Handle::new(name).expect("built-in roles are handles");
    let row = |scope: &str, roles: &[&str]| PolicySet {
        approvals: Vec::new(),
        lock_delay: None,
        prefix: Prefix::new("").expect("an empty text is valid"),
        roles: roles.iter().map(|name| role(name)).collect(),
        safe: None,
        scope: Name::new(scope).expect("built-in scopes are names"),
        self_approval: false,
        tier: Tier::Witness,
        ttl: None,
        was: None,
    };
    vec![
        row("*", &["admin"]),
        row("names", &["admin", "member"]),
        row("equivalence", &["admin", "member"]),
        row("overlays", &["admin", "member"]),
        row("artifact.publish", &["admin", "member"]),
    ]
}

fn nonce(arguments: &Arguments) -> anyhow::Result<Nonce> {
    if let Some(hex) = &arguments.nonce {
        return hex
            .parse()
            .map_err(|fault| Problem::new(Code::BadRequest, format!("--nonce: {fault}")).into());
    }
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| Problem::new(Code::Io, error.to_string()))?;
    Ok(Nonce(bytes))
}

/// The repository with what git must do there: sign with ssh, sync everything, never collect by surprise.
fn make_repository(
    directory: &Path,
    bare: bool,
    format: ObjectFormat,
    charter: &Charter<'_>,
    source: &signing::Source,
) -> anyhow::Result<GitStore> {
    std::fs::create_dir_all(directory)?;
    let full = directory.canonicalize()?;
    let git_dir = if bare {
        full.clone()
    } else {
        full.join(".git")
    };
    let signers = git_dir.join("folio").join("allowed-signers");
    let person = &charter.found.founder;
    let mut config = repository::settings(&signers);
    config.push(("user.name", person.name.to_string()));
    config.push(("user.email", person.email.to_string()));
    config.push(repository::signing_key(source));
    Ok(GitStore::init(directory, bare, format, &config)?)
}
