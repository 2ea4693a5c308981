//! Objects by their ids: what a catalog names is asked for piece by piece, and what came stays.

use super::Transport;
use super::program::failure;
use super::transport::{FETCH, unreachable};
use crate::model::Oid;
use crate::store::StoreFault;
use std::ffi::OsString;

/// Words by which git says that the other side gives nothing by its id: of a server that speaks the first
/// protocol only, of files behind a web server, and of a bundle, which sends what it has whatever it is asked for.
const NOT_BY_ID: [&str; 4] = [
    "does not allow request for unadvertised object",
    "couldn't find remote ref",
    "no such remote ref",
    "did not send all necessary objects",
];

/// What became of a fetch by ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Brought {
    /// All of them are here.
    All,
    /// The other side does not have this one, and gave none.
    Lacks(Oid),
    /// The other side gives nothing by its id.
    NotById,
}

impl Transport {
    /// Brings these objects and what hangs on them. No ref names them afterwards: whoever asks keeps the collector
    /// away until one does.
    ///
    /// # Errors
    /// `remote-failed`.
    pub fn fetch_objects(&self, ids: &[Oid]) -> Result<Brought, StoreFault> {
        // Nothing that is here says anything about what is wanted, and only the second protocol asks by id
        // without leave.
        let git = self.git.clone();
        let git = git
            .with_config("fetch.negotiationAlgorithm=noop")
            .with_config("protocol.version=2");
        let mut args: Vec<OsString> = FETCH.map(OsString::from).to_vec();
        args.push("--end-of-options".into());
        args.push(self.url.as_str().into());
        let wanted: String = ids.iter().map(|id| format!("{id}\n")).collect();
        let output = git.output(&args, wanted.as_bytes())?;
        if output.status.success() {
            return Ok(Brought::All);
        }
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        if let Some(id) = lacking(&words).filter(|id| ids.contains(id)) {
            return Ok(Brought::Lacks(id));
        }
        match NOT_BY_ID.iter().any(|refusal| words.contains(refusal)) {
            true => Ok(Brought::NotById),
            false => Err(unreachable(failure(Some("fetch".as_ref()), &output))),
        }
    }
}

/// The object that a server says it does not have.
fn lacking(words: &str) -> Option<Oid> {
    let (_, rest) = words.split_once("not our ref ")?;
    let id = rest.split_whitespace().next()?;
    id.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectFormat;
    use crate::remote::{Git, Location};
    use crate::store::testing::{new_store, object};
    use crate::store::{Kind, Objects as _};
    use std::path::Path;

    fn blob(dir: &Path, bytes: &[u8]) -> Oid {
        let made = Git::new(dir).run_with_input(&["hash-object", "-w", "--stdin"], bytes);
        let made = String::from_utf8(made.unwrap()).unwrap();
        made.trim().parse().unwrap()
    }

    #[test]
    fn what_is_asked_for_by_id_comes_and_nothing_else() {
        for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
            let dir = tempfile::tempdir().unwrap();
            let (here, there) = (dir.path().join("here"), dir.path().join("there"));
            let store = new_store(&here, true, format);
            new_store(&there, true, format);
            let [one, two, three] = [b"one", b"two", b"333"].map(|bytes| blob(&there, bytes));
            let to = Transport::new(&here, Location::path(&there).unwrap(), false);
            assert_eq!(to.fetch_objects(&[one, two]).unwrap(), Brought::All);
            assert_eq!(store.read(&one, Kind::Blob, 9).unwrap(), b"one");
            assert_eq!(store.header(&three).unwrap(), None);
            let packs = std::fs::read_dir(here.join("objects/pack")).unwrap();
            let kept = packs.filter(|entry| {
                let path = entry.as_ref().unwrap().path();
                path.extension().is_some_and(|end| end == "keep")
            });
            assert_eq!(kept.count(), 0);
            // Nobody has this one: the rest can be asked for without it.
            let (nobodys, ..) = object(&store, Kind::Blob, b"nobody's");
            let asked = to.fetch_objects(&[three, nobodys]).unwrap();
            assert_eq!(asked, Brought::Lacks(nobodys));
            assert_eq!(to.fetch_objects(&[three]).unwrap(), Brought::All);
            assert!(!here.join("FETCH_HEAD").exists());
        }
    }

    #[test]
    fn a_bundle_gives_nothing_by_its_id() {
        let dir = tempfile::tempdir().unwrap();
        let (here, there) = (dir.path().join("here"), dir.path().join("there"));
        new_store(&here, true, ObjectFormat::Sha1);
        new_store(&there, true, ObjectFormat::Sha1);
        let one = blob(&there, b"one");
        let git = Git::new(&there);
        git.run(&["update-ref", "refs/artifacts/x", &one.to_hex()])
            .unwrap();
        let file = dir.path().join("x.bundle");
        git.run(&["bundle", "create", "-q", file.to_str().unwrap(), "--all"])
            .unwrap();
        let to = Transport::new(&here, Location::path(&file).unwrap(), false);
        let two = blob(&there, b"two");
        assert_eq!(to.fetch_objects(&[two]).unwrap(), Brought::NotById);
        let listed = to.list().unwrap();
        assert_eq!(listed, [("refs/artifacts/x".to_owned(), one)]);
    }
}
