//! The one place that maps errors to text, hint and exit code.

use super::exit::Exit;
use super::ui::Ui;
use crate::artifact::ArtifactFault;
use crate::codec::evidence::EvidenceFault;
use crate::codec::json::JsonFault;
use crate::codec::message::MessageFault;
use crate::crypto::keyfile::KeyFault;
use crate::crypto::sshsig::SigFault;
use crate::fold::{Refusal, Stop};
use crate::journal::Fault;
use crate::model::{Code, TextFault};
use crate::overlay::OverlayFault;
use crate::state::StateFault;
use crate::store::StoreFault;
use std::fmt;

/// An error of the command line itself, with the hint that fits this very case.
#[derive(Debug)]
pub struct Problem {
    /// Stable code.
    pub code: Code,
    /// What was expected and found.
    pub what: String,
    /// What to run next; where there is none, the code's own advice is shown.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem with words.
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        Self {
            code,
            what: what.into(),
            hint: None,
        }
    }

    /// Adds what to run next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.what)
    }
}

impl std::error::Error for Problem {}

/// Prints clap's own message: help on stdout, mistakes on stderr.
pub fn usage(error: &clap::Error) -> Exit {
    // A closed stdout is no reason to fail here.
    let _ = error.print();
    if error.use_stderr() {
        Exit::Usage
    } else {
        Exit::Done
    }
}

/// Whether the reader of our output went away, as `| head` does.
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Prints an error with its code and a hint, and says which exit code it has.
pub fn report(ui: &Ui, error: &anyhow::Error) -> Exit {
    let (code, what, hint) = parts(error);
    let Some(code) = code else {
        ui.error("error", &what);
        return Exit::Environment;
    };
    ui.error(code.as_str(), &what);
    ui.hint(hint.as_deref().unwrap_or(code.help()));
    Exit::of(code)
}

/// The code and the words of whatever error it is.
pub fn parts(error: &anyhow::Error) -> (Option<Code>, String, Option<String>) {
    macro_rules! coded {
        ($($type:ty),*) => {$(
            if let Some(fault) = error.downcast_ref::<$type>() {
                return (Some(fault.code), fault.what.clone(), None);
            }
        )*};
    }
    if let Some(problem) = error.downcast_ref::<Problem>() {
        return (
            Some(problem.code),
            problem.what.clone(),
            problem.hint.clone(),
        );
    }
    if let Some(fault) = error.downcast_ref::<Fault>() {
        return (Some(fault.code), placed(fault), None);
    }
    if let Some(refusal) = error.downcast_ref::<Refusal>() {
        return (Some(refusal.code), Fault::from(refusal.clone()).what, None);
    }
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return (Some(stop.code()), Fault::from(stop.clone()).what, None);
    }
    coded!(
        ArtifactFault,
        StoreFault,
        StateFault,
        KeyFault,
        SigFault,
        JsonFault,
        MessageFault,
        EvidenceFault,
        OverlayFault
    );
    if let Some(fault) = error.downcast_ref::<TextFault>() {
        return (Code::from_word(fault.code), fault.what.clone(), None);
    }
    if error.downcast_ref::<std::io::Error>().is_some() {
        return (Some(Code::Io), format!("{error:#}"), None);
    }
    (None, format!("{error:#}"), None)
}

/// A fault's words with where it was.
fn placed(fault: &Fault) -> String {
    let mut words = String::new();
    if let Some(number) = fault.number {
        words.push_str(&format!("common@{number}: "));
    }
    words.push_str(&fault.what);
    if let Some(commit) = fault.commit {
        words.push_str(&format!(" (commit {})", commit.short()));
    }
    words
}
