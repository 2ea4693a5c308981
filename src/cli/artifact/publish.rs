//! `folio artifact publish`: draft that bytes may be had by everybody.

use super::key;
use crate::artifact::Shelves;
use crate::artifact::directory::Directory;
use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::cli::{draft, report};
use crate::codec::manifest::What;
use crate::fold::rules::ArtifactPublish;
use crate::fold::{Decision, Scene, artifacts};
use crate::model::{Code, ContentDigest, MediaType};
use std::collections::BTreeSet;

/// The media type of a directory's manifest.
const MANIFEST: &str = "application/vnd.folio.manifest";

/// Draft: whoever has the space may have the bytes
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A directory brings its files along. A media type that is left out stays as it was, and is \
application/octet-stream at first."
)]
pub struct Arguments {
    /// Keys, or the beginnings of keys that are here
    #[arg(value_name = "KEY", required = true)]
    keys: Vec<String>,
    /// What the bytes are, as text/plain
    #[arg(long, value_name = "TYPE")]
    media: Option<String>,
    /// How many bytes it has, where they are not here
    #[arg(long, value_name = "BYTES")]
    size: Option<u64>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    if arguments.size.is_some() && arguments.keys.len() > 1 {
        let found = arguments.keys.len();
        let what = format!("--size is about one artifact, found {found} keys");
        return Err(Problem::new(Code::BadRequest, what)
            .hint("publish them one by one; they go into one draft")
            .into());
    }
    let context = Context::open(global)?;
    // What is found here stays until the draft names it.
    context.store.begin_writing()?;
    let shelves = Shelves::open(&context.store)?;
    let mut wanted = Wanted::default();
    for key in &arguments.keys {
        wanted.take(&shelves, key::named(&shelves, key)?)?;
    }
    let (_, added) = draft::with_drafting(&context, global, |drafting, _, _| {
        for one in &wanted.artifacts {
            if !(one.brought && is_published(drafting.scene(), &one.key)?) {
                let decision = decision(drafting.scene(), one, arguments)?;
                drafting.add(decision, true)?;
            }
        }
        Ok(())
    })?;
    report::drafted(ui, added)
}

/// What is to be published, each once.
#[derive(Default)]
struct Wanted {
    artifacts: Vec<One>,
    known: BTreeSet<ContentDigest>,
}

/// One artifact, with what the shelves know of it.
struct One {
    key: ContentDigest,
    size: Option<u64>,
    manifest: bool,
    /// Whether a manifest brought it along.
    brought: bool,
}

impl Wanted {
    /// Takes an artifact, and the files of a directory before the manifest that names them.
    fn take(&mut self, shelves: &Shelves, key: ContentDigest) -> anyhow::Result<()> {
        let found = shelves.find_surely(&key)?;
        let manifest = found.as_ref().is_some_and(|found| found.record.manifest);
        if manifest {
            Directory::new(shelves, key).entries(&mut |entry| {
                if let What::File { key, size, .. } = entry.what
                    && self.known.insert(key)
                {
                    self.artifacts.push(One {
                        key,
                        size: Some(size),
                        manifest: false,
                        brought: true,
                    });
                }
                Ok(())
            })?;
        }
        if self.known.insert(key) {
            self.artifacts.push(One {
                key,
                size: found.map(|found| found.record.size),
                manifest,
                brought: false,
            });
        }
        Ok(())
    }
}

/// A file that stands there already keeps what was decided about it.
fn is_published(scene: &Scene<'_>, key: &ContentDigest) -> anyhow::Result<bool> {
    artifacts::require_standing(scene, key)?;
    Ok(artifacts::row(scene, key)?.is_some_and(|row| row.size.is_some()))
}

/// What is left out is as it stands, so that publishing twice says nothing new.
fn decision(scene: &Scene<'_>, one: &One, arguments: &Arguments) -> anyhow::Result<Decision> {
    let key = one.key;
    artifacts::require_standing(scene, &key)?;
    let row = artifacts::row(scene, &key)?;
    let (size, media, source) =
        row.map_or((None, None, None), |row| (row.size, row.media, row.source));
    let media = match &arguments.media {
        // Media types are the same in any case of letters; one spelling is signed.
        Some(media) if !one.brought => MediaType::new(media.to_ascii_lowercase())?,
        _ => media.unwrap_or_else(|| untyped(one.manifest)),
    };
    let size = arguments.size.or(one.size).or(size).ok_or_else(|| {
        let what = format!("the bytes of {key} are not here, and no row says how many they are");
        Problem::new(Code::ArtifactMissing, what)
            .hint("folio artifact add FILE; or --size BYTES, where the witness has the bytes")
    })?;
    Ok(Decision::ArtifactPublish(ArtifactPublish {
        artifact: key,
        media,
        size,
        source,
        was: None,
    }))
}

/// What bytes are called of which nobody said what they are.
fn untyped(manifest: bool) -> MediaType {
    match manifest {
        true => MediaType::new(MANIFEST).expect("a plain media type"),
        false => ArtifactPublish::untyped(),
    }
}
