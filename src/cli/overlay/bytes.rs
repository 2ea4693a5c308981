//! Where the bytes of layers and bases come from: files, standard input, artifacts.

use crate::artifact::Shelves;
use crate::cli::artifact::{key, pour};
use crate::cli::context::Context;
use crate::cli::error::Problem;
use crate::cli::ui::escape;
use crate::fold::{Scene, artifacts};
use crate::model::{Code, ContentDigest, limits};
use std::io::Read as _;
use std::path::Path;

/// What a word on the command line names.
pub enum Named {
    /// The bytes of a file or of standard input.
    Bytes(Vec<u8>),
    /// An artifact.
    Key(ContentDigest),
}

/// A word as people type it: `-` is standard input, 64 digits with or without `blake3:` are a key, then comes a file
/// of that name, then the beginning of the key of an artifact that is here.
pub fn named(context: &Context, dir: &Path, word: &str) -> anyhow::Result<Named> {
    if let Some(key) = key_of(word) {
        return Ok(Named::Key(key));
    }
    let path = dir.join(word);
    if word == "-" || path.exists() {
        return file(dir, word).map(Named::Bytes);
    }
    if word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return started(context, word).map(Named::Key);
    }
    let what = format!("`{}` is neither a file nor an artifact's key", escape(word));
    Err(Problem::new(Code::NotFound, what)
        .hint("`folio artifact ls` lists the keys that are here")
        .into())
}

/// The bytes that a word names, as [`named`] reads it; those of an artifact that is neither missing nor withdrawn.
pub fn of(context: &Context, scene: &Scene<'_>, dir: &Path, word: &str) -> anyhow::Result<Vec<u8>> {
    match named(context, dir, word)? {
        Named::Bytes(bytes) => Ok(bytes),
        Named::Key(key) => of_key(context, scene, &key),
    }
}

/// The bytes of an artifact that is neither missing nor withdrawn.
pub fn of_key(
    context: &Context,
    scene: &Scene<'_>,
    key: &ContentDigest,
) -> anyhow::Result<Vec<u8>> {
    artifacts::require_standing(scene, key)?;
    let found = read(&Shelves::open(&context.store)?, key)?;
    found.ok_or_else(|| {
        let what = format!("the bytes of {key} are not here");
        Problem::new(Code::ArtifactMissing, what)
            .hint("fetch them, or give a file")
            .into()
    })
}

/// A key that people type: whole, or the beginning of that of an artifact that is here.
pub fn started(context: &Context, word: &str) -> anyhow::Result<ContentDigest> {
    key_of(word).map_or_else(|| key::named(&Shelves::open(&context.store)?, word), Ok)
}

/// A key in either of its spellings, as base versions may have it too.
pub fn key_of(word: &str) -> Option<ContentDigest> {
    word.strip_prefix("blake3:").unwrap_or(word).parse().ok()
}

/// The bytes of a file, or of standard input for `-`, as many as a layer may have.
pub fn file(dir: &Path, word: &str) -> anyhow::Result<Vec<u8>> {
    let named = |error: std::io::Error| {
        let what = format!("`{}`: {error}", escape(word));
        let code = match error.kind() {
            std::io::ErrorKind::NotFound => Code::NotFound,
            _ => Code::Io,
        };
        Problem::new(code, what)
    };
    let mut bytes = Vec::new();
    let most = limits::LAYER_BYTES as u64 + 1;
    let read = match word {
        "-" => std::io::stdin().lock().take(most).read_to_end(&mut bytes),
        _ => std::fs::File::open(dir.join(word))
            .and_then(|file| file.take(most).read_to_end(&mut bytes)),
    };
    read.map_err(named)?;
    if bytes.len() > limits::LAYER_BYTES {
        return Err(too_large(&escape(word)).into());
    }
    Ok(bytes)
}

/// The verified bytes of an artifact; `None` where they are not here.
pub fn read(shelves: &Shelves, key: &ContentDigest) -> anyhow::Result<Option<Vec<u8>>> {
    let mut reader = match shelves.read(key) {
        Ok(reader) => reader,
        Err(fault) if fault.code == Code::NotFound => return Ok(None),
        Err(fault) => return Err(fault.into()),
    };
    if reader.size() > limits::LAYER_BYTES as u64 {
        return Err(too_large(&key.to_hex()).into());
    }
    let mut bytes = Vec::with_capacity(reader.size() as usize);
    while let Some(piece) = reader.piece()? {
        bytes.extend_from_slice(piece);
    }
    Ok(Some(bytes))
}

fn too_large(name: &str) -> Problem {
    let most = limits::LAYER_BYTES;
    let what =
        format!("`{name}` has more than {most} bytes, which is the most for layers and bases");
    Problem::new(Code::TooLarge, what)
}

/// Writes a file whole or not at all.
pub fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    pour::whole_file(path, |out| Ok(out.write_all(bytes)?))
}
