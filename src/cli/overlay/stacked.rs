//! The layers over a target, with what became of each when they were laid.

use super::bytes;
use crate::artifact::Shelves;
use crate::cli::ui::{Style, Ui, escape};
use crate::fold::{Scene, artifacts};
use crate::model::rows::LayerRow;
use crate::model::{Code, MediaType};
use crate::overlay::{Absent, Laid, LayerKind, Moved, OverlayFault, Stack};
use serde::Serialize;

/// A layer and what became of it.
#[derive(Debug, Serialize)]
pub struct Layer {
    /// Its id.
    pub id: String,
    base: String,
    patch: String,
    kind: Option<&'static str>,
    /// `applied`, `fails`, `withdrawn`, `missing` or `unknown`.
    pub state: &'static str,
    /// Whether it was made for another version of the target.
    moved: bool,
    hunks: Vec<Hunk>,
    code: Option<&'static str>,
    what: Option<String>,
    #[serde(skip)]
    pub(super) fault: Option<OverlayFault>,
}

#[derive(Debug, Serialize)]
struct Hunk {
    hunk: usize,
    stated: usize,
    found: usize,
}

impl From<Moved> for Hunk {
    fn from(moved: Moved) -> Self {
        let Moved {
            hunk,
            stated,
            found,
        } = moved;
        Self {
            hunk,
            stated,
            found,
        }
    }
}

/// Lays one layer. `newest` is the version of the target that the stack is about.
pub fn lay(
    stack: &mut Stack,
    shelves: &Shelves,
    scene: &Scene<'_>,
    row: &LayerRow,
    newest: &str,
) -> anyhow::Result<Layer> {
    let artifact = artifacts::row(scene, &row.patch)?;
    let (media, tombstone) = artifact.map_or((None, None), |row| (row.media, row.tombstone));
    let bytes = bytes::read(shelves, &row.patch);
    let mut kind = None;
    let (laid, words) = match (tombstone, bytes) {
        (Some(reason), _) => (stack.lay(Err(Absent::Withdrawn)), Some(reason.to_string())),
        (None, Ok(None)) => (stack.lay(Err(Absent::Missing)), None),
        (None, Ok(Some(bytes))) => {
            let found = LayerKind::of(media.as_ref().map(MediaType::as_str), &bytes);
            kind = Some(found.as_str());
            (stack.lay(Ok((found, &bytes))), None)
        }
        (None, Err(error)) => match crate::cli::error::parts(&error) {
            (Some(Code::TooLarge), what, _) => {
                stack.lay(Err(Absent::Missing));
                (Laid::Fails(OverlayFault::new(Code::TooLarge, what)), None)
            }
            _ => return Err(error),
        },
    };
    Ok(Layer::new(row, kind, laid, words, newest))
}

impl Layer {
    fn new(
        row: &LayerRow,
        kind: Option<&'static str>,
        laid: Laid,
        words: Option<String>,
        newest: &str,
    ) -> Self {
        let (state, hunks, fault) = match laid {
            Laid::Applied(moved) => ("applied", moved, None),
            Laid::Unknown => ("unknown", Vec::new(), None),
            Laid::Fails(fault) => ("fails", Vec::new(), Some(fault)),
            Laid::Absent(Absent::Withdrawn) => {
                let reason = words.unwrap_or_default();
                let what = format!("its patch {} is withdrawn: {reason}", row.patch);
                let fault = OverlayFault::new(Code::ArtifactTombstoned, what);
                ("withdrawn", Vec::new(), Some(fault))
            }
            Laid::Absent(Absent::Missing) => {
                let what = format!("the bytes of its patch {} are not here", row.patch);
                let fault = OverlayFault::new(Code::ArtifactMissing, what);
                ("missing", Vec::new(), Some(fault))
            }
        };
        Self {
            id: row.id.to_hex(),
            base: row.base.to_string(),
            patch: row.patch.to_hex(),
            kind,
            state,
            moved: !same_version(row.base.as_str(), newest),
            hunks: hunks.into_iter().map(Hunk::from).collect(),
            code: fault.as_ref().map(|fault| fault.code.as_str()),
            what: fault.as_ref().map(|fault| fault.what.clone()),
            fault,
        }
    }

    /// The line of a list: id, base, patch, and what is to be told of it.
    pub fn line(&self, ui: &Ui) -> String {
        let id = ui.paint(Style::Id, &self.id);
        let mut line = format!("{id} {} {}", escape(&self.base), self.patch);
        for mark in self.marks(true) {
            line.push_str(&format!(" {}", ui.paint(Style::Bad, &format!("({mark})"))));
        }
        line
    }

    /// What is to be told of it, in words; escaped. `faults`: also why it cannot be used.
    pub fn marks(&self, faults: bool) -> Vec<String> {
        let mut marks = Vec::new();
        if self.moved {
            marks.push("base moved".to_owned());
        }
        for Hunk {
            hunk,
            stated,
            found,
        } in &self.hunks
        {
            marks.push(format!("hunk {hunk} applies at line {found}, not {stated}"));
        }
        let what = self.what.iter().filter(|_| faults);
        marks.extend(what.map(|what| escape(what)));
        marks
    }
}

/// Whether two words name one version: as they are written, or one key in its two spellings.
pub fn same_version(a: &str, b: &str) -> bool {
    let keys = bytes::key_of(a).zip(bytes::key_of(b));
    a == b || keys.is_some_and(|(a, b)| a == b)
}
