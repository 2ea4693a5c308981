//! The scripts of `hooks/`, as they are put into a repository.

use std::path::Path;

/// One script.
#[derive(Debug, Clone, Copy)]
pub struct Script {
    /// What git calls it.
    pub name: &'static str,
    text: &'static str,
}

/// What makes a script ours, whatever version wrote it.
const MARK: &str = "\n# folio hook ";

/// Where the path of the program stands.
const PROGRAM: &str = "@FOLIO@";

macro_rules! script {
    ($name:literal) => {
        Script {
            name: $name,
            text: include_str!(concat!("../../../hooks/", $name)),
        }
    };
}

const PRE_RECEIVE: Script = script!("pre-receive");
const POST_RECEIVE: Script = script!("post-receive");
const TRANSACTION: Script = script!("reference-transaction");
const PRE_PUSH: Script = script!("pre-push");
const POST_MERGE: Script = script!("post-merge");

/// Where people push to.
pub const SERVER: [Script; 3] = [PRE_RECEIVE, POST_RECEIVE, TRANSACTION];
/// Where people work.
pub const CLIENT: [Script; 3] = [TRANSACTION, PRE_PUSH, POST_MERGE];
/// All of them.
pub const ALL: [Script; 5] = [PRE_RECEIVE, POST_RECEIVE, TRANSACTION, PRE_PUSH, POST_MERGE];

impl Script {
    /// The script, calling this program; the one in `PATH` where it is gone.
    pub fn text(&self, program: &Path) -> String {
        let quoted = program.display().to_string().replace('\'', r"'\''");
        self.text.replace(PROGRAM, &format!("'{quoted}'"))
    }
}

/// Whether a script is one of these.
pub fn is_ours(text: &[u8]) -> bool {
    let head = &text[..text.len().min(200)];
    String::from_utf8_lossy(head).contains(MARK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_may_lie_anywhere() {
        for script in ALL {
            let text = script.text(Path::new("/opt/it's here/folio"));
            assert!(text.contains(r"folio='/opt/it'\''s here/folio'"), "{text}");
            assert!(!text.contains(PROGRAM) && is_ours(text.as_bytes()));
            assert!(text.starts_with("#!/bin/sh\n"));
        }
        assert!(!is_ours(b"#!/bin/sh\necho folio hook\n"));
    }
}
