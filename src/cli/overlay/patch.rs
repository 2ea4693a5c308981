//! The patch of a layer that is drafted: what it is, and that its bytes are kept and published.

use super::bytes::{self, Named};
use crate::artifact::{Intake, Options, Shelves};
use crate::cli::args::Global;
use crate::cli::artifact::internal_imprint;
use crate::cli::context::Context;
use crate::cli::draft::Drafting;
use crate::cli::error::{self, Problem};
use crate::cli::ui::Ui;
use crate::crypto::groups;
use crate::fold::rules::ArtifactPublish;
use crate::fold::{Decision, Scene, artifacts};
use crate::journal::Space;
use crate::model::{Code, ContentDigest, MediaType};
use crate::overlay::{LayerKind, Patch, bounded};
use crate::store::GitStore;

/// What a patch is said to be.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct Kind {
    /// The patch is a whole file, whatever it looks like
    #[arg(long, conflicts_with = "diff")]
    whole: bool,
    /// The patch is a unified diff
    #[arg(long)]
    diff: bool,
    /// Draft the layer alone: others learn the patch's key and not its bytes
    #[arg(long)]
    no_publish: bool,
}

impl Kind {
    /// What a layer that is made again stays, unless it is said.
    pub fn remade(self, was: LayerKind) -> Self {
        let kind = self.said().unwrap_or(was);
        Self {
            whole: kind == LayerKind::Whole,
            diff: kind == LayerKind::Diff,
            ..self
        }
    }

    /// Whether it is said to be a diff.
    pub fn is_diff(self) -> bool {
        self.diff
    }

    fn said(self) -> Option<LayerKind> {
        match (self.whole, self.diff) {
            (true, _) => Some(LayerKind::Whole),
            (_, true) => Some(LayerKind::Diff),
            _ => None,
        }
    }
}

/// A patch that was looked at, and what is known of it.
pub struct Ready {
    /// The key.
    pub key: ContentDigest,
    bytes: Option<Vec<u8>>,
    kept: bool,
    kind: Kind,
}

impl Ready {
    /// A patch by a word: a file, `-`, or a key, whose bytes need not be here.
    pub fn named(
        context: &Context,
        global: &Global,
        word: &str,
        kind: Kind,
    ) -> anyhow::Result<Self> {
        match bytes::named(context, &global.dir(), word)? {
            Named::Bytes(bytes) => Ok(Self::new(bytes, kind)),
            Named::Key(key) => Ok(Self {
                key,
                bytes: bytes::read(&Shelves::open(&context.store)?, &key)?,
                kept: true,
                kind,
            }),
        }
    }

    /// A patch by its bytes.
    pub fn new(bytes: Vec<u8>, kind: Kind) -> Self {
        Self {
            key: groups::digest(&bytes),
            bytes: Some(bytes),
            kept: false,
            kind,
        }
    }

    /// Checks it, drafts that it is published, then what `layer` makes of its key, and keeps its bytes. What is
    /// refused keeps and drafts nothing.
    pub fn draft(
        self,
        context: &Context,
        global: &Global,
        drafting: &mut Drafting<'_>,
        space: &Space<'_, GitStore>,
        layer: Decision,
        ui: &Ui,
    ) -> anyhow::Result<()> {
        let Some(bytes) = &self.bytes else {
            if self.kind.said().is_some() {
                let what = format!(
                    "the bytes of {} are not here, so nothing can be said of them",
                    self.key
                );
                return Err(Problem::new(Code::ArtifactMissing, what)
                    .hint("give a file, or leave out --whole and --diff")
                    .into());
            }
            ui.say(format!(
                "note: the bytes of {} are not here",
                self.key.short()
            ));
            drafting.add(layer, true)?;
            return Ok(());
        };
        let kind = settle(drafting.scene(), &self.key, bytes, self.kind)?;
        if kind == LayerKind::Diff {
            Patch::parse(bytes)?;
        }
        bounded("the patch", bytes)?;
        if !self.kind.no_publish {
            let publish = publish(drafting.scene(), &self.key, bytes, kind)?;
            if let Some(publish) = publish {
                drafting.add(publish, true).map_err(may_not_publish)?;
            }
        }
        drafting.add(layer, true)?;
        match self.kept {
            true => Ok(()),
            false => keep(context, global, space, bytes),
        }
    }
}

/// What the patch is for every reader: what its row says, else what is said now, else what it looks like.
fn settle(
    scene: &Scene<'_>,
    key: &ContentDigest,
    bytes: &[u8],
    kind: Kind,
) -> anyhow::Result<LayerKind> {
    let row = artifacts::row(scene, key)?;
    let media = row.and_then(|row| row.media);
    let reads = LayerKind::of(media.as_ref().map(MediaType::as_str), bytes);
    let Some(said) = kind.said().filter(|said| *said != reads) else {
        return Ok(reads);
    };
    let says_nothing = media
        .as_ref()
        .is_none_or(|media| *media == ArtifactPublish::untyped());
    if says_nothing && !kind.no_publish {
        return Ok(said);
    }
    let (said, reads) = (said.as_str(), reads.as_str());
    let what = match media {
        Some(media) if !says_nothing => format!(
            "{key} is published as {media}, so it is read as a {reads} layer, not as a {said} one"
        ),
        _ => format!(
            "bytes that are not published are read as what they look like: a {reads} layer, not a {said} one"
        ),
    };
    Err(Problem::new(Code::BadRequest, what)
        .hint("the media type of a diff is text/x-diff: folio artifact publish KEY --media TYPE")
        .into())
}

/// The decision that publishes it, where its row does not say enough.
fn publish(
    scene: &Scene<'_>,
    key: &ContentDigest,
    bytes: &[u8],
    kind: LayerKind,
) -> anyhow::Result<Option<Decision>> {
    let row = artifacts::row(scene, key)?;
    let (media, source) = row.map_or((None, None), |row| (row.media, row.source));
    let reads = LayerKind::of(media.as_ref().map(MediaType::as_str), bytes);
    if media.is_some() && reads == kind {
        return Ok(None);
    }
    Ok(Some(Decision::ArtifactPublish(ArtifactPublish {
        artifact: *key,
        media: MediaType::new(kind.media(bytes))?,
        size: bytes.len() as u64,
        source,
        was: None,
    })))
}

/// Who may add layers may not always publish.
fn may_not_publish(refused: anyhow::Error) -> anyhow::Error {
    match error::parts(&refused) {
        (Some(code @ Code::NotAllowed), what, _) => Problem::new(code, what)
            .hint("with --no-publish the layer names the patch by its key alone, and somebody who may publish it: folio artifact publish KEY")
            .into(),
        _ => refused,
    }
}

/// Keeps the bytes as an internal artifact, durably.
fn keep(
    context: &Context,
    global: &Global,
    space: &Space<'_, GitStore>,
    bytes: &[u8],
) -> anyhow::Result<()> {
    let shelves = Shelves::open(&context.store)?;
    let imprint = internal_imprint(space.id, global)?;
    let mut intake = Intake::new(shelves.internal(), Options::new(imprint))?;
    intake.add(&mut &bytes[..])?;
    intake.finish()?;
    Ok(())
}
