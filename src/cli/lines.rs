//! Decisions out of a file, a JSON object on each line, as people write them.

use super::draft::Drafting;
use super::error::{self, Problem};
use super::report::count;
use super::ui::Ui;
use crate::codec::json::JsonFault;
use crate::cores;
use crate::fold::Decision;
use crate::model::{Code, limits};
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

/// Lines that are read at a time, and parsed on all cores.
const AT_ONCE: usize = 8192;

/// Bytes after which these are enough.
const BYTES_AT_ONCE: u64 = 8 * 1024 * 1024;

/// Fewer lines than this are parsed on one.
const FEW: usize = 1000;

/// Reads a file (`-`: standard input), fills in what each of its decisions replaces, judges it and drafts it.
///
/// # Errors
/// The first line that is no decision or that is refused, by its number; nothing has been written then.
pub fn draft(drafting: &mut Drafting<'_>, dir: &Path, file: &Path, ui: &Ui) -> anyhow::Result<()> {
    let mut lines = Lines::open(dir, file)?;
    let mut progress = ui.progress("Drafting");
    let (mut number, mut already) = (0, 0);
    loop {
        let some = lines.some()?;
        if some.is_empty() {
            break;
        }
        let parsed = cores::parts(&some, FEW, |_, some| {
            some.iter().map(|line| parse(line)).collect::<Vec<_>>()
        });
        for decision in parsed.into_iter().flatten() {
            number += 1;
            let at_line = |error: anyhow::Error| {
                let (code, what, _) = error::parts(&error);
                let what = format!("line {number}: {what}");
                Problem::new(code.unwrap_or(Code::JsonMalformed), what)
            };
            if let Some(decision) = decision.map_err(|fault| at_line(fault.into()))? {
                already += usize::from(!drafting.add(decision, false).map_err(at_line)?);
            }
        }
        progress.at(lines.bytes, lines.bytes);
    }
    if already > 0 {
        ui.say(format!(
            "{} true already and left out",
            count(already, "decision")
        ));
    }
    Ok(())
}

/// Lines on their way in, as many as a proposal may have.
struct Lines {
    input: Box<dyn BufRead>,
    name: String,
    count: usize,
    bytes: u64,
}

impl Lines {
    fn open(dir: &Path, file: &Path) -> anyhow::Result<Self> {
        let name = file.display().to_string();
        let input: Box<dyn BufRead> = match file.as_os_str() == "-" {
            true => Box::new(std::io::stdin().lock()),
            false => {
                let opened = std::fs::File::open(dir.join(file));
                let opened = opened.map_err(|error| fault(&name, &error))?;
                Box::new(BufReader::new(opened))
            }
        };
        Ok(Self {
            input,
            name,
            count: 0,
            bytes: 0,
        })
    }

    /// The next ones, none at the end. One that is too long is cut, and says so where it is parsed.
    fn some(&mut self) -> anyhow::Result<Vec<Vec<u8>>> {
        let (mut lines, before) = (Vec::new(), self.bytes);
        while lines.len() < AT_ONCE && self.bytes - before < BYTES_AT_ONCE {
            let mut line = Vec::new();
            let most = limits::DECISION_LINE as u64 + 2;
            let read = (&mut self.input).take(most).read_until(b'\n', &mut line);
            let read = read.map_err(|error| fault(&self.name, &error))?;
            if read == 0 {
                break;
            }
            self.count += 1;
            self.bytes += read as u64;
            lines.push(line);
            if read as u64 == most || self.count > limits::DECISIONS {
                break;
            }
        }
        if self.bytes > limits::DECISIONS_BYTES || self.count > limits::DECISIONS {
            let what = format!(
                "expected at most {} decisions in {} bytes",
                limits::DECISIONS,
                limits::DECISIONS_BYTES
            );
            return Err(Problem::new(Code::TooLarge, what).into());
        }
        Ok(lines)
    }
}

fn fault(name: &str, error: &std::io::Error) -> Problem {
    Problem::new(Code::Io, format!("{name}: {error}"))
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
