//! `folio artifact publish`: draft that bytes may be had by everybody.

use super::keys;
use crate::cli::args::Global;
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::cli::{draft, report};
use crate::fold::rules::ArtifactPublish;
use crate::fold::{Decision, Scene, artifacts};
use crate::model::{Code, ContentDigest, MediaType};

/// Draft: whoever has the space may have the bytes
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A media type that is left out stays as it was, and is application/octet-stream at first."
)]
pub struct Arguments {
    /// The keys of artifacts, as b3sum prints them
    #[arg(value_name = "KEY", required = true)]
    keys: Vec<String>,
    /// What the bytes are, as text/plain
    #[arg(long, value_name = "TYPE")]
    media: Option<String>,
    /// How many bytes it has, where no row says so yet
    #[arg(long, value_name = "BYTES")]
    size: Option<u64>,
}

/// Runs it.
pub fn run(arguments: &Arguments, global: &Global, ui: &Ui) -> anyhow::Result<Exit> {
    let keys = keys::parse(&arguments.keys)?;
    if arguments.size.is_some() && keys.len() > 1 {
        let what = format!("--size is about one artifact, found {} keys", keys.len());
        return Err(Problem::new(Code::BadRequest, what)
            .hint("publish them one by one; they go into one draft")
            .into());
    }
    let context = Context::open(global)?;
    let (_, added) = draft::with_drafting(&context, global, |drafting, _, _| {
        for key in keys {
            let decision = decision(drafting.scene(), key, arguments)?;
            drafting.add(decision, true)?;
        }
        Ok(())
    })?;
    report::drafted(ui, added)
}

/// What is left out is as it stands, so that publishing twice says nothing new.
fn decision(
    scene: &Scene<'_>,
    key: ContentDigest,
    arguments: &Arguments,
) -> anyhow::Result<Decision> {
    artifacts::require_standing(scene, &key)?;
    let row = artifacts::row(scene, &key)?;
    let (size, media, source) =
        row.map_or((None, None, None), |row| (row.size, row.media, row.source));
    let media = match &arguments.media {
        // Media types are the same in any case of letters; one spelling is signed.
        Some(media) => MediaType::new(media.to_ascii_lowercase())?,
        None => media.unwrap_or_else(ArtifactPublish::untyped),
    };
    let size = arguments.size.or(size).ok_or_else(|| {
        let what = format!("nothing here says how many bytes {key} has");
        Problem::new(Code::BadRequest, what).hint("folio artifact publish KEY --size BYTES")
    })?;
    Ok(Decision::ArtifactPublish(ArtifactPublish {
        artifact: key,
        media,
        size,
        source,
        was: None,
    }))
}
