//! Decisions out of a file, a JSON object on each line, as people write them.

use super::draft::Drafting;
use super::error::{self, Problem};
use super::report::count;
use super::ui::Ui;
use crate::codec::json::JsonFault;
use crate::fold::Decision;
use crate::model::{Code, limits};
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;

/// Lines that are read and parsed at a time.
const AT_ONCE: usize = 2048;

/// Parts that are read ahead of who judges, so that memory stays bounded.
const AHEAD: usize = 4;

/// Bytes after which these are enough.
const BYTES_AT_ONCE: u64 = 8 * 1024 * 1024;

/// Reads a file (`-`: standard input), fills in what each of its decisions replaces, judges it and drafts it.
///
/// # Errors
/// The first line that is no decision or that is refused, by its number; nothing has been written then.
pub fn draft(drafting: &mut Drafting<'_>, dir: &Path, file: &Path, ui: &Ui) -> anyhow::Result<()> {
    let mut parts = Parts::of(Lines::open(dir, file)?);
    let mut progress = ui.progress("Drafting");
    let (mut number, mut already) = (0, 0);
    while let Some(part) = parts.next()? {
        for decision in part.decisions {
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
        progress.at(part.bytes, part.bytes);
    }
    if already > 0 {
        ui.say(format!(
            "{} true already and left out",
            count(already, "decision")
        ));
    }
    Ok(())
}

/// Some of the lines, parsed, and how many bytes were read with them.
struct Part {
    decisions: Vec<Result<Option<Decision>, JsonFault>>,
    bytes: u64,
}

/// Parts on their way in: read and parsed ahead of who judges, on another thread, once it is known that there are many.
/// Nobody waits for that thread where a decision is refused: it may be waiting for whoever writes to us.
struct Parts {
    here: Option<Lines>,
    ahead: Option<(Receiver<anyhow::Result<Part>>, JoinHandle<()>)>,
}

impl Parts {
    fn of(lines: Lines) -> Self {
        Self {
            here: Some(lines),
            ahead: None,
        }
    }

    /// The next part, none at the end.
    fn next(&mut self) -> anyhow::Result<Option<Part>> {
        if let Some(mut lines) = self.here.take() {
            let part = lines.part()?;
            match &part {
                Some(part) if part.decisions.len() == AT_ONCE => self.ahead = Some(ahead(lines)),
                _ => self.here = Some(lines),
            }
            return Ok(part);
        }
        let received = self.ahead.as_ref().map(|(parts, _)| parts.recv());
        if let Some(Ok(part)) = received {
            return part.map(Some);
        }
        let ended = self
            .ahead
            .take()
            .map_or(Ok(()), |(_, thread)| thread.join());
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok(None)
    }
}

fn ahead(mut lines: Lines) -> (Receiver<anyhow::Result<Part>>, JoinHandle<()>) {
    let (parts, taken) = mpsc::sync_channel(AHEAD);
    let running = std::thread::spawn(move || {
        while let Some(part) = lines.part().transpose() {
            let last = part.is_err();
            if parts.send(part).is_err() || last {
                break;
            }
        }
    });
    (taken, running)
}

/// Lines on their way in, as many as a proposal may have.
struct Lines {
    input: Box<dyn BufRead + Send>,
    name: String,
    count: usize,
    bytes: u64,
}

impl Lines {
    fn open(dir: &Path, file: &Path) -> anyhow::Result<Self> {
        let name = file.display().to_string();
        let input: Box<dyn BufRead + Send> = match file.as_os_str() == "-" {
            true => Box::new(BufReader::new(std::io::stdin())),
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

    /// The next ones, parsed; none at the end.
    fn part(&mut self) -> anyhow::Result<Option<Part>> {
        let lines = self.some()?;
        let part = Part {
            decisions: lines.iter().map(|line| parse(line)).collect(),
            bytes: self.bytes,
        };
        Ok((!lines.is_empty()).then_some(part))
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
