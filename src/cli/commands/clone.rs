//! `folio clone`: a copy of a space, verified before it is believed.

use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::exchange::artifacts::choice::{self, Choice, Wish};
use crate::cli::exchange::artifacts::view::ArtifactsView;
use crate::cli::exchange::artifacts::{self, Bringing};
use crate::cli::exchange::first::{self, Charter, Known};
use crate::cli::exchange::{Remote, address, fetch, home, shallow, take_in};
use crate::cli::exit::Exit;
use crate::cli::numbering::or_warn;
use crate::cli::report::count;
use crate::cli::settling::Hand;
use crate::cli::ui::{Style, Ui, escape};
use crate::cli::{allowed_signers, founding, repository, signing, stick, verified, worktree};
use crate::journal::reconcile::{RefMap, travels};
use crate::journal::{Page, Space, refs};
use crate::model::{Code, ObjectFormat, Oid, SpaceId};
use crate::remote::{Location, Transport};
use crate::store::{Expect, GitStore, RefEdit, Refs as _};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// A copy of a space, verified
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Everything is verified before the clone is kept. Without --space or --witness the ids are shown \
and you are asked; without a terminal the clone is refused. A clone with --depth 1 is good for asking and \
verifies nothing before its newest page."
)]
pub struct Arguments {
    /// From where: a URL, host:path, a directory or a bundle file
    #[arg(value_name = "URL")]
    url: String,
    /// Where to; a new or empty directory [default: as it is called there]
    #[arg(value_name = "DIRECTORY")]
    place: Option<PathBuf>,
    /// The id that the space must have
    #[arg(long, value_name = "ID")]
    space: Option<String>,
    /// The fingerprint of its founder's or witness's key
    #[arg(long, value_name = "SHA256:...")]
    witness: Option<String>,
    /// Without a work tree
    #[arg(long)]
    bare: bool,
    /// Without history; needs --space
    #[arg(long, value_name = "1", requires = "space", value_parser = clap::value_parser!(u32).range(1..=1))]
    depth: Option<u32>,
    #[command(flatten)]
    wish: Wish,
}

/// Where a clone comes from.
struct Source {
    url: Location,
    is_stick: bool,
}

impl Source {
    fn remote(&self) -> Remote {
        match self.is_stick {
            // What a stick showed says nothing about whichever remote is called `origin` later.
            true => Remote::at(self.url.clone()),
            false => Remote {
                name: "origin".into(),
                key: "origin".into(),
                url: self.url.clone(),
            },
        }
    }
}

#[derive(Serialize)]
struct Cloned {
    space: String,
    directory: String,
    newest: u64,
    commit: String,
    /// What could not be verified.
    unchecked: Vec<String>,
    /// Artifacts; nothing where they could not be asked for.
    artifacts: Option<ArtifactsView>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let known = known(arguments)?;
    let url = Location::parse(&arguments.url, &global.dir())?;
    let directory = global.dir().join(place(arguments, &url)?);
    let stick = stick::first::whole_bundle(&url, known.space.as_ref())?;
    let from = Source {
        is_stick: stick.is_some(),
        url: stick.unwrap_or(url),
    };
    founding::require_room(&directory, ui)?;
    let existed = directory.exists();
    let (listed, there) = list(&from.url, ui)?;
    let under_way = founding::begin(&directory, arguments.bare)?;
    let made = make(arguments, global, &from, &directory, &listed, &known, ui);
    let (context, unchecked) = match made {
        Ok(made) => made,
        Err(error) => {
            // As git does: a clone that failed leaves nothing behind.
            drop(under_way);
            clear(&directory, existed);
            return Err(error);
        }
    };
    under_way.end()?;
    let artifacts = or_warn(ui, bytes(&context, global, &from, &there, ui));
    report(&context, &directory, unchecked, artifacts, ui)
}

