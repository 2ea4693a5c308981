//! The allowed-signers file, so that plain `git verify-commit` says Good. Written from the state's keys,
//! retired ones too: what they signed while they were current stays signed.

use super::context::Context;
use crate::codec::rows;
use crate::fold::ViewFault;
use crate::journal::{Page, Space};
use crate::model::rows::KeyRow;
use crate::model::{Code, Table};
use crate::store::GitStore;
use std::fmt::Write as _;
use std::io::Write as _;
use std::ops::ControlFlow;

/// Writes the file where the keys have changed since it was written last.
pub fn refresh(context: &Context) -> anyhow::Result<()> {
    let (space, page) = context.newest()?;
    refresh_at(context, &space, &page)
}

/// As [`refresh`], where the newest snapshot was read a moment ago.
pub fn refresh_at(
    context: &Context,
    space: &Space<'_, GitStore>,
    page: &Page,
) -> anyhow::Result<()> {
    let dir = context.folio_dir();
    let path = dir.join("allowed-signers");
    let mut text = String::new();
    let mut fault = None;
    let _ = space.tables.iter(
        Some(page.tree()),
        Table::Keys,
        |_, row| match rows::decode::<KeyRow>(row) {
            Ok(row) => {
                // Writing into a string cannot fail.
                let _ = writeln!(text, "{} namespaces=\"git\" {}", row.email, row.key);
                ControlFlow::Continue(())
            }
            Err(error) => {
                fault = Some(ViewFault {
                    code: Code::TreeMalformed,
                    what: error.to_string(),
                });
                ControlFlow::Break(())
            }
        },
    )?;
    if let Some(fault) = fault {
        return Err(fault.into());
    }
    if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    std::fs::create_dir_all(&dir)?;
    // A crash leaves the old file or the new one; the next command writes it again.
    let mut file = tempfile::NamedTempFile::new_in(&dir)?;
    file.write_all(text.as_bytes())?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}
