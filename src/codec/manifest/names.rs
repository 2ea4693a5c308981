//! The names of a directory, one after the other: each once, in order, and no two that some file system takes
//! for one.

use super::ManifestFault;
use super::fold::fold;
use super::path::TreePath;
use crate::model::{Code, limits};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry::{Occupied, Vacant};

/// A digest of where a name is, folded: that of its directory, then its own folded name. 16 bytes are enough:
/// whoever finds two names with one digest gets them refused.
type Place = u128;

/// A directory on the way to the name that came last.
struct Above {
    part: String,
    place: Place,
}

/// What came so far. It keeps some 20 bytes for each name and no names but the last.
pub struct Names {
    most: usize,
    last: String,
    above: Vec<Above>,
    /// Where each name is and the line it came in.
    taken: BTreeMap<Place, u32>,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            most: limits::MANIFEST_NAMES,
            last: String::new(),
            above: Vec::new(),
            taken: BTreeMap::new(),
        }
    }
}

impl Names {
    /// Takes the path in that line.
    ///
    /// # Errors
    ///
    /// `manifest-malformed` for a path that is not after the last one by its bytes, `path-collision`, and
    /// `too-large` for more names than the format allows.
    pub fn take(&mut self, path: &TreePath, line: u64) -> Result<(), ManifestFault> {
        let text = path.as_str();
        if *text <= *self.last {
            let what = format!("expected a path after `{}`, found `{path}`", self.last);
            return Err(ManifestFault::new(Code::ManifestMalformed, line, what));
        }
        let parts = text.split('/');
        // Paths below one directory follow each other: a directory that is left never comes again.
        let same = parts.clone().zip(&self.above);
        let same = same.take_while(|(part, above)| *part == above.part).count();
        self.above.truncate(same);
        for part in parts.skip(same) {
            let place = self.above.last().map_or(0, |above| above.place);
            let place = below(place, part);
            self.claim(place, path, line)?;
            let part = part.to_owned();
            self.above.push(Above { part, place });
        }
        // The last part is the entry itself. A path below it would be another spelling of a name that is taken.
        self.above.pop();
        text.clone_into(&mut self.last);
        Ok(())
    }

    fn claim(&mut self, place: Place, path: &TreePath, line: u64) -> Result<(), ManifestFault> {
        let many = self.taken.len();
        let free = match self.taken.entry(place) {
            Occupied(other) => {
                let what = format!(
                    "`{path}`, or a directory above it, is the same name as one in line {} where case and \
                     Unicode forms do not count",
                    other.get()
                );
                return Err(ManifestFault::new(Code::PathCollision, line, what));
            }
            Vacant(free) => free,
        };
        if many == self.most {
            let what = format!("expected at most {many} files and directories, found more");
            return Err(ManifestFault::new(Code::TooLarge, line, what));
        }
        free.insert(u32::try_from(line).expect("there are fewer lines than names"));
        Ok(())
    }
}

fn below(directory: Place, part: &str) -> Place {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&directory.to_be_bytes());
    hasher.update(fold(part).as_bytes());
    let digest = hasher.finalize();
    let half = digest.as_bytes().first_chunk().expect("it has 32 bytes");
    u128::from_be_bytes(*half)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(paths: &[&str]) -> Result<(), (Code, u64)> {
        let mut names = Names::default();
        for (line, path) in (2..).zip(paths) {
            let path = TreePath::new(*path).unwrap();
            names
                .take(&path, line)
                .map_err(|fault| (fault.code, fault.line))?;
        }
        Ok(())
    }

    #[test]
    fn sorted_by_bytes_of_whole_paths() {
        assert_eq!(
            take(&["a", "a-b", "a.c/x", "b/a", "b/a.x/y", "b/c"]),
            Ok(())
        );
        assert_eq!(take(&["B", "a", "\u{e9}"]), Ok(()));
        for bad in [&["b", "a"], &["a", "a"], &["a/b", "a-b"], &["a/b", "a/a"]] {
            assert_eq!(take(bad), Err((Code::ManifestMalformed, 3)), "{bad:?}");
        }
    }

    #[test]
    fn directories_on_the_way_count() {
        let mut names = Names {
            most: 5,
            ..Names::default()
        };
        let mut take = |path, line| names.take(&TreePath::new(path).unwrap(), line);
        take("a/b/c", 2).unwrap();
        take("a/b/d", 3).unwrap();
        let fault = take("a/c/d", 4).unwrap_err();
        assert_eq!((fault.code, fault.line), (Code::TooLarge, 4));
    }

    #[test]
    fn one_name_for_two_things() {
        for bad in [
            &["A", "a"],
            &["A/x", "a/y"],
            &["a", "a/b"],
            &["A", "a/b"],
            &["a/B/c", "a/b/d"],
            &["SS", "\u{df}"],
            &["e\u{301}", "\u{e9}"],
            &["d/git", "d/g\u{200c}it"],
            &["E\u{301}/x/y", "\u{e9}/x/z"],
        ] {
            assert_eq!(take(bad), Err((Code::PathCollision, 3)), "{bad:?}");
        }
        let apart = ["a", "a-b", "a.b"];
        assert_eq!(take(&apart), Ok(()));
        // Far from each other: what lies between sorts between them.
        assert_eq!(take(&["a", "a-b", "a/b"]), Err((Code::PathCollision, 4)));
        assert_eq!(
            take(&["A/1", "B/1", "C", "a/2"]),
            Err((Code::PathCollision, 5))
        );
    }
}