/// The published artifacts, as far as they are wanted. A clone without them is whole all the same.
fn bytes(
    context: &Context,
    global: &Global,
    from: &Source,
    there: &RefMap,
    ui: &Ui,
) -> anyhow::Result<ArtifactsView> {
    let bringing = Bringing {
        choice: Choice::of(context)?,
        offers: false,
        hand: Hand::Ask,
    };
    let (space, remote) = (context.space()?, from.remote());
    let followed = artifacts::follow(context, global, &space, &remote, there, &bringing, ui)?;
    let view = ArtifactsView::of(&followed);
    or_warn(ui, view.outcome(&followed));
    Ok(view)
}

fn known(arguments: &Arguments) -> anyhow::Result<Known> {
    let space = arguments.space.as_deref().map(str::parse::<SpaceId>);
    let space = space.transpose().map_err(|fault| {
        Problem::new(Code::BadRequest, format!("--space: {fault}"))
            .hint("the id has 64 hexadecimal digits: `folio status` in a clone prints it")
    })?;
    Ok(Known {
        space,
        fingerprint: arguments.witness.clone(),
    })
}

fn place(arguments: &Arguments, url: &Location) -> anyhow::Result<PathBuf> {
    match (&arguments.place, url.name()) {
        (Some(place), _) => Ok(place.clone()),
        (None, Some(name)) => Ok(PathBuf::from(name)),
        (None, None) => {
            let what = "the address does not say what to call the directory";
            let hint = "name it: folio clone URL DIRECTORY";
            Err(Problem::new(Code::BadRequest, what).hint(hint).into())
        }
    }
}

/// What is there, asked from a repository that is nobody's.
fn list(url: &Location, ui: &Ui) -> anyhow::Result<(RefMap, RefMap)> {
    let nowhere = tempfile::tempdir()?;
    GitStore::init(nowhere.path(), true, ObjectFormat::Sha1, &[])?;
    let _waiting = ui.spinner("Asking");
    let listed = Transport::new(nowhere.path(), url.clone(), true).list()?;
    let artifacts = artifacts::of_artifacts(&listed);
    let listed: RefMap = listed
        .into_iter()
        .filter(|(name, _)| travels(name))
        .collect();
    if !listed.contains_key(refs::MAIN) {
        let what = format!("there is no {} at {url}", refs::MAIN);
        return Err(Problem::new(Code::NotASpace, what).into());
    }
    Ok((listed, artifacts))
}

fn make(
    arguments: &Arguments,
    global: &Global,
    from: &Source,
    directory: &Path,
    listed: &RefMap,
    known: &Known,
    ui: &Ui,
) -> anyhow::Result<(Context, Vec<String>)> {
    let format = listed[refs::MAIN].format();
    let store = make_repository(arguments, global, from, directory, format)?;
    let context = Context { store };
    let remote = from.remote();
    let unchecked = match arguments.depth {
        Some(_) => without_history(&context, &remote, known, ui)?,
        None => {
            whole(&context, &remote, listed, known, ui)?;
            Vec::new()
        }
    };
    allowed_signers::refresh(&context)?;
    worktree::follow(&context, ui)?;
    Ok((context, unchecked))
}

fn make_repository(
    arguments: &Arguments,
    global: &Global,
    from: &Source,
    directory: &Path,
    format: ObjectFormat,
) -> anyhow::Result<GitStore> {
    std::fs::create_dir_all(directory)?;
    let full = directory.canonicalize()?;
    let git_dir = match arguments.bare {
        true => full,
        false => full.join(".git"),
    };
    let signers = git_dir.join("folio").join("allowed-signers");
    let mut config = repository::settings(&signers);
    config.push((home::CLONED, "true".into()));
    // A stick is no place to come back to: the next one is another.
    if !from.is_stick {
        config.push(("remote.origin.url", from.url.to_string()));
        let everything = "+refs/heads/*:refs/remotes/origin/*";
        config.push(("remote.origin.fetch", everything.into()));
        config.push(("branch.main.remote", "origin".into()));
        config.push(("branch.main.merge", refs::MAIN.into()));
    }
    if let Some(choice) = arguments.wish.read()? {
        config.push((choice::CONFIG, choice.text()));
    }
    if global.key.is_some() {
        config.push(repository::signing_key(&signing::source(None, global)?));
    }
    Ok(GitStore::init(directory, arguments.bare, format, &config)?)
}

