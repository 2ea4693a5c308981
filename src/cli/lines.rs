//! Decisions out of a file, a JSON object on each line, as people write them.

use super::draft::Drafting;
use super::error::{self, Problem};
use super::report::count;
use super::ui::Ui;
use crate::codec::json::JsonFault;
use crate::cores;
use crate::fold::Decision;
use crate::model::{Code, limits};
use std::io::Read as _;
use std::path::Path;

/// From this many lines on, all cores parse them.
const MANY: usize = 1000;

/// Reads a file (`-`: standard input), fills in what each of its decisions replaces, judges it and drafts it.
///
/// # Errors
/// The first line that is no decision or that is refused, by its number; nothing has been written then.
pub fn draft(drafting: &mut Drafting<'_>, dir: &Path, file: &Path, ui: &Ui) -> anyhow::Result<()> {
    let bytes = read(dir, file)?;
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    if bytes.len() as u64 > limits::DECISIONS_BYTES || lines.len() > limits::DECISIONS {
        let what = format!(
            "expected at most {} decisions in {} bytes",
            limits::DECISIONS,
            limits::DECISIONS_BYTES
        );
        return Err(Problem::new(Code::TooLarge, what).into());
    }
    let parsed = cores::parts(&lines, MANY, |_, some| {
        some.iter().map(|line| parse(line)).collect::<Vec<_>>()
    });
    let mut progress = ui.progress("Drafting");
    let mut already = 0;
    for (number, decision) in (1..).zip(parsed.into_iter().flatten()) {
        let at_line = |error: anyhow::Error| {
            let (code, what, _) = error::parts(&error);
            let what = format!("line {number}: {what}");
            Problem::new(code.unwrap_or(Code::JsonMalformed), what)
        };
        if let Some(decision) = decision.map_err(|fault| at_line(fault.into()))? {
            already += usize::from(!drafting.add(decision, false).map_err(at_line)?);
        }
        progress.at(number, lines.len() as u64);
    }
    if already > 0 {
        ui.say(format!(
            "{} true already and left out",
            count(already, "decision")
        ));
    }
    Ok(())
}

/// All of it, and a byte more than a proposal may have if there is more.
fn read(dir: &Path, file: &Path) -> anyhow::Result<Vec<u8>> {
    let most = limits::DECISIONS_BYTES + 1;
    let mut bytes = Vec::new();
    if file.as_os_str() == "-" {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    let opened = std::fs::File::open(dir.join(file));
    let read = opened.and_then(|file| file.take(most).read_to_end(&mut bytes));
    read.map_err(|error| Problem::new(Code::Io, format!("{}: {error}", file.display())))?;
    Ok(bytes)
}

/// The decision on a line, if the line is not empty.
fn parse(line: &[u8]) -> Result<Option<Decision>, JsonFault> {
    let text = std::str::from_utf8(line).map_err(|_| JsonFault {
        code: Code::JsonMalformed,
        what: "expected UTF-8".into(),
    })?;
    match text.trim() {
        "" => Ok(None),
        text => Decision::parse_lenient(text).map(Some),
    }
}
