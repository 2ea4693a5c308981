//! What was found to be needed by nothing, and since when: the first of the two phases, written down.

use super::{CONDEMNED, RENEWED};
use crate::artifact::ArtifactFault;
use crate::model::{ContentDigest, Oid};
use crate::store::Steps;
use crate::store::disk::{
    TempFile, create_dirs, io_fault, read_if_there, remove_if_there, sync_dir,
};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;

const HEADER: &str = "folio condemned 1";

/// Artifacts and objects of the internal shelf, each with the seconds since 1970 when it was condemned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condemned {
    /// Artifacts.
    pub keys: BTreeMap<ContentDigest, u64>,
    /// Objects that no artifact which is needed has its bytes in.
    pub objects: BTreeMap<Oid, u64>,
}

impl Condemned {
    /// Reads what was written last. A damaged file condemns nothing: all that is lost is time.
    ///
    /// # Errors
    /// `io`.
    pub fn read(folio: &Path) -> Result<Self, ArtifactFault> {
        let bytes = read_if_there(&folio.join(CONDEMNED))?.unwrap_or_default();
        Ok(Self::parse(&bytes).unwrap_or_default())
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let mut found = Self::default();
        if lines.next() != Some(HEADER) {
            return None;
        }
        for line in lines {
            let mut words = line.split(' ');
            let (kind, name, time) = (words.next()?, words.next()?, words.next()?);
            let time = time.parse().ok()?;
            match kind {
                "key" => drop(found.keys.insert(name.parse().ok()?, time)),
                "object" => drop(found.objects.insert(name.parse().ok()?, time)),
                _ => return None,
            }
        }
        Some(found)
    }

    /// Writes it durably; where nothing is condemned there is no file.
    ///
    /// # Errors
    /// `io`.
    pub(super) fn write(&self, folio: &Path, steps: &dyn Steps) -> Result<(), ArtifactFault> {
        steps.step("gc-condemned-write")?;
        let path = folio.join(CONDEMNED);
        if *self == Self::default() {
            remove_if_there(&path)?;
            return Ok(sync_dir(folio)?);
        }
        create_dirs(folio)?;
        let mut text = format!("{HEADER}\n");
        for (key, time) in &self.keys {
            text.push_str(&format!("key {key} {time}\n"));
        }
        for (id, time) in &self.objects {
            text.push_str(&format!("object {id} {time}\n"));
        }
        let temp = TempFile::create(folio, "tmp_condemned_", steps)?;
        let written = temp.file().write_all(text.as_bytes());
        written.map_err(|err| io_fault("write", &path, &err))?;
        temp.seal()?;
        steps.step("gc-condemned-rename")?;
        temp.rename_to(&path)?;
        Ok(sync_dir(folio)?)
    }
}

/// Artifacts that were added again since they were condemned.
///
/// # Errors
/// `io`.
pub(super) fn renewed(folio: &Path) -> Result<BTreeSet<ContentDigest>, ArtifactFault> {
    let bytes = read_if_there(&folio.join(RENEWED))?.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    // A torn line is of a writer that told nobody that it was done.
    Ok(text.lines().filter_map(|line| line.parse().ok()).collect())
}

/// Forgets them, once they are taken into account. Nobody may be adding meanwhile.
pub(super) fn forget_renewed(folio: &Path) -> Result<(), ArtifactFault> {
    Ok(remove_if_there(&folio.join(RENEWED))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::EveryStep;

    #[test]
    fn what_is_condemned_is_read_back_and_damage_condemns_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Condemned::read(dir.path()).unwrap(), Condemned::default());
        let some = Condemned {
            keys: [(ContentDigest([7; 32]), 5)].into(),
            objects: [(Oid::from_bytes(&[1; 20]).unwrap(), 6)].into(),
        };
        some.write(dir.path(), &EveryStep).unwrap();
        assert_eq!(Condemned::read(dir.path()).unwrap(), some);
        let path = dir.path().join(CONDEMNED);
        let text = std::fs::read_to_string(&path).unwrap();
        for bad in [&text[..text.len() - 1], "", "folio condemned 2\n", "x\n"] {
            std::fs::remove_file(&path).unwrap();
            std::fs::write(&path, bad).unwrap();
            assert_eq!(Condemned::read(dir.path()).unwrap(), Condemned::default());
        }
        Condemned::default().write(dir.path(), &EveryStep).unwrap();
        assert!(!path.exists());
    }
}