/// Everything, verified from the charter on, and only then named `main`.
fn whole(
    context: &Context,
    remote: &Remote,
    listed: &RefMap,
    known: &Known,
    ui: &Ui,
) -> anyhow::Result<()> {
    let shown = fetch::bring(context, remote, listed, ui)?;
    let tip = shown[refs::MAIN];
    let charter = first::verify_whole(&context.store, tip, ui)?;
    first::require_trust(&charter, known, ui)?;
    begin_main(context, tip)?;
    verified::remember(context, charter.newest, tip)?;
    let space = context.space()?;
    address::settle(context, remote, ui)?;
    take_in::take_in(context, &space, &remote.key, &remote.name, &shown, ui)?;
    check_space(&space, &charter)
}

/// The space that was opened is the one that was verified.
fn check_space(space: &Space<'_, GitStore>, charter: &Charter) -> anyhow::Result<()> {
    if space.id == charter.space {
        return Ok(());
    }
    let what = format!("expected the space {}, found {}", charter.space, space.id);
    Err(Problem::new(Code::SpaceMismatch, what).into())
}

fn without_history(
    context: &Context,
    remote: &Remote,
    known: &Known,
    ui: &Ui,
) -> anyhow::Result<Vec<String>> {
    let tip = shallow::bring_newest(context, remote, ui)?;
    let page = Page::read(&context.store, tip)?;
    let mut space = Space::claimed(&context.store, &page);
    space.id = known.space.expect("clap asks for --space with --depth");
    shallow::look(&space, tip)?;
    begin_main(context, tip)?;
    shallow::drop_newest(context, remote)?;
    Ok(vec![shallow::UNCHECKED.to_owned()])
}

fn begin_main(context: &Context, tip: Oid) -> anyhow::Result<()> {
    context.store.apply(&[RefEdit {
        name: refs::MAIN.into(),
        expect: Expect::Absent,
        new: Some(tip),
        message: "folio: clone".into(),
    }])?;
    Ok(())
}

fn clear(directory: &Path, existed: bool) {
    // What cannot be removed carries the mark of something unfinished; the next clone takes it over.
    let Ok(entries) = std::fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let _ = match path.is_dir() {
            true => std::fs::remove_dir_all(&path),
            false => std::fs::remove_file(&path),
        };
    }
    if !existed {
        let _ = std::fs::remove_dir(directory);
    }
}

fn report(
    context: &Context,
    directory: &Path,
    unchecked: Vec<String>,
    artifacts: Option<ArtifactsView>,
    ui: &Ui,
) -> anyhow::Result<Exit> {
    let space = context.space()?;
    let page = Page::read(&context.store, space.tip()?)?;
    let shown = directory.display().to_string();
    if ui.json() {
        let cloned = Cloned {
            space: space.id.to_hex(),
            directory: shown,
            newest: page.number().0,
            commit: page.id.to_hex(),
            unchecked,
            artifacts,
        };
        ui.answer("clone", &cloned)?;
        return Ok(Exit::Done);
    }
    let number = page.number();
    let verified = match unchecked.is_empty() {
        true => format!("{} verified", count(number.0 as usize, "page")),
        false => "not verified before its newest page".into(),
    };
    let id = ui.paint(Style::Id, &space.id.to_hex());
    ui.line(format!(
        "Cloned common@{number} into {}: {verified}",
        escape(&shown)
    ))?;
    ui.line(format!("space {id}"))?;
    if let Some(artifacts) = &artifacts {
        artifacts.print("origin", ui)?;
    }
    for what in &unchecked {
        ui.say(format!("not verified: {what}"));
    }
    Ok(Exit::Done)
}
