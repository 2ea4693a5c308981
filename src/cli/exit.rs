//! Exit codes; `docs/cli.md` lists them.

use crate::model::code::{Area, Code};
use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, or the answer is yes.
    Done,
    /// 1: the answer is no: not found, not the same, different, in conflict.
    No,
    /// 2: the command line is wrong.
    Usage,
    /// 3: a rule or the format refuses it; nothing was changed.
    Refused,
    /// 4: something in the repository is not what it must be.
    Invalid,
    /// 5: somebody else was faster or holds a lock; run it again.
    Busy,
    /// 6: no space here, no usable key, the disk, the git program.
    Environment,
}

impl Exit {
    /// What a code leads to.
    pub fn of(code: Code) -> Self {
        match (code, code.area()) {
            (Code::NotFound | Code::MergeConflict, _) => Exit::No,
            (Code::RaceLost | Code::Busy | Code::PenInUse, _) => Exit::Busy,
            (Code::BadRequest, _) => Exit::Usage,
            (_, Area::Input | Area::Rule) => Exit::Refused,
            (_, Area::Integrity) => Exit::Invalid,
            (_, Area::Environment) => Exit::Environment,
        }
    }

    /// The number.
    pub fn number(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::No => 1,
            Exit::Usage => 2,
            Exit::Refused => 3,
            Exit::Invalid => 4,
            Exit::Busy => 5,
            Exit::Environment => 6,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.number())
    }
}
