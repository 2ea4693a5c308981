//! Verified bytes into a file or a pipe.

use super::key::Span;
use crate::artifact::Reader;
use crate::cli::error::Problem;
use crate::cli::ui::escape;
use crate::model::Code;
use std::io::Write;
use std::path::Path;

/// The part of an artifact that was asked for.
pub fn part<'a>(reader: Reader<'a>, span: Option<Span>) -> Reader<'a> {
    match span {
        Some(Span { from, to }) => reader.range(from, to),
        None => reader,
    }
}

/// Writes all that a reader has; returns how many bytes.
pub fn into(reader: &mut Reader<'_>, out: &mut dyn Write) -> anyhow::Result<u64> {
    let mut written = 0;
    while let Some(piece) = reader.piece()? {
        out.write_all(piece)?;
        written += piece.len() as u64;
    }
    out.flush()?;
    Ok(written)
}

/// Writes it to a file, which appears only when it is complete.
pub fn into_file(reader: &mut Reader<'_>, path: &Path) -> anyhow::Result<u64> {
    whole_file(path, |out| into(reader, out))
}

/// A file that appears, or is replaced, only when it is complete.
pub fn whole_file<T>(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    let fault = |err: &std::io::Error| {
        let shown = escape(&path.to_string_lossy());
        Problem::new(Code::Io, format!("cannot write `{shown}`: {err}"))
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".folio-get-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any new file: less what the user's mask takes away.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut temp = builder.tempfile_in(dir).map_err(|err| fault(&err))?;
    let written = fill(temp.as_file_mut())?;
    temp.as_file().sync_all().map_err(|err| fault(&err))?;
    temp.persist(path).map_err(|err| fault(&err.error))?;
    Ok(written)
}
